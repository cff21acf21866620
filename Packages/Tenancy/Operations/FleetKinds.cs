using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Databases;
using Tenancy.Fleet;
using Tenancy.Ledgers;
using Tenancy.Registries;

namespace Tenancy.Operations;

/// <summary>Migrates tenants, all or those that failed, or takes their migrations back.</summary>
internal sealed class MigrateKind(
    string name, FleetMigrator fleet, TenantDatabases databases, CompiledMigrations build,
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database) : OperationKind(name)
{
    public override async Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct)
    {
        if (Name == OperationKinds.Down)
        {
            await RefuseOthersAsync(context, ct);
        }

        var plan = await FleetKinds.PlanAsync(context, Name == OperationKinds.Retry, ct) with
        {
            Down = Name == OperationKinds.Down,
            To = Name == OperationKinds.Down ? (string?)context.Arguments["to"] : null,
        };
        // What is in hand is finished: the run's own row says then how it ended.
        var report = await FleetKinds.OverAllAsync(context, databases, fleet, one => one.RunAsync(
            plan, new FleetKinds.Progress(context), stop: ct, CancellationToken.None), ct);
        return await FleetKinds.DescribeAsync(context, report);
    }

    /// <summary>
    /// Taking back destroys rows, and an operation may begin later, or again, in a process of another build: it does
    /// what was confirmed, or nothing.
    /// </summary>
    /// <exception cref="ArgumentException">It would take back something else.</exception>
    private async Task RefuseOthersAsync(OperationContext context, CancellationToken ct)
    {
        if ((string?)context.Arguments["to"] is not { } to || context.Arguments["migrations"] is not JsonArray named)
        {
            throw new ArgumentException(
                "Say down to which migration (to), and name all that are taken back (migrations).", nameof(context));
        }

        var beyond = FleetWork.Of(new() { Down = true, To = to }, build).Beyond.ToHashSet(StringComparer.Ordinal);
        if (!beyond.SetEquals(named.Select(node => (string?)node ?? "")))
        {
            throw new ArgumentException(
                $"This build would take back {string.Join(", ", beyond)}, and others were named. Ask again.",
                nameof(context));
        }

        var (isFirst, others) = databases.Chosen(FleetKinds.Database(context));
        foreach (var one in others.Select(other => other.Owner).Concat(isFirst ? [database] : []))
        {
            if (await RunsTable.HasMigratedSinceAsync(one, context.Operation.CreatedAt, ct))
            {
                throw new ArgumentException(
                    "Customers were migrated after this was asked for. Ask again if it is still wanted.",
                    nameof(context));
            }
        }
    }
}

/// <summary>Does a registered task for the tenants that haven't done it.</summary>
internal sealed class TaskKind(TenantTasks tasks, TenantDatabases databases) : OperationKind(OperationKinds.Task)
{
    public override async Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct)
    {
        var task = tasks.Find((string?)context.Arguments["task"] ?? "");
        var plan = await FleetKinds.PlanAsync(context, (bool?)context.Arguments["onlyFailed"] is true, ct);
        var report = await FleetKinds.OverAllAsync(context, databases, tasks, one => one.RunAsync(
            task, plan, new FleetKinds.Progress(context), stop: ct, CancellationToken.None), ct);
        return await FleetKinds.DescribeAsync(context, report);
    }
}

