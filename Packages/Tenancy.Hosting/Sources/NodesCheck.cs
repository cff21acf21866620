using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Tenancy.Hosting.Sources;

/// <summary>
/// Tells the coordinator of a Citus cluster which nodes it has, where it doesn't know, and is healthy once it knows
/// all. A node that doesn't answer yet is tried again with the next check.
/// </summary>
/// <param name="connectionString">The database on the coordinator.</param>
/// <param name="coordinator">As the workers reach it.</param>
/// <param name="workers">As the coordinator reaches them.</param>
internal sealed class NodesCheck(
    Func<CancellationToken, ValueTask<string?>> connectionString, (string Host, int Port) coordinator,
    IReadOnlyList<(string Host, int Port)> workers) : IHealthCheck
{
    private const int PatienceInSeconds = 5;

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var settings = new NpgsqlConnectionStringBuilder(await connectionString(cancellationToken))
            {
                // A pool would outlive the server, and offer its dead connections to the next one.
                Timeout = PatienceInSeconds, Pooling = false,
            };
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            await using var extension = new NpgsqlCommand("CREATE EXTENSION IF NOT EXISTS citus", connection);
            await extension.ExecuteNonQueryAsync(cancellationToken);
            await AddAsync(connection,
                "SELECT citus_set_coordinator_host($1, $2) WHERE NOT EXISTS (" +
                "SELECT FROM pg_dist_node WHERE groupid = 0)",
                coordinator, cancellationToken);
            foreach (var worker in workers)
            {
                await AddAsync(connection,
                    "SELECT citus_add_node($1, $2) WHERE NOT EXISTS (" +
                    "SELECT FROM pg_dist_node WHERE nodename = $1 AND nodeport = $2 AND isactive)",
                    worker, cancellationToken);
            }

            return HealthCheckResult.Healthy();
        }
        catch (NpgsqlException problem)
        {
            return HealthCheckResult.Unhealthy($"The cluster isn't complete yet: {problem.Message}");
        }
    }

    private static async Task AddAsync(
        NpgsqlConnection connection, string sql, (string Host, int Port) node, CancellationToken ct)
    {
        await using var add = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = node.Host },
                new NpgsqlParameter<int> { TypedValue = node.Port } },
        };
        await add.ExecuteNonQueryAsync(ct);
    }
}
