using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Api.Access;
using Api.Contract;
using Api.Customers;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Tenancy;
using Tenancy.AspNetCore;

namespace Api.Operations;

/// <summary>For operators: all customers' schemas, their versions, and the runs over them.</summary>
internal static class FleetEndpoints
{
    public static void MapFleet(this IEndpointRouteBuilder routes)
    {
        var fleet = routes.MapGroup("/fleet").WithTags("Fleet").RequireAuthorization(Caller.Operators).IgnoreTenant();
        fleet.MapGet("/", (FleetReader reader, CancellationToken ct,
                [FromQuery(Name = "failures"), Range(0, 1000)] int? failures = null) =>
                    reader.OverviewOfAllAsync(failures ?? int.MaxValue, ct))
            .WithName("FindFleet").WithSummary("How many schemas are at which version, which failed or are behind, and the last runs.");
        fleet.MapGet("/migrations", (FleetReader reader) => reader.Migrations()).WithName("ListMigrations")
            .WithSummary("The migrations that this build has, in order.");
        var changes = fleet.MapGroup("").AddEndpointFilter(CustomerLifecycle.RefuseWithoutOwnerAsync);
        foreach (var (kind, name, summary) in new[]
        {
            (OperationKinds.Migrate, "MigrateFleet", "Begins to migrate the customers that are behind."),
            (OperationKinds.Retry, "RetryFleet", "Begins to migrate the customers whose last migration failed."),
            (OperationKinds.Verify, "VerifyFleet", "Begins to compare the schemas with what the migrations make."),
        })
        {
            changes.MapPost($"/{kind}", (FleetRequest request, HttpContext http, TenantOperations operations,
                    TenancyOptions tenancy, CancellationToken ct) =>
                        BeginAsync(kind, request, http, operations, tenancy, ct))
                .WithName(name).WithSummary(summary);
        }

        changes.MapPost($"/{OperationKinds.Down}", TakeBack).WithName("TakeMigrationsBack").WithSummary(
            "Begins to take migrations back, the newest first. What they had added is lost.");
        changes.MapPost($"/{OperationKinds.Reconcile}",
                (HttpContext http, TenantOperations operations, CancellationToken ct) =>
                    AskAsync(http, operations, OperationKinds.Reconcile, [], ct))
            .WithName("ReconcileFleet").WithSummary("Begins to remove the deleted customers whose time is over.");
        fleet.MapTasks();
        changes.MapPost("/tasks/{task}", RunTask).WithName("RunTask")
            .WithSummary("Begins a task for the customers that haven't done it.").ProducesProblem(404);
        changes.MapPost("/halt", Halt).WithName("HaltFleet")
            .WithSummary("Asks the runs in progress, wherever they run, to end after what is in hand.");
    }

    private static async Task<Results<Accepted<OperationView>, ValidationProblem>> BeginAsync(
        string kind, FleetRequest request, HttpContext http, TenantOperations operations, TenancyOptions tenancy,
        CancellationToken ct) =>
            tenancy.RefuseUnknown(request.Database) is { } refused
                ? refused
                : await AskAsync(
                    http, operations, kind, request.Arguments(hasRing: kind != OperationKinds.Verify), ct);

    internal static async Task<Accepted<OperationView>> AskAsync(
        HttpContext http, TenantOperations operations, string kind, JsonObject arguments, CancellationToken ct)
    {
        var asked = await operations.AskAsync(
            kind, null, http.User.Identity?.Name ?? "an operator", arguments, ct: ct);
        return TypedResults.Accepted(OperationView.At(asked.Id), OperationView.Of(asked));
    }

    private static async Task<Results<Accepted<OperationView>, ValidationProblem, ProblemHttpResult>> TakeBack(
        MigrationsBack back, HttpContext http, CompiledMigrations build, TenantOperations operations,
        TenancyOptions tenancy, CancellationToken ct)
    {
        if (tenancy.RefuseUnknown(back.Database) is { } refused)
        {
            return refused;
        }

        if (!build.Ids.Contains(back.To))
        {
            return TypedResults.ValidationProblem(new Dictionary<string, string[]>
            {
                ["to"] = [$"This build has no such migration. It has {string.Join(", ", build.Ids)}."],
            });
        }

        var beyond = build.Ids.Where(id => string.CompareOrdinal(id, back.To) > 0).ToList();
        if (!beyond.ToHashSet(StringComparer.Ordinal).SetEquals(back.Migrations!))
        {
            return TypedResults.Problem(
                beyond.Count == 0
                    ? $"{back.To} is this build's last migration: there is nothing to take back."
                    : $"This build would take back {string.Join(", ", beyond)}. Look at the migrations again, then " +
                      "name all of them.",
                statusCode: 409, title: "Other migrations would be taken back.");
        }

        var arguments = new FleetRequest(back.Ring, back.Customers, back.Database).Arguments(hasRing: true);
        (arguments["to"], arguments["migrations"]) = (back.To, new JsonArray([.. beyond.Select(id => (JsonNode?)id)]));
        return await AskAsync(http, operations, OperationKinds.Down, arguments, ct);
    }