/// <summary>Compares the schemas with the migrations, and the registry with the ledger.</summary>
internal sealed class VerifyKind(
    FleetVerifier verifier, TenantDatabases databases, TenancyOptions options,
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database)
    : OperationKind(OperationKinds.Verify)
{
    public override async Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct)
    {
        var only = await FleetKinds.NamedTenantsAsync(context, ct);
        var registry = context.Services.Registry();
        var reports = await databases.EachAsync(
            () => VerifyAsync(verifier, Here(null), token => registry.SchemasAsync(database, options, token), ct),
            async other =>
            {
                await using var scope = other.NewScope();
                var placed = scope.ServiceProvider.Registry();
                return await VerifyAsync(other.GetRequiredService<FleetVerifier>(), Here(other.Name),
                    token => placed.SchemasAsync(other.Owner, other.Options, token), ct);
            }, FleetKinds.Database(context));
        var report = reports.Aggregate((all, one) => all.With(one));
        var slugs = await FleetKinds.SlugsAsync(context, [.. report.Drifted.Take(FleetKinds.Most)
            .Select(drift => drift.Schema), .. report.Incomparable.Take(FleetKinds.Most)
            .Select(schema => schema.Schema)]);
        return new()
        {
            ["isClean"] = report.IsClean,
            ["checked"] = report.Checked,
            ["drifted"] = FleetKinds.List(report.Drifted.Select(drift => new JsonObject
            {
                ["schema"] = drift.Schema.Value,
                ["slug"] = slugs.GetValueOrDefault(drift.Schema),
                ["differences"] = FleetKinds.List(drift.Differences.Select(words => (JsonNode)words)),
            })),
            ["incomparable"] = FleetKinds.List(report.Incomparable.Select(schema => new JsonObject
            {
                ["schema"] = schema.Schema.Value,
                ["slug"] = slugs.GetValueOrDefault(schema.Schema),
                ["reason"] = schema.Reason,
            })),
            ["strays"] = FleetKinds.List(report.Strays.Select(schema => (JsonNode)schema)),
            ["missing"] = FleetKinds.List(report.Missing.Select(schema => (JsonNode)schema)),
            ["unregistered"] = FleetKinds.List(report.Unregistered.Select(schema => (JsonNode)schema.Value)),
        };

        SchemaName[]? Here(string? name) =>
            only is null ? null : [.. only.Where(tenant => tenant.Database == name).Select(tenant => tenant.Schema)];
    }

    private static Task<DriftReport> VerifyAsync(FleetVerifier verifier, SchemaName[]? only,
        Func<CancellationToken, Task<IReadOnlyCollection<string>>> registered, CancellationToken ct) =>
            verifier.VerifyAsync(new() { Only = only, Registered = only is null ? registered : null }, ct);
}

/// <summary>Removes the tenants whose time is over.</summary>
internal sealed class ReconcileKind(TenantRemoval removal) : OperationKind(OperationKinds.Reconcile)
{
    public override async Task<JsonObject?> RunAsync(OperationContext context, CancellationToken ct)
    {
        var report = await removal.ReconcileAsync(ct);
        return new()
        {
            ["removed"] = FleetKinds.List(report.Removed.Select(schema => (JsonNode)schema.Value)),
            ["failed"] = FleetKinds.List(report.Failed.Select(failed =>
                new JsonObject { ["schema"] = failed.Schema.Value, ["error"] = failed.Error })),
        };
    }
}

/// <summary>What the kinds that concern many tenants share.</summary>
internal static class FleetKinds
{
    /// <summary>A result names at most so many of each kind: the ledger has them all.</summary>
    public const int Most = 200;

    public static async Task<FleetPlan> PlanAsync(OperationContext context, bool onlyFailed, CancellationToken ct) =>
        new()
        {
            OnlyFailed = onlyFailed,
            AskedBy = context.Operation.AskedBy,
            Ring = (int?)context.Arguments["ring"],
            Only = await NamedAsync(context, ct),
        };

    /// <summary>
    /// A run in each database, one after the other, and one report. A database that fails, but the first, halts the
    /// whole: what is done stays.
    /// </summary>
    /// <param name="context">May name one database.</param>
    /// <param name="databases">Those besides the first.</param>
    /// <param name="first">What runs in the first one.</param>
    /// <param name="run">The run.</param>
    /// <param name="ct">No further database is begun then.</param>
    public static async Task<FleetReport> OverAllAsync<T>(OperationContext context, TenantDatabases databases, T first,
        Func<T, Task<FleetReport>> run, CancellationToken ct) where T : class
    {
        var (isFirst, others) = databases.Chosen(Database(context));
        if (!isFirst)
        {
            return await run(others[0].GetRequiredService<T>());
        }

        var report = await run(first);
        foreach (var database in others)
        {
            if (report.Outcome != FleetOutcome.Done || ct.IsCancellationRequested)
            {
                break;
            }

            try
            {
                report = report.With(await run(database.GetRequiredService<T>()));
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                report = report with
                {
                    Outcome = FleetOutcome.Halted, Reason = $"the database '{database.Name}' failed: {e.Message}",
                };
            }
        }

        return report;
    }

