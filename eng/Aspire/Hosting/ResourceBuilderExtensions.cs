using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting;

public static class ExecutableResourceBuilderExtensions
{
    /// <param name="workingDirectory">Relative to the AppHost's folder.</param>
    public static IResourceBuilder<ExecutableResource> AddExecutable(
        this IDistributedApplicationBuilder builder, string name, string command, string workingDirectory, params string[]? args) =>
        builder.AddResource(new ExecutableResource(name, command, Path.GetFullPath(workingDirectory, builder.AppHostDirectory))).WithArgs(args ?? []);
}

public static class ResourceBuilderExtensions
{
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, Func<EnvironmentCallbackContext, Task> callback)
        where T : IResourceWithEnvironment => builder.WithAnnotation(new EnvironmentCallbackAnnotation(callback));

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, Action<EnvironmentCallbackContext> callback)
        where T : IResourceWithEnvironment => builder.WithEnvironment(context =>
        {
            callback(context);
            return Task.CompletedTask;
        });

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, string? value)
        where T : IResourceWithEnvironment => builder.WithEnvironment(context => context.EnvironmentVariables[name] = value ?? "");

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, Func<string> callback)
        where T : IResourceWithEnvironment => builder.WithEnvironment(context => context.EnvironmentVariables[name] = callback());

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, IExpressionValue value)
        where T : IResourceWithEnvironment => builder.WithEnvironment(context => context.EnvironmentVariables[name] = value);

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, IResourceBuilder<ParameterResource> parameter)
        where T : IResourceWithEnvironment => builder.WithEnvironment(name, parameter.Resource);

    public static IResourceBuilder<T> WithEnvironment<T>(
        this IResourceBuilder<T> builder, string name, in ReferenceExpression.ExpressionInterpolatedStringHandler value)
        where T : IResourceWithEnvironment => builder.WithEnvironment(name, value.ToExpression());

    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, Func<CommandLineArgsCallbackContext, Task> callback)
        where T : IResourceWithArgs => builder.WithAnnotation(new CommandLineArgsCallbackAnnotation(callback));

    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, Action<CommandLineArgsCallbackContext> callback)
        where T : IResourceWithArgs => builder.WithArgs(context =>
        {
            callback(context);
            return Task.CompletedTask;
        });

    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, params string[] args)
        where T : IResourceWithArgs => builder.WithArgs((object[])args);

    /// <param name="args">Strings, <see cref="IValueProvider"/>s, or builders of resources that are one.</param>
    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, params object[] args)
        where T : IResourceWithArgs => builder.WithArgs(context =>
        {
            foreach (var arg in args)
            {
                context.Args.Add(arg is IResourceBuilder<IResource> { Resource: IValueProvider value } ? value : arg);
            }
        });

    /// <summary>Sets <c>ConnectionStrings__NAME</c>, and the connection's parts one by one.</summary>
    /// <param name="optional">Leave the variable empty where there is no connection string, instead of failing.</param>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithConnectionString> source, string? connectionName = null, bool optional = false)
        where TDestination : IResourceWithEnvironment
    {
        var resource = source.Resource;
        var name = connectionName ?? resource.Name;
        return builder.WithEnvironment(context =>
        {
            context.EnvironmentVariables[resource.ConnectionStringEnvironmentVariable ?? $"ConnectionStrings__{name}"] = new ConnectionStringReference(resource, optional);
            foreach (var (property, value) in resource.GetConnectionProperties())
            {
                context.EnvironmentVariables[$"{name}_{property}".Replace('-', '_').ToUpperInvariant()] = value;
            }
        });
    }

    /// <summary>Sets <c>services__NAME__ENDPOINT__0</c> for each of the source's endpoints.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithServiceDiscovery> source) where TDestination : IResourceWithEnvironment =>
        builder.WithEnvironment(context =>
        {
            foreach (var endpoint in source.Resource.Annotations.OfType<EndpointAnnotation>())
            {
                context.EnvironmentVariables[$"services__{source.Resource.Name}__{endpoint.Name}__0"] = new EndpointReference(source.Resource, endpoint.Name);
            }
        });

    /// <summary>Starts when the dependency runs, all its health checks pass, and what subscribed to that is done.</summary>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport => builder.Waiting(dependency, WaitType.WaitUntilHealthy);

    public static IResourceBuilder<T> WaitForStart<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport => builder.Waiting(dependency, WaitType.WaitUntilStarted);

    /// <summary>Starts when the dependency has ended with this exit code; with any other one it fails.</summary>
    public static IResourceBuilder<T> WaitForCompletion<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency, int exitCode = 0)
        where T : IResourceWithWaitSupport => builder.Waiting(dependency, WaitType.WaitForCompletion, exitCode);

    /// <param name="port">Where others find it; a free port when null.</param>
    /// <param name="targetPort">Where the process listens, if it can't be told.</param>
    /// <param name="env">The environment variable that tells the process its port.</param>
    public static IResourceBuilder<T> WithEndpoint<T>(
        this IResourceBuilder<T> builder, int? port = null, int? targetPort = null, string? scheme = null, string? name = null, string? env = null)
        where T : IResourceWithEndpoints
    {
        var endpoint = new EndpointAnnotation(name ?? scheme ?? "tcp", scheme ?? "tcp", port, targetPort, env);
        return builder.Resource.Annotations.OfType<EndpointAnnotation>().Any(e => e.Name == endpoint.Name)
            ? throw new DistributedApplicationException($"'{builder.Resource.Name}' has two endpoints named '{endpoint.Name}'.")
            : builder.WithAnnotation(endpoint);
    }

    public static IResourceBuilder<T> WithExternalHttpEndpoints<T>(this IResourceBuilder<T> builder) where T : IResourceWithEndpoints
    {
        foreach (var endpoint in builder.Resource.Annotations.OfType<EndpointAnnotation>().Where(e => e.UriScheme is "http" or "https"))
        {
            endpoint.IsExternal = true;
        }

        return builder;
    }

    public static EndpointReference GetEndpoint<T>(this IResourceBuilder<T> builder, string name)
        where T : IResourceWithEndpoints => new(builder.Resource, name);

    /// <param name="key">The name the health check is registered under in the builder's <c>Services</c>.</param>
    public static IResourceBuilder<T> WithHealthCheck<T>(this IResourceBuilder<T> builder, string key)
        where T : IResource => builder.WithAnnotation(new HealthCheckAnnotation(key));

    /// <summary>Healthy when a GET gets this status (200 when null) within two seconds.</summary>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(
        this IResourceBuilder<T> builder, string? path = null, int? statusCode = null, string? endpointName = null) where T : IResourceWithEndpoints
    {
        var resource = builder.Resource;
        var key = $"{resource.Name}_{endpointName ?? "http"}_{path ?? "/"}_{statusCode ?? 200}_check";
        builder.ApplicationBuilder.Services.AddHealthChecks().Add(new(key, _ => new HttpHealthCheck(resource, endpointName, path, statusCode ?? 200), null, null));
        return builder.WithHealthCheck(key);
    }

    private static IResourceBuilder<T> Waiting<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency, WaitType type, int exitCode = 0)
        where T : IResource => ReferenceEquals(builder.Resource, dependency.Resource)
            ? throw new DistributedApplicationException($"'{builder.Resource.Name}' can't wait for itself.")
            : builder.WithAnnotation(new WaitAnnotation(dependency.Resource, type, exitCode));

    private sealed class HttpHealthCheck(IResourceWithEndpoints resource, string? endpointName, string? path, int statusCode) : IHealthCheck
    {
        private static readonly HttpClient Client = new(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.Zero });

        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            var url = new Uri(new Uri(resource.HttpEndpoint(endpointName).Url), path ?? "/");
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(2));
            try
            {
                using var response = await Client.GetAsync(url, limit.Token).ConfigureAwait(false);
                return (int)response.StatusCode == statusCode
                    ? HealthCheckResult.Healthy()
                    : HealthCheckResult.Unhealthy($"{url} answers {(int)response.StatusCode} instead of {statusCode}");
            }
            catch (HttpRequestException e)
            {
                return HealthCheckResult.Unhealthy($"{url} does not answer ({e.HttpRequestError})");
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return HealthCheckResult.Unhealthy($"{url} does not answer within two seconds");
            }
        }
    }
}

internal static class EndpointChoice
{
    /// <summary>The endpoint of that name, or else the http one, or else the https one.</summary>
    public static EndpointReference HttpEndpoint(this IResourceWithEndpoints resource, string? endpointName)
    {
        var endpoints = resource.Annotations.OfType<EndpointAnnotation>().ToList();
        var chosen = endpointName is not null ? endpoints.Find(e => e.Name == endpointName)
            : endpoints.Find(e => e.Name == "http") ?? endpoints.Find(e => e.Name == "https") ?? endpoints.Find(e => e.UriScheme is "http" or "https");
        return chosen is null
            ? throw new InvalidOperationException($"The resource '{resource.Name}' has no endpoint {(endpointName is null ? "for http" : $"named '{endpointName}'")}.")
            : new(resource, chosen.Name);
    }
}
