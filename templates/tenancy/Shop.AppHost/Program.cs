using Microsoft.Extensions.Configuration;

var builder = DistributedApplication.CreateBuilder(args);

// A database that is configured, else one in a container.
IResourceBuilder<IResourceWithConnectionString> database =
    builder.Configuration.GetConnectionString("shopdb") is { Length: > 0 }
        ? builder.AddConnectionString("shopdb")
        : builder.AddPostgres("postgres").WithDataVolume().AddDatabase("shopdb");

var job = builder.AddProject<Projects.Shop_Job>("migrations")
    .WithReference(database)
    .WaitFor(database);

builder.AddProject<Projects.Shop_Api>("api")
    .WithReference(database)
    .WithHttpHealthCheck("/health")
    .WaitForCompletion(job);

builder.Build().Run();
