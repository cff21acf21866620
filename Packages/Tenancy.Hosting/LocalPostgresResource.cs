using Tenancy.Postgres.Cluster;

namespace Tenancy.Hosting;

/// <summary>A PostgreSQL server that runs as a process of this machine.</summary>
public sealed class LocalPostgresResource : ExecutableResource, IResourceWithConnectionString
{
    internal const string Endpoint = "tcp";

    private readonly ParameterResource _password;

    internal LocalPostgresResource(string name, ServerCommand command, ParameterResource password)
        : base(name, command.File, command.WorkingDirectory) => _password = password;

    /// <summary>As its superuser, without a database.</summary>
    public ReferenceExpression ConnectionStringExpression
    {
        get
        {
            var endpoint = new EndpointReference(this, Endpoint);
            return ReferenceExpression.Create(
                $"Host={endpoint.Property(EndpointProperty.Host)};Port={endpoint.Property(EndpointProperty.Port)};Username={DatabaseCluster.Superuser};Password={_password}");
        }
    }
}

/// <summary>One of its databases, made when the server is ready and there is none of that name.</summary>
public sealed class LocalPostgresDatabaseResource
    : Resource, IResourceWithParent<LocalPostgresResource>, IResourceWithConnectionString
{
    internal LocalPostgresDatabaseResource(string name, LocalPostgresResource server)
        : base(name) => Parent = server;

    /// <summary>The server that has it.</summary>
    public LocalPostgresResource Parent { get; }

    /// <summary>As the server's superuser.</summary>
    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{Parent};Database={Name}");
}