    /// <summary>The one database that the operation is for; null for all.</summary>
    public static string? Database(OperationContext context) => (string?)context.Arguments["database"];

    /// <summary>The result of a run; says how the operation ended.</summary>
    public static async Task<JsonObject?> DescribeAsync(OperationContext context, FleetReport report)
    {
        if (report.Outcome == FleetOutcome.Cancelled)
        {
            context.Cut();
        }
        else if (report.Outcome == FleetOutcome.Halted)
        {
            context.Fail($"The run was halted: {report.Reason}");
        }
        else if (report.Failed is [var first, ..])
        {
            context.Fail(string.Create(CultureInfo.InvariantCulture,
                $"{report.Failed.Count} failed. {first.Schema}: {first.Error}"));
        }

        var slugs = await SlugsAsync(context, [.. report.Failed.Take(Most).Select(failed => failed.Schema)]);
        return new()
        {
            ["run"] = report.Run?.ToString(),
            ["outcome"] = report.Outcome.ToString().ToLowerInvariant(),
            ["reason"] = report.Reason,
            ["migrated"] = report.Migrated,
            ["failed"] = List(report.Failed.Select(failed => new JsonObject
            {
                ["schema"] = failed.Schema.Value,
                ["slug"] = slugs.GetValueOrDefault(failed.Schema),
                ["error"] = failed.Error,
            })),
        };
    }

    /// <summary>
    /// The slugs of schemas, for people who read the result. The work is done: a cancellation doesn't end this.
    /// </summary>
    public static async Task<IReadOnlyDictionary<SchemaName, string>> SlugsAsync(
        OperationContext context, IReadOnlyCollection<SchemaName> schemas)
    {
        var none = new Dictionary<SchemaName, string>();
        try
        {
            return schemas.Count == 0
                ? none
                : await context.Services.GetRequiredService<TenantSlugs>().OfAsync(schemas, CancellationToken.None);
        }
        catch (Exception)
        {
            // Names are a courtesy. Whatever a registry throws, the work is done, and its result is kept.
            return none;
        }
    }

    /// <summary>The schemas of the tenants that the argument <c>slugs</c> names; null without it, for all.</summary>
    /// <exception cref="ArgumentException">It names nobody: that isn't everybody.</exception>
    public static async Task<IReadOnlyList<SchemaName>?> NamedAsync(OperationContext context, CancellationToken ct) =>
        (await NamedTenantsAsync(context, ct))?.Select(tenant => tenant.Schema).ToList();

    /// <inheritdoc cref="NamedAsync"/>
    public static async Task<IReadOnlyList<Tenant>?> NamedTenantsAsync(OperationContext context, CancellationToken ct)
    {
        if (context.Arguments["slugs"] is not JsonArray slugs)
        {
            return null;
        }

        if (slugs.Count == 0)
        {
            throw new ArgumentException("slugs names no tenant. Leave it out for all tenants.", nameof(context));
        }

        var registry = context.Services.Registry();
        var named = new List<Tenant>();
        foreach (var slug in slugs.Select(node => (string)node!))
        {
            named.Add((await registry.FindAsync(slug, ct))?.Tenant
                ?? throw new TenantUnavailableException(slug, null));
        }

        return named;
    }

    public static JsonArray List(IEnumerable<JsonNode> items) => [.. items.Take(Most)];

    /// <summary>Told at once: <see cref="Progress{T}"/> tells later, on another thread.</summary>
    public sealed class Progress(OperationContext context) : IProgress<FleetProgress>
    {
        public void Report(FleetProgress value) => context.Report(value.Migrated + value.Failed, value.Total);
    }
}
