using System.ComponentModel.DataAnnotations;
using Data.Customers;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Tenancy;

namespace Api.Operations;

/// <summary>Who has done a task, on whom it failed, and who is left.</summary>
internal static class TaskCustomers
{
    /// <summary>A task visits those; see docs/tasks.md.</summary>
    private static readonly SchemaState[] Visited = [SchemaState.Ready, SchemaState.Failed, SchemaState.Suspended];

    public static void MapTaskCustomers(this IEndpointRouteBuilder fleet) =>
        fleet.MapGet("/tasks/{task}/customers", List).WithName("ListTaskCustomers")
            .WithSummary("The customers that have done a task, on whom it failed, or who are left. By slug.");

    private static async Task<Results<Ok<Page<TaskCustomer>>, ProblemHttpResult>> List(
        string task, [AsParameters] Paging paging, CustomersContext db, TenantTasks tasks, CancellationToken ct,
        [FromQuery(Name = "state"), RegularExpression(
            "^(done|failed|left)$", ErrorMessage = "Use done, failed or left.")] string? state = null)
    {
        var tried = db.Set<TaskRow>().AsNoTracking().Where(row => row.Task == task);
        if (!tasks.Names.Contains(task) && !await tried.AnyAsync(ct))
        {
            return Unknown(tasks);
        }

        var all = from customer in db.Customers.AsNoTracking()
                  join schema in db.Ledger on customer.Schema equals schema.Schema
                  where Visited.Contains(schema.State)
                  join row in tried on customer.Schema equals row.Schema into rows
                  from attempt in rows.DefaultIfEmpty()
                  select new { customer, attempt };
        all = state switch
        {
            "done" => all.Where(one => one.attempt!.DoneAt != null),
            "failed" => all.Where(one => one.attempt!.DoneAt == null && one.attempt.LastError != null),
            "left" => all.Where(one => one.attempt!.DoneAt == null && one.attempt.LastError == null),
            _ => all,
        };
        return TypedResults.Ok(await paging.OfAsync(
            all.OrderBy(one => one.customer.Slug).Select(one => new TaskCustomer(
                one.customer.Slug, one.customer.Name, one.customer.Schema,
                one.attempt!.DoneAt != null ? TaskState.Done
                    : one.attempt.LastError != null ? TaskState.Failed
                    : TaskState.Left,
                one.attempt.DoneAt, (int?)one.attempt.Attempts ?? 0, one.attempt.LastError, one.attempt.FailedAt)),
            ct));
    }

    /// <summary>This build has no such task, and no customer has tried one of that name.</summary>
    public static ProblemHttpResult Unknown(TenantTasks tasks) => TypedResults.Problem(
        $"This build has {(tasks.Names.Count == 0 ? "no tasks" : string.Join(", ", tasks.Names))}.",
        statusCode: 404, title: "Unknown task.");
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
public sealed record TaskCustomer(
    string Slug, string Name, string Schema, TaskState State, DateTimeOffset? DoneAt, int Attempts, string? LastError,
    DateTimeOffset? FailedAt);
