using System.Diagnostics;
using Npgsql;
using Tenancy;

namespace Benchmarks.Requests;

/// <summary>
/// How long a data source's first open takes, in milliseconds: the connection itself and, unless the library's default
/// is in force, the types that Npgsql loads. Every table adds two rows to pg_type, and Npgsql's queries read them all,
/// whatever schemas they ask for.
/// </summary>
internal sealed record FirstOpen(List<double> OursEmpty, List<double> OursMany, List<double> StockEmpty,
    List<double> StockMany, List<double> LoadingEmpty, List<double> LoadingMany)
{
    public static async Task<FirstOpen> MeasureAsync(string empty, string many, int opens, CancellationToken ct)
    {
        var result = new FirstOpen([], [], [], [], [], []);
        Func<Task>[] turns =
        [
            () => OpenAsync(Ours(empty), result.OursEmpty), () => OpenAsync(Ours(many), result.OursMany),
            () => OpenAsync(Stock(empty), result.StockEmpty), () => OpenAsync(Stock(many), result.StockMany),
            () => OpenAsync(Loading(empty), result.LoadingEmpty), () => OpenAsync(Loading(many), result.LoadingMany),
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
                Array.ForEach(
                    [result.OursEmpty, result.OursMany, result.StockEmpty, result.StockMany, result.LoadingEmpty,
                        result.LoadingMany], times => times.Clear());
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

    private static NpgsqlDataSource Ours(string database) =>
        TenantDataSource.Create(new() { ConnectionString = database });

    /// <summary>
    /// For an application whose shared schemas have types of their own: enums, composites, an extension's.
    /// </summary>
    private static NpgsqlDataSource Loading(string database) =>
        TenantDataSource.Create(new() { ConnectionString = database, LoadTypes = true });

    private static NpgsqlDataSource Stock(string database) => NpgsqlDataSource.Create(database);
}
