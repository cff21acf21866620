using System.Diagnostics;
using Npgsql;
using Tenancy;

namespace Benchmarks.Requests;

/// <summary>
/// How long a data source's first open takes, in milliseconds: the connection itself and the types that Npgsql loads. Every table adds two
/// rows to pg_type, and Npgsql's own settings read them all.
/// </summary>
internal sealed record FirstOpen(List<double> OursEmpty, List<double> OursMany, List<double> StockEmpty, List<double> StockMany, List<double> BareEmpty, List<double> BareMany)
{
    public static async Task<FirstOpen> MeasureAsync(string empty, string many, int opens, CancellationToken ct)
    {
        var result = new FirstOpen([], [], [], [], [], []);
        Func<Task>[] turns =
        [
            () => OpenAsync(Ours(empty), result.OursEmpty), () => OpenAsync(Ours(many), result.OursMany),
            () => OpenAsync(Stock(empty), result.StockEmpty), () => OpenAsync(Stock(many), result.StockMany),
            () => OpenAsync(Bare(empty), result.BareEmpty), () => OpenAsync(Bare(many), result.BareMany),
        ];
        for (var round = -1; round < opens; round++)
        {
            foreach (var turn in round % 2 == 0 ? turns : turns.Reverse())
            {
                ct.ThrowIfCancellationRequested();
                await turn();
            }

            if (round < 0)
            {
                // The first one compiled the code and filled the server's buffers.
                Array.ForEach([result.OursEmpty, result.OursMany, result.StockEmpty, result.StockMany, result.BareEmpty, result.BareMany], times => times.Clear());
            }
        }

        return result;

        async Task OpenAsync(NpgsqlDataSource source, List<double> times)
        {
            await using (source)
            {
                var start = Stopwatch.GetTimestamp();
                await using var connection = await source.OpenConnectionAsync(ct);
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }
    }

    private static NpgsqlDataSource Ours(string database) => TenantDataSource.Create(new() { ConnectionString = database });

    /// <summary>For an application whose shared schemas have no types of their own: enums, composites, an extension's.</summary>
    private static NpgsqlDataSource Bare(string database) => TenantDataSource.Create(new()
    {
        ConnectionString = database,
        ConfigureDataSource = builder => builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false)),
    });

    private static NpgsqlDataSource Stock(string database) => NpgsqlDataSource.Create(database);
}
