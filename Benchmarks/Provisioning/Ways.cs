using System.Diagnostics;
using System.Globalization;
using Tenancy.Postgres.Cluster;
using Benchmarks.Measuring;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Tenancy;

namespace Benchmarks.Provisioning;

/// <summary>The ways to a new customer's schema; each makes one and says how long it took, in milliseconds.</summary>
internal sealed class Ways(
    NpgsqlDataSource database, CompiledMigrations migrations, SchemaVersions versions) : IAsyncDisposable
{
    /// <summary>More than a round takes: a claim that finds none would make one.</summary>
    public const int Spares = 40;

    private readonly SchemaProvisioner _provisioner = new(migrations, versions, new());
    private readonly SchemaProvisioner _withSpares = new(migrations, versions, new() { WarmPool = Spares });
    private int _made;

    /// <summary>The library: name, schema, history, migrations, ledger, COMMIT.</summary>
    public Task<double> OursAsync(CancellationToken ct) =>
        TimeAsync(async name => await ProvisionAsync(_provisioner, name, ct));

    /// <summary>A schema to be kept; not measured.</summary>
    public Task<SchemaName> MakeAsync(CancellationToken ct) => ProvisionAsync(_provisioner, NewName(), ct);

    /// <summary>The same by several at once: the time of all, divided by their number.</summary>
    public async Task<double> OursAtOnceAsync(int customers, int workers, CancellationToken ct)
    {
        var start = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, customers),
            new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = ct },
            async (_, ct) => await ProvisionAsync(_provisioner, NewName(), ct));
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds / customers;
    }

    /// <summary>The floor: the same DDL and nothing else, one text with BEGIN and COMMIT.</summary>
    public Task<double> TextAsync(CancellationToken ct) => TimeAsync(async name =>
    {
        await using var command = database.CreateCommand(Text(name));
        await command.ExecuteNonQueryAsync(ct);
    });

    /// <summary>
    /// The floor by psql, as its <c>\timing</c> has it: the median of some; the first is left out, it meets a new
    /// server process.
    /// </summary>
    public async Task<double> PsqlAsync(int customers, CancellationToken ct)
    {
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var start = new ProcessStartInfo(Psql ?? throw new InvalidOperationException("There is no psql."))
        {
            RedirectStandardOutput = true,
            Environment =
            {
                ["PGHOST"] = settings.Host, ["PGPORT"] = settings.Port.ToString(CultureInfo.InvariantCulture),
                ["PGUSER"] = settings.Username,
                // The data source tells its password to nobody.
                ["PGPASSWORD"] = Password, ["PGDATABASE"] = settings.Database,
            },
        };
        foreach (var argument in Enumerable.Range(0, customers + 1).SelectMany(_ => new[] { "-c", Text(NewName()) })
            .Prepend(@"\timing on").Prepend("-c").Prepend("-Xq"))
        {
            start.ArgumentList.Add(argument);
        }

        using var psql = Process.Start(start)!;
        var said = await psql.StandardOutput.ReadToEndAsync(ct);
        await psql.WaitForExitAsync(ct);
        double[] times = [.. said.Split('\n').Where(line => line.StartsWith("Time: ", StringComparison.Ordinal))
            .Select(line => double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture))];
        return psql.ExitCode == 0 && times.Length == customers + 1
            ? Statistics.Median(times[1..])
            : throw new InvalidOperationException($"psql ended with exit code {psql.ExitCode}.");
    }

    /// <summary>EF's own.</summary>
    public Task<double> EfAsync(CancellationToken ct) => TimeAsync(async name =>
    {
        var options = new DbContextOptionsBuilder<InvoicingContext>();
        options.UseNpgsql(database).UseTenancy();
        await using var context = new InvoicingContext(options.Options).For(new(Guid.Empty, name.Value, name));
        await context.Database.MigrateAsync(ct);
    });

    /// <summary>A spare becomes a customer's: name, schema, ledger, COMMIT.</summary>
    public Task<double> SpareAsync(CancellationToken ct) =>
        TimeAsync(async name => await ProvisionAsync(_withSpares, name, ct));

    /// <summary>The least that a new customer could cost: its row in the registry, and COMMIT.</summary>
    public Task<double> RowAsync(CancellationToken ct) => TimeAsync(async name =>
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var insert = new NpgsqlCommand(
            "INSERT INTO public.customers (id, slug, name, schema, status, ring, created_at) VALUES ($1, $2, $2, $2, " +
            "'active', 1, now())", connection, transaction)
        {
            Parameters = { new NpgsqlParameter<Guid> { TypedValue = Guid.CreateVersion7() },
                new NpgsqlParameter<string> { TypedValue = name.Value } },
        };
        await insert.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
    });

    /// <summary>Not measured.</summary>
    public async Task MakeSparesAsync(int count, CancellationToken ct)
    {
        for (var i = 0; i < count; i++)
        {
            await using var connection = await database.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await _withSpares.CreateSpareAsync(transaction, ct);
            await transaction.CommitAsync(ct);
        }
    }

    /// <summary>The server's.</summary>
    public required string Password { get; init; }

    /// <summary>Null where there is none beside the server.</summary>
    public static string? Psql { get; } = PostgresBinaries.Installed().OrderByDescending(one => one.Major)
        .Select(one => Path.Combine(one.Folder, OperatingSystem.IsWindows() ? "psql.exe" : "psql"))
        .FirstOrDefault(File.Exists);

    public ValueTask DisposeAsync() => database.DisposeAsync();

    private string Text(SchemaName name) => $"BEGIN;\n{migrations.CreateScript(name)}COMMIT;";

    private SchemaName NewName() =>
        SchemaName.Parse(
            string.Create(CultureInfo.InvariantCulture, $"customer_{Interlocked.Increment(ref _made):000000}"));

    private async Task<SchemaName> ProvisionAsync(
        SchemaProvisioner provisioner, SchemaName name, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var schema = await provisioner.ProvisionAsync(transaction, name.Value, ct: ct);
        await transaction.CommitAsync(ct);
        return schema;
    }

    private async Task<double> TimeAsync(Func<SchemaName, Task> make)
    {
        var name = NewName();
        var start = Stopwatch.GetTimestamp();
        await make(name);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