    private static async Task<Results<Accepted<OperationView>, ValidationProblem, ProblemHttpResult>> RunTask(
        string task, FleetRequest request, HttpContext http, TenantTasks tasks, TenantOperations operations,
        TenancyOptions tenancy, CancellationToken ct)
    {
        if (tenancy.RefuseUnknown(request.Database) is { } refused)
        {
            return refused;
        }

        if (!tasks.Names.Contains(task))
        {
            return FleetTasks.Unknown(tasks);
        }

        var arguments = request.Arguments(hasRing: true);
        arguments["task"] = task;
        return await AskAsync(http, operations, OperationKinds.Task, arguments, ct);
    }

    private static async Task<Results<Ok<HaltedRuns>, ValidationProblem>> Halt(
        Halting halting, HttpContext http, FleetMigrator fleet, TenancyOptions tenancy, CancellationToken ct)
    {
        if (tenancy.RefuseUnknown(halting.Database) is { } refused)
        {
            return refused;
        }

        var halted = await fleet.HaltAllAsync(
            $"{halting.Reason!.Trim()} ({http.User.Identity?.Name})", halting.Database, ct);
        return TypedResults.Ok(new HaltedRuns(halted.Runs, halted.Unreached));
    }
}

/// <summary>Whom a run concerns; all customers where nothing is given.</summary>
/// <param name="Ring">Only those of that ring; a comparison has none.</param>
/// <param name="Customers">Only those, by slug; 1 to 200. Left out for all: an empty list is refused.</param>
/// <param name="Database">Only those of that database; <c>first</c> is the first one. Left out for all.</param>
public sealed record FleetRequest(
    [property: Range(0, 1_000_000)] int? Ring = null,
    [property: Slugs] IReadOnlyList<string>? Customers = null,
    [property: RegularExpression(ChosenDatabase.Pattern, ErrorMessage = ChosenDatabase.Rule)] string? Database = null)
{
    internal JsonObject Arguments(bool hasRing)
    {
        var arguments = new JsonObject();
        if (hasRing && Ring is { } ring)
        {
            arguments["ring"] = ring;
        }

        if (Database is not null)
        {
            arguments["database"] = Database;
        }

        if (Customers is not null)
        {
            arguments["slugs"] = new JsonArray([.. Customers.Select(slug => (JsonNode?)slug)]);
        }

        return arguments;
    }
}

/// <summary>Which migrations are taken back, and from whom.</summary>
/// <param name="To">The id of the migration that stays applied; all later ones are taken back. So the first one always
/// stays: the job's command <c>down --to 0</c> takes that back, too.</param>
/// <param name="Migrations">The ids of all migrations that this takes back, as a confirmation: a build that would take
/// back others refuses it, also when it comes to the work later.</param>
/// <param name="Ring">Only from those of that ring.</param>
/// <param name="Customers">Only from those, by slug; 1 to 200. Left out for all: an empty list is refused.</param>
/// <param name="Database">Only from those of that database; <c>first</c> is the first one. Left out for all.</param>
public sealed record MigrationsBack(
    [property: Required(ErrorMessage = "Say which migration stays."), StringLength(150)] string? To,
    [property: Required(ErrorMessage = "Name the migrations that are taken back."), MaxLength(1000)]
    IReadOnlyList<string>? Migrations,
    [property: Range(0, 1_000_000)] int? Ring = null,
    [property: Slugs] IReadOnlyList<string>? Customers = null,
    [property: RegularExpression(ChosenDatabase.Pattern, ErrorMessage = ChosenDatabase.Rule)] string? Database = null);

/// <summary>Why runs shall end.</summary>
/// <param name="Reason">The run's report repeats it.</param>
/// <param name="Database">Only the runs of that database; <c>first</c> is the first one. Left out for all.</param>
public sealed record Halting(
    [property: Required(ErrorMessage = "Say why."), StringLength(500, MinimumLength = 3), PlainText(AllowBlank = false)]
    string? Reason,
    [property: RegularExpression(ChosenDatabase.Pattern, ErrorMessage = ChosenDatabase.Rule)] string? Database = null);

/// <summary>What was asked to end.</summary>
/// <param name="Runs">How many runs there were.</param>
/// <param name="Unreached">The databases that didn't answer: their runs go on.</param>
public sealed record HaltedRuns(int Runs, IReadOnlyList<string> Unreached);
