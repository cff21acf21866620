using Tenancy.Hosting;

var builder = DistributedApplication.CreateBuilder(args);

// A connection string that is configured; else a container; else a PostgreSQL of this machine.
var database = builder.AddTenantsDatabase("shopdb");

var job = builder.AddProject<Projects.Shop_Job>("migrations")
    .WithReference(database)
    .WaitFor(database);

builder.AddProject<Projects.Shop_Api>("api")
    .WithReference(database)
    .WithHttpHealthCheck("/health")
    .WaitForCompletion(job);

builder.Build().Run();
