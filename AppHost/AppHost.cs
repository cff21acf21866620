using AppHost.Deployment;
using AppHost.Postgres;

var builder = DistributedApplication.CreateBuilder(args);

var tenants = builder.AddTenantsDatabase();
var logins = tenants.AddApiLogins();

var migrations = builder.AddProject<Projects.MigrationService>("migrations")
    .WithReference(tenants)
    .WithApiLogins(logins)
    .WaitFor(tenants)
    .WithArgs("--on-failure", "isolate")
    .PublishAsJob();

var api = builder.AddProject<Projects.Api>("api")
    .WithOwnerInRunMode(tenants)
    .WithApiLogins(logins)
    .WaitForCompletion(migrations)
    .WithHttpHealthCheck("/health");

builder.AddProject<Projects.Web>("web")
    .WithReference(api)
    .WaitFor(api)
    .WithHttpHealthCheck("/health")
    .WithExternalHttps();

builder.PublishPrograms();
builder.Build().Run();
