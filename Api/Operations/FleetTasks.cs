using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Data.Customers;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Tenancy;

namespace Api.Operations;

/// <summary>How far the tasks are: who has done one, on whom it failed, and who is left.</summary>
internal static class FleetTasks
{
    /// <summary>A task visits those; see docs/tasks.md.</summary>
    private static readonly SchemaState[] Visited = [SchemaState.Ready, SchemaState.Failed, SchemaState.Suspended];

    public static void MapTasks(this IEndpointRouteBuilder fleet)
    {
        fleet.MapGet("/tasks", ListTasks).WithName("ListTasks")
            .WithSummary("The tasks that are done once for each customer, and how far they are.");
        fleet.MapGet("/tasks/{task}/customers", ListCustomers).WithName("ListTaskCustomers")
            .WithSummary("The customers that have done a task, on whom it failed, or who are left. By slug.");
    }

    private static async Task<Results<Ok<IReadOnlyList<TenantTaskStatus>>, ValidationProblem>> ListTasks(
        TenantTasks tasks, TenancyOptions tenancy, CancellationToken ct,
        [RegularExpression(ChosenDatabase.Pattern, ErrorMessage = ChosenDatabase.Rule)] string? database = null) =>
            tenancy.RefuseUnknown(database) is { } refused
                ? refused
                : TypedResults.Ok(await tasks.StatusOfAllAsync(database, ct));

    private static async Task<Results<Ok<Page<TaskCustomer>>, ValidationProblem, ProblemHttpResult>> ListCustomers(
        string task, [AsParameters] Paging paging, CustomersContext db, TenantTasks tasks, TenancyOptions tenancy,
        CancellationToken ct,
        [FromQuery(Name = "state"), RegularExpression(
            "^(done|failed|left)$", ErrorMessage = "Use done, failed or left.")] string? state = null,
        [RegularExpression(ChosenDatabase.Pattern, ErrorMessage = ChosenDatabase.Rule)] string? database = null)
    {
        if (tenancy.RefuseUnknown(database) is { } refused)
        {
            return refused;
        }

        var elsewhere = await tasks.AttemptsInOthersAsync(task, database, ct);
        if (!tasks.Names.Contains(task) && !elsewhere.Any(one => (one.DoneAt ?? one.FailedAt) is not null)
            && !await db.Set<TaskRow>().AnyAsync(row => row.Task == task, ct))
        {
            return Unknown(tasks);
        }

        var attempts = database is null or TenancyOptions.FirstDatabase ? InFirst(db, task) : null;
        if (elsewhere.Count > 0 || attempts is null)
        {
            var others = InOthers(db, elsewhere);
            attempts = attempts?.Concat(others) ?? others;
        }

        var all = from customer in db.Customers.AsNoTracking()
                  join attempt in attempts on customer.Schema equals attempt.Schema
                  where attempt.Database == customer.Database
                  select new { customer, attempt };
        all = state switch
        {
            "done" => all.Where(one => one.attempt.DoneAt != null),
            "failed" => all.Where(one => one.attempt.DoneAt == null && one.attempt.LastError != null),
            "left" => all.Where(one => one.attempt.DoneAt == null && one.attempt.LastError == null),
            _ => all,
        };
        return TypedResults.Ok(await paging.OfAsync(
            all.OrderBy(one => one.customer.Slug).Select(one => new TaskCustomer(
                one.customer.Slug, one.customer.Name, one.customer.Schema,
                one.attempt.DoneAt != null ? TaskState.Done
                    : one.attempt.LastError != null ? TaskState.Failed
                    : TaskState.Left,
                one.attempt.DoneAt, one.attempt.Attempts, one.attempt.LastError, one.attempt.FailedAt,
                one.customer.Database)),
            ct));
    }

    private static IQueryable<Attempt> InFirst(CustomersContext db, string task) =>
        from schema in db.Ledger
        where Visited.Contains(schema.State)
        join row in db.Set<TaskRow>().Where(row => row.Task == task) on schema.Schema equals row.Schema into rows
        from row in rows.DefaultIfEmpty()
        select new Attempt
        {
            Database = null, Schema = schema.Schema, DoneAt = row!.DoneAt, Attempts = (int?)row.Attempts ?? 0,
            LastError = row.LastError, FailedAt = row.FailedAt,
        };

    /// <summary>The other databases' rows are sent to the first one, which has the customers' names.</summary>
    private static IQueryable<Attempt> InOthers(CustomersContext db, IReadOnlyList<TenantTaskAttempt> attempts) =>
        db.Database.SqlQuery<Attempt>(
            $"""
            SELECT * FROM jsonb_to_recordset({JsonSerializer.Serialize(attempts)}::jsonb) AS other ("Database" text,
                "Schema" text, "DoneAt" timestamptz, "Attempts" int, "LastError" text, "FailedAt" timestamptz)
            """).Select(one => new Attempt
        {
            Database = one.Database, Schema = one.Schema, DoneAt = one.DoneAt, Attempts = one.Attempts,
            LastError = one.LastError, FailedAt = one.FailedAt,
        });

    /// <summary>This build has no such task, and no customer has tried one of that name.</summary>
    public static ProblemHttpResult Unknown(TenantTasks tasks) => TypedResults.Problem(
        $"This build has {(tasks.Names.Count == 0 ? "no tasks" : string.Join(", ", tasks.Names))}.",
        statusCode: 404, title: "Unknown task.");

    /// <summary>A customer's schema that a task visits; see <see cref="TenantTaskAttempt"/>.</summary>
    private sealed class Attempt
    {
        public string? Database { get; init; }

        public required string Schema { get; init; }

        public DateTimeOffset? DoneAt { get; init; }

        public int Attempts { get; init; }

        public string? LastError { get; init; }

        public DateTimeOffset? FailedAt { get; init; }
    }
}

/// <summary>How far a customer is with a task.</summary>
public enum TaskState
{
    Done,
    Failed,
    Left,
}

/// <summary>One customer and one task.</summary>
/// <param name="Slug">The customer's name in addresses.</param>
/// <param name="Name">The customer's name in words.</param>
/// <param name="Schema">The customer's schema.</param>
/// <param name="State">Whether it is done, failed at the last attempt, or is left.</param>
/// <param name="DoneAt">When it was done; null until then.</param>
/// <param name="Attempts">How many attempts have failed since the last one that succeeded.</param>
/// <param name="LastError">What the last attempt said when it failed; null otherwise.</param>
/// <param name="FailedAt">When an attempt failed last; null for never.</param>
/// <param name="Database">The database that has the customer's schema; null for the first one.</param>
public sealed record TaskCustomer(
    string Slug, string Name, string Schema, TaskState State, DateTimeOffset? DoneAt, int Attempts, string? LastError,
    DateTimeOffset? FailedAt, string? Database);
