using AppHost.Postgres;

var builder = DistributedApplication.CreateBuilder(args);

var tenants = builder.AddTenantsDatabase();
var tenantsApi = tenants.AddApiLogin();

var migrations = builder.AddProject<Projects.MigrationService>("migrations")
    .WithReference(tenants)
    .WithEnvironment(ApiLogin.Variable, tenantsApi)
    .WaitFor(tenants)
    .WithArgs("--on-failure", "isolate");

var api = builder.AddProject<Projects.Api>("api")
    .WithReference(tenants)
    .WithEnvironment(ApiLogin.Variable, tenantsApi)
    .WaitForCompletion(migrations)
    .WithHttpHealthCheck("/health");

builder.AddProject<Projects.Web>("web")
    .WithReference(api)
    .WaitFor(api)
    .WithHttpHealthCheck("/health")
    .WithExternalHttpEndpoints();

builder.Build().Run();
