using AppHost.Postgres;

var builder = DistributedApplication.CreateBuilder(args);

var tenants = builder.AddTenantsDatabase();

var migrations = builder.AddProject<Projects.MigrationService>("migrations")
    .WithReference(tenants)
    .WaitFor(tenants)
    .WithArgs("--on-failure", "isolate");

var api = builder.AddProject<Projects.Api>("api")
    .WithReference(tenants)
    .WaitForCompletion(migrations)
    .WithHttpHealthCheck("/health");

builder.AddProject<Projects.Web>("web")
    .WithReference(api)
    .WaitFor(api)
    .WithHttpHealthCheck("/health")
    .WithExternalHttpEndpoints();

builder.Build().Run();
