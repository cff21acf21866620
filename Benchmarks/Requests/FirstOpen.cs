using System.Diagnostics;
using Npgsql;
using Tenancy;

namespace Benchmarks.Requests;

/// <summary>
/// How long a data source's first open takes, in milliseconds: the connection itself and the types that Npgsql loads. Every table adds two
/// rows to pg_type, and Npgsql's own settings read them all.
/// </summary>
internal sealed record FirstOpen(List<double> OursEmpty, List<double> OursMany, List<double> StockEmpty, List<double> StockMany)
{
    public static async Task<FirstOpen> MeasureAsync(string empty, string many, int opens, CancellationToken ct)
    {
        var result = new FirstOpen([], [], [], []);
        Func<Task>[] turns =
        [
            () => OpenAsync(Ours(empty), result.OursEmpty), () => OpenAsync(Ours(many), result.OursMany),
            () => OpenAsync(Stock(empty), result.StockEmpty), () => OpenAsync(Stock(many), result.StockMany),
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
                Array.ForEach([result.OursEmpty, result.OursMany, result.StockEmpty, result.StockMany], times => times.Clear());
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

    private static NpgsqlDataSource Stock(string database) => NpgsqlDataSource.Create(database);
}
