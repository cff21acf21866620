using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Tasks;

namespace Tenancy.Databases;

/// <summary>The tasks of all databases as one.</summary>
internal static class TasksOfAll
{
    /// <param name="first">The first database's.</param>
    /// <param name="databases">The others.</param>
    /// <param name="only">See <see cref="TenantDatabases.Chosen"/>.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<IReadOnlyList<TenantTaskStatus>> ReadAsync(
        TenantTasks first, TenantDatabases databases, string? only, CancellationToken ct)
    {
        var (isFirst, chosen) = databases.Chosen(only);
        if (databases.Others.Count == 0)
        {
            return await first.StatusAsync(ct);
        }

        if (!isFirst)
        {
            return Together(first.Names, [new(only, null, await Of(chosen[0]).FiguresAsync(ct))]);
        }

        // All at once: one that is gone may take as long as a connection's time limit.
        var others = Task.WhenAll(chosen.Select(database => TryAsync(database, ct)));
        var figures = await first.FiguresAsync(ct);
        return Together(first.Names, [new(null, null, figures), .. await others]);
    }

    /// <summary>The attempts in the databases besides the first one.</summary>
    public static async Task<IReadOnlyList<TenantTaskAttempt>> AttemptsAsync(
        TenantDatabases databases, string task, string? only, CancellationToken ct)
    {
        var (isFirst, chosen) = databases.Chosen(only);
        var attempts = await Task.WhenAll(chosen.Select(async database =>
        {
            try
            {
                return await Of(database).AttemptsAsync(task, ct);
            }
            catch (Exception e) when (isFirst && e is NpgsqlException or TimeoutException)
            {
                return [];
            }
        }));
        return [.. attempts.SelectMany(one => one)];
    }

    private static IReadOnlyList<TenantTaskStatus> Together(
        IReadOnlyList<string> registered, IReadOnlyList<Asked> asked) =>
    [
        .. asked.SelectMany(one => one.Figures?.Tried ?? []).Union(registered).Order(StringComparer.Ordinal)
            .Select(task =>
            {
                IReadOnlyList<TenantTaskInDatabase> each = [.. asked.Select(one => one.Of(task))];
                var last = each.Where(one => one.LastError is not null).MaxBy(one => one.FailedAt);
                return new TenantTaskStatus(
                    task, registered.Contains(task), each.Sum(one => one.Done), each.Sum(one => one.Failed),
                    each.Sum(one => one.Left), last?.FailedSchema, last?.LastError, last?.FailedAt)
                {
                    Databases = each,
                };
            }),
    ];

    private static async Task<Asked> TryAsync(TenantDatabase database, CancellationToken ct)
    {
        try
        {
            return new(database.Name, null, await Of(database).FiguresAsync(ct));
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            return new(database.Name, e.Message, null);
        }
    }

    private static TenantTasks Of(TenantDatabase database) => database.GetRequiredService<TenantTasks>();

    /// <summary>A database, and either why it didn't answer or what it has.</summary>
    private sealed record Asked(string? Name, string? Error, TaskFigures? Figures)
    {
        public TenantTaskInDatabase Of(string task)
        {
            var (done, failed, left, last) = Figures?.Of(task) ?? default;
            return new(Name, Error, done, failed, left, last?.Schema, last?.Error, last?.At);
        }
    }
}
