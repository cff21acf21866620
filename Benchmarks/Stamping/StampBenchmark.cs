using System.Diagnostics;
using System.Globalization;
using Benchmarks.Measuring;
using Tenancy;
using Tenancy.Sql;

namespace Benchmarks.Stamping;

/// <summary>
/// What does it cost to write a tenant's schema into a command, and what would the two simpler ways cost?
/// </summary>
internal static class StampBenchmark
{
    private const int Tenants = 1000;
    private const int StampsPerSlice = 200_000;

    private static readonly (string Name, string Text)[] Texts =
    [
        ("short", """
            SELECT c.id, c.created_at, c.email, c.name
            FROM "__Tenant__".contacts AS c
            WHERE c.id = @id
            LIMIT 1
            """),
        ("joins", """
            SELECT i0.id, i0.due_on, i0.number, c.id, c.name, l.id, l.description, l.position, l.quantity, l.total, l.unit_price
            FROM (
                SELECT i.id, i.contact_id, i.due_on, i.number
                FROM "__Tenant__".invoices AS i
                WHERE i.paid_on IS NULL AND i.currency_code = 'EUR'
                ORDER BY i.due_on, i.id
                LIMIT @p OFFSET @p0
            ) AS i0
            INNER JOIN "__Tenant__".contacts AS c ON i0.contact_id = c.id
            LEFT JOIN "__Tenant__".invoice_lines AS l ON i0.id = l.invoice_id
            ORDER BY i0.due_on, i0.id, c.id
            """),
    ];

    private static SqlTemplate Guarded(string text)
    {
        var template = SqlTemplate.Of(text);
        template.Guard(AllowList.Nothing);
        return template;
    }

    public static void Run(int rounds, TextWriter output, CancellationToken ct)
    {
        SchemaName[] schemas = [.. Enumerable.Range(0, Tenants)
            .Select(number => SchemaName.Parse($"customer_{number:00000}"))];
        foreach (var (name, text) in Texts)
        {
            var template = SqlTemplate.Of(text);
            var finished = schemas.ToDictionary(schema => schema, template.Rewrite);
            (string Name, Func<SchemaName, string> Stamp)[] ways =
            [
                ("cut once, joined per command (ours)", template.Rewrite),
                ("string.Replace (also changes literals)",
                    schema => text.Replace("\"__Tenant__\"", schema.Quoted, StringComparison.Ordinal)),
                ("finished strings, found by the schema", schema => finished[schema]),
                ("cut anew for each command", schema => SqlTemplate.Of(text).Rewrite(schema)),
                ("cut and guarded anew", schema => Guarded(text).Rewrite(schema)),
            ];
            if (ways.Select(way => way.Stamp(schemas[7])).Distinct().Count() != 1)
            {
                throw new InvalidOperationException("The ways to write it don't agree about the text.");
            }

            output.WriteLine($"{name}, {text.Length} characters");
            var slices = ways.Select(_ => new List<(double Nanoseconds, double Bytes)>()).ToArray();
            for (var round = -1; round < rounds; round++)
            {
                for (var place = 0; place < ways.Length; place++)
                {
                    ct.ThrowIfCancellationRequested();
                    var way = (place + round + 1) % ways.Length;
                    var slice = Slice(ways[way].Stamp, schemas);
                    if (round >= 0)
                    {
                        slices[way].Add(slice);
                    }
                }
            }

            for (var way = 0; way < ways.Length; way++)
            {
                output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  {ways[way].Name,-40} {Statistics.Median(slices[way].Select(slice => slice.Nanoseconds)),7:0} " +
                    $"ns  {Statistics.Median(slices[way].Select(slice => slice.Bytes)),6:0} bytes allocated"));
            }

            var kept = finished.Values.Sum(value => 2.0 * value.Length + 22);
            output.WriteLine(
                string.Create(CultureInfo.InvariantCulture,
                    $"  Finished strings for {Tenants} tenants: {kept / 1024 / 1024:0.0} MB for this one statement."));
        }
    }

    private static (double Nanoseconds, double Bytes) Slice(Func<SchemaName, string> stamp, SchemaName[] schemas)
    {
        GC.Collect();
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        var start = Stopwatch.GetTimestamp();
        var characters = 0L;
        var walk = new Walk(schemas.Length, start: 0);
        for (var i = 0; i < StampsPerSlice; i++)
        {
            characters += stamp(schemas[walk.Next()]).Length;
        }

        var nanoseconds = Stopwatch.GetElapsedTime(start).TotalNanoseconds / StampsPerSlice;
        GC.KeepAlive(characters);
        return (nanoseconds, (GC.GetAllocatedBytesForCurrentThread() - bytes) / (double)StampsPerSlice);
    }
}
