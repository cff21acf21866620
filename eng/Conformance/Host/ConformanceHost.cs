// A small application for the conformance suite: "--scenario NAME" says which.
var builder = DistributedApplication.CreateBuilder(args);

switch (builder.Configuration["scenario"])
{
    case "chain":
        var job = builder.AddProject<Projects.ConformanceWeb>("job").WithArgs("--exit", "0", "--after", "500");
        var first = builder.AddProject<Projects.ConformanceWeb>("first").WaitForCompletion(job)
            .WithArgs("--healthy-after", "1500").WithHttpHealthCheck("/health");
        builder.AddProject<Projects.ConformanceWeb>("second").WithReference(first).WaitFor(first).WithExternalHttpEndpoints();
        break;
    default:
        throw new InvalidOperationException("--scenario NAME says what to run.");
}

builder.Build().Run();
