using AppHost;
using AppHost.Commands;
using AppHost.Deployment;
using AppHost.Failures;
using AppHost.Health;
using AppHost.Replicas;
using Tenancy.Hosting;

var builder = DistributedApplication.CreateBuilder(args);

var tenants = builder.AddTenantsDatabase();
var logins = tenants.AddApiLogins();
var operatorKey = builder.AddOperatorKey();

var migrations = builder.AddProject<Projects.MigrationService>("migrations")
    .WithReference(tenants)
    .WithApiLogins(logins)
    .WaitFor(tenants)
    .WithArgs("--on-failure", "isolate")
    .WithConfiguredReplicas()
    .PublishAsJob()
    .WithIconName("DatabaseArrowUp")
    .WithFleetCommands(tenants);

var api = builder.AddProject<Projects.Api>("api")
    .WithOwnerInRunMode(tenants)
    .WithApiLogins(logins)
    .TakesOperatorKey(operatorKey)
    .WithConfiguredReplicas()
    .WaitForCompletion(migrations)
    .WithReadiness()
    .WithIconName("PlugConnected")
    .WithUrlForEndpoint("http", url => url.DisplayText = "API")
    .WithUrlForEndpoint("http", _ => new() { Url = "/openapi/v1.json", DisplayText = "API reference" })
    .WithUrlForEndpoint("http", _ => new() { Url = "/health", DisplayText = "Health" })
    .WithCustomerCommands(migrations, operatorKey);

// The console starts beside the API and shows what it can. It doesn't wait for Healthy: an API that is degraded,
// because a customer failed, serves all others. It gives up together with the API: the start of the AppHost ends only
// when nobody waits any more. FailureReports starts both again.
builder.AddProject<Projects.Web>("web")
    .WithReference(api)
    .WaitForStart(api, WaitBehavior.StopOnResourceUnavailable)
    .WithReadiness()
    .WithExternalHttps()
    .WithIconName("Desktop")
    .WithUrlForEndpoint("http", url => url.DisplayText = "Console")
    .WithUrlForEndpoint("http", _ => new() { Url = "/health", DisplayText = "Health" });

builder.PublishPrograms();
builder.WithPlainFailures(migrations).Build().Run();
