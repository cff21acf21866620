// Small applications for the conformance suite, written against Aspire's API alone: "--scenario NAME" says which one is built.
using Projects;

var builder = DistributedApplication.CreateBuilder(args);

switch (builder.Configuration["scenario"])
{
    case "chain":
        var migrations = builder.AddProject<ConformanceWeb>("job").WithArgs("--exit", "0", "--after", "500");
        var first = builder.AddProject<ConformanceWeb>("first").WaitForCompletion(migrations)
            .WithArgs("--healthy-after", "1500").WithHttpHealthCheck("/health");
        builder.AddProject<ConformanceWeb>("eager").WaitForStart(first);
        builder.AddProject<ConformanceWeb>("second").WithReference(first).WaitFor(first).WithExternalHttpEndpoints();
        break;

    case "codes":
        var three = builder.AddProject<ConformanceWeb>("three").WithArgs("--exit", "3");
        builder.AddProject<ConformanceWeb>("wants-zero").WaitForCompletion(three);
        builder.AddProject<ConformanceWeb>("wants-three").WaitForCompletion(three, exitCode: 3);
        builder.AddProject<ConformanceWeb>("bystander");
        break;

    case "nowhere":
        var nowhere = builder.AddExecutable("nowhere", "there-is-no-such-command", ".");
        builder.AddProject<ConformanceWeb>("dependent").WaitFor(nowhere);
        builder.AddProject<ConformanceWeb>("bystander");
        break;

    case "environment":
        var text = builder.AddParameter("text", "from the AppHost");
        var secret = builder.AddParameter("kept", new GenerateParameterDefault { MinLength = 32, Special = false }, secret: true, persist: true);
        var orders = builder.AddConnectionString("orders");
        var api = builder.AddProject<ConformanceWeb>("api");
        builder.AddProject<ConformanceWeb>("web").WithReference(api).WithReference(orders)
            .WithArgs("--one", "1")
            .WithArgs(context => context.Args.Add("two words"))
            .WithEnvironment("PLAIN", "plain")
            .WithEnvironment("PARAMETER", text)
            .WithEnvironment("KEPT", secret)
            .WithEnvironment("API", api.GetEndpoint("http"))
            .WithEnvironment("PUT_TOGETHER", $"{api.GetEndpoint("http").Property(EndpointProperty.Host)}/{text}")
            .WithEnvironment(context => context.EnvironmentVariables["CALLED"] = ReferenceExpression.Create($"called with {text}"));
        break;

    case "server":
        builder.AddServer("server", builder.Configuration["folder"]!);
        break;

    case "sleeper":
        // The shell and its child: both must be gone when the AppHost is.
        builder.AddExecutable("sleeper", "/bin/sh", ".", "-c", "sleep 600 & echo $$ $! > \"$PIDS.new\"; mv \"$PIDS.new\" \"$PIDS\"; wait")
            .WithEnvironment("PIDS", builder.Configuration["pids"]);
        break;

    default:
        throw new InvalidOperationException("--scenario NAME says what to run.");
}

builder.Build().Run();
