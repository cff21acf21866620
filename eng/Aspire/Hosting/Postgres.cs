using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Aspire.Hosting.ApplicationModel
{
    /// <summary>A PostgreSQL server in a container.</summary>
    public class PostgresServerResource : ContainerResource, IResourceWithConnectionString
    {
        public PostgresServerResource(string name, ParameterResource? userName, ParameterResource password) : base(name)
        {
            (UserNameParameter, PasswordParameter) = (userName, password);
            PrimaryEndpoint = new(this, "tcp");
        }

        public EndpointReference PrimaryEndpoint { get; }

        public ParameterResource? UserNameParameter { get; }

        public ParameterResource PasswordParameter { get; }

        public ReferenceExpression UserNameReference => UserNameParameter is null ? ReferenceExpression.Create($"postgres") : ReferenceExpression.Create($"{UserNameParameter}");

        public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create(
            $"Host={PrimaryEndpoint.Property(EndpointProperty.Host)};Port={PrimaryEndpoint.Property(EndpointProperty.Port)};Username={UserNameReference};Password={PasswordParameter}");

        IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties() =>
        [
            new("Host", ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.Host)}")),
            new("Port", ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.Port)}")),
            new("Username", UserNameReference),
            new("Password", ReferenceExpression.Create($"{PasswordParameter}")),
        ];

        internal string? Volume { get; set; }

        internal bool VolumeIsReadOnly { get; set; }
    }

    /// <summary>A database on a <see cref="PostgresServerResource"/>, made when the server is ready.</summary>
    public class PostgresDatabaseResource(string name, string databaseName, PostgresServerResource postgresParentResource)
        : Resource(name), IResourceWithParent<PostgresServerResource>, IResourceWithConnectionString
    {
        public PostgresServerResource Parent { get; } = postgresParentResource;

        public string DatabaseName { get; } = databaseName;

        public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{Parent};Database={DatabaseName}");

        IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties() =>
            [.. ((IResourceWithConnectionString)Parent).GetConnectionProperties(), new("DatabaseName", ReferenceExpression.Create($"{DatabaseName}"))];
    }
}

namespace Aspire.Hosting
{
    public static class PostgresBuilderExtensions
    {
        /// <param name="userName"><c>postgres</c> when null.</param>
        /// <param name="password">Generated and kept in the user secrets when null.</param>
        /// <param name="port">The host's port; a free one when null.</param>
        public static IResourceBuilder<PostgresServerResource> AddPostgres(
            this IDistributedApplicationBuilder builder, string name,
            IResourceBuilder<ParameterResource>? userName = null, IResourceBuilder<ParameterResource>? password = null, int? port = null)
        {
            password ??= builder.AddParameter($"{name}-password", new GenerateParameterDefault { Special = false }, secret: true, persist: true);
            var server = new PostgresServerResource(name, userName?.Resource, password.Resource);
            var key = $"{name}_check";
            builder.Services.AddHealthChecks().Add(new(key, _ => new Answers(server), null, null));
            return builder.AddResource(server)
                .WithEndpoint(port, targetPort: 5432, name: "tcp")
                .WithEnvironment("POSTGRES_USER", server.UserNameReference)
                .WithEnvironment("POSTGRES_PASSWORD", password)
                .WithHealthCheck(key);
        }

        public static IResourceBuilder<PostgresDatabaseResource> AddDatabase(
            this IResourceBuilder<PostgresServerResource> builder, string name, string? databaseName = null)
        {
            var database = new PostgresDatabaseResource(name, databaseName ?? name, builder.Resource);
            builder.OnResourceReady(async (server, ready, cancellationToken) =>
            {
                await CreateAsync(database, cancellationToken).ConfigureAwait(false);
                await ready.Services.GetRequiredService<ResourceNotificationService>()
                    .PublishUpdateAsync(database, s => s with { State = KnownResourceStates.Running }).ConfigureAwait(false);
            });
            builder.OnResourceStopped((_, stopped, _) => stopped.Services.GetRequiredService<ResourceNotificationService>()
                .PublishUpdateAsync(database, s => s with { State = stopped.ResourceEvent.Snapshot.State }));
            return builder.ApplicationBuilder.AddResource(database);
        }

        /// <summary>Keeps the data in a named volume between runs.</summary>
        public static IResourceBuilder<PostgresServerResource> WithDataVolume(
            this IResourceBuilder<PostgresServerResource> builder, string? name = null, bool isReadOnly = false)
        {
            builder.Resource.Volume = name ?? $"{builder.ApplicationBuilder.Environment.ApplicationName}-{builder.Resource.Name}-data".ToLowerInvariant();
            builder.Resource.VolumeIsReadOnly = isReadOnly;
            return builder;
        }

        private static async Task CreateAsync(PostgresDatabaseResource database, CancellationToken cancellationToken)
        {
            await using var source = NpgsqlDataSource.Create((await database.Parent.ConnectionStringExpression.GetValueAsync(cancellationToken).ConfigureAwait(false))!);
            await using var exists = source.CreateCommand("SELECT 1 FROM pg_database WHERE datname = $1");
            exists.Parameters.Add(new() { Value = database.DatabaseName });
            if (await exists.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is null)
            {
                // A database's name can't be a parameter; the command builder quotes it.
                using var quoting = new NpgsqlCommandBuilder();
                await using var create = source.CreateCommand($"CREATE DATABASE {quoting.QuoteIdentifier(database.DatabaseName)}");
                await create.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        private sealed class Answers(PostgresServerResource server) : IHealthCheck
        {
            public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
            {
                var connectionString = await server.ConnectionStringExpression.GetValueAsync(cancellationToken).ConfigureAwait(false);
                await using var connection = new NpgsqlConnection($"{connectionString};Pooling=false;Timeout=2");
                try
                {
                    await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
                    return HealthCheckResult.Healthy();
                }
                catch (NpgsqlException e)
                {
                    return HealthCheckResult.Unhealthy(e.Message, e);
                }
            }
        }
    }

    /// <summary>The container engine's command line, in the foreground: the container ends with its process.</summary>
    internal static class ContainerEngine
    {
        // From image 18 on the server keeps its data in a folder of its version's under this one.
        private const string Image = "docker.io/library/postgres:18.3", Data = "/var/lib/postgresql";

        public static Launch Launch(ContainerResource container, IReadOnlyList<string> args, IReadOnlyDictionary<string, string> environment, DistributedApplicationBuilder builder)
        {
            if (container is not PostgresServerResource server)
            {
                throw new DistributedApplicationException($"'{container.Name}' is a container of a kind the stand-in does not know.");
            }

            var engine = builder.Configuration["ASPIRE_CONTAINER_RUNTIME"] ?? builder.Configuration["DOTNET_ASPIRE_CONTAINER_RUNTIME"] ?? "docker";
            string[] volume = server.Volume is null ? [] : ["--volume", $"{server.Volume}:{Data}{(server.VolumeIsReadOnly ? ":ro" : "")}"];
            var ports = server.Annotations.OfType<EndpointAnnotation>()
                .SelectMany(e => new[] { "--publish", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{e.AllocatedPort}:{e.TargetPort}") });

            // Names only: the values come from the process's environment, where no list of processes shows them.
            var variables = environment.Keys.SelectMany(name => new[] { "--env", name });
            return new(engine, ["run", "--rm", "--name", $"{server.Name}-{Guid.NewGuid().ToString("n")[..8]}", .. ports, .. volume, .. variables, Image, .. args], builder.AppHostDirectory, environment);
        }
    }
}
