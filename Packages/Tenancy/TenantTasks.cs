using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy.Databases;
using Tenancy.Fleet;
using Tenancy.Ledgers;
using Tenancy.Tasks;

namespace Tenancy;

/// <summary>
/// Does a <see cref="TenantTask"/> for every tenant: ring after ring, several tenants at once, each in a transaction
/// of its own, one failure apart from the others.
/// </summary>
public sealed partial class TenantTasks
{
    private readonly TaskEngine _engine;
    private readonly Dictionary<string, TenantTask> _registered = new(StringComparer.Ordinal);

    internal TenantTasks(IEnumerable<TenantTask> registered, TaskEngine engine)
    {
        _engine = engine;
        foreach (var task in registered)
        {
            if (!_registered.TryAdd(TenantTask.Checked(task.Name), task))
            {
                throw new InvalidOperationException(
                    $"Two tasks have the name '{task.Name}'. A tenant that has done one of them wouldn't do the " +
                    "other.");
            }
        }
    }

    /// <summary>The databases besides the first one, for what goes over all; null for none.</summary>
    internal TenantDatabases? Others { get; init; }

    /// <summary>The names of the tasks that the application has registered, in order.</summary>
    public IReadOnlyList<string> Names => [.. _registered.Keys.Order(StringComparer.Ordinal)];

    /// <summary>A registered task.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public TenantTask Find(string name) => _registered.TryGetValue(name, out var task)
        ? task
        : throw new ArgumentException(
            $"This build has no task '{name}'. It has {(Names.Count > 0 ? string.Join(", ", Names) : "none")}.",
            nameof(name));

    /// <summary>Does a registered task.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="ct">Ends it at once: what is in hand is rolled back.</param>
    /// <exception cref="ArgumentException">There is no task of that name.</exception>
    /// <exception cref="NpgsqlException">The database itself failed: the run can be started again.</exception>
    public Task<FleetReport> RunAsync(string name, CancellationToken ct = default) =>
        RunAsync(Find(name), new(), progress: null, stop: default, ct);

    /// <summary>
    /// Does the task for the tenants that haven't done it. Several processes may run this at once: tenants are claimed
    /// by their ledger rows, so they share the work, and none does a tenant twice. Interrupted, it leaves every tenant
    /// either done or as it was; the next run does the rest.
    /// </summary>
    /// <remarks>
    /// Suspended tenants are visited, spare schemas are not. A tenant whose schema lacks migrations of this build
    /// fails: it has to be migrated first.
    /// </remarks>
    /// <param name="task">Registered or not.</param>
    /// <param name="plan">For whom and how; <see cref="FleetPlan.OnlyFailed"/> takes those whose last attempt
    /// failed.</param>
    /// <param name="progress">Told after every tenant.</param>
    /// <param name="stop">Ends the run after the tenants in hand; the report says so.</param>
    /// <param name="ct">Ends it at once: what the tenants in hand have done is rolled back.</param>
    /// <exception cref="NpgsqlException">The database itself failed: the run is not over and can be started
    /// again.</exception>
    /// <exception cref="CommandRefusedException">The task's SQL isn't a tenant's. Nothing was done.</exception>
    /// <exception cref="ArgumentException">The plan can't be carried out, or names no task; the message says
    /// why.</exception>
    /// <exception cref="InvalidOperationException"><see cref="TenancyOptions.FindSlugs"/> or
    /// <see cref="TenancyOptions.FindTenant"/> isn't set.</exception>
    public async Task<FleetReport> RunAsync(
        TenantTask task, FleetPlan plan, IProgress<FleetProgress>? progress, CancellationToken stop,
        CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(task);
        Refuse(plan);
        TenantTask.Checked(task.Name);
        task.Check(_engine.Shared.Value);
        using var span = TenancyTelemetry.Start(TenancyTelemetry.RunTask);
        span?.SetTag(TenancyTelemetry.Task, task.Name);
        try
        {
            var report = await RunOnceAsync(task, plan, progress, stop, ct);
            span?.SetTag(TenancyTelemetry.Migrated, report.Migrated)
                .SetTag(TenancyTelemetry.Failed, report.Failed.Count)
                .SetStatus(
                    report.Failed.Count > 0 || report.Outcome == FleetOutcome.Halted
                        ? ActivityStatusCode.Error
                        : ActivityStatusCode.Unset, report.Reason);
            return report;
        }
        catch (Exception e)
        {
            span?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }
    }

    /// <summary>
    /// Every task that is registered or that a tenant has tried, by name: who has done it, who failed, who is left.
    /// </summary>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="PostgresException">42P01: nobody has migrated the database yet.</exception>
    public async Task<IReadOnlyList<TenantTaskStatus>> StatusAsync(CancellationToken ct = default)
    {
        var figures = await FiguresAsync(ct);
        return
        [
            .. Names.Union(figures.Tried).Order(StringComparer.Ordinal).Select(name =>
            {
                var (done, failed, left, last) = figures.Of(name);
                return new TenantTaskStatus(
                    name, _registered.ContainsKey(name), done, failed, left, last?.Schema, last?.Error, last?.At);
            }),
        ];
    }

    /// <summary>
    /// The same over all databases, see <see cref="TenancyOptions.Databases"/>, and by database
    /// (<see cref="TenantTaskStatus.Databases"/>). With several, one that doesn't answer is named and the others are
    /// counted, unless it is the first or the only one that was asked.
    /// </summary>
    /// <param name="only">One of <see cref="TenancyOptions.Databases"/>, or
    /// <see cref="TenancyOptions.FirstDatabase"/>; null for all.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="ArgumentException">There is no such database.</exception>
    /// <exception cref="NpgsqlException">The first database failed, or the only one.</exception>
    public Task<IReadOnlyList<TenantTaskStatus>> StatusOfAllAsync(
        string? only = null, CancellationToken ct = default) =>
            Others is null ? StatusAsync(ct) : TasksOfAll.ReadAsync(this, Others, only, ct);

    /// <summary>
    /// The tenants that a task visits in the databases besides the first one, and their attempts: for lists that know
    /// the first one's. Of a database that doesn't answer it has nothing, unless that is the only one that was asked.
    /// </summary>
    /// <param name="task">The task's name, registered or not.</param>
    /// <param name="only">One of <see cref="TenancyOptions.Databases"/>, or
    /// <see cref="TenancyOptions.FirstDatabase"/>; null for all.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="ArgumentException">There is no such database.</exception>
    /// <exception cref="NpgsqlException">The only database failed.</exception>
    public Task<IReadOnlyList<TenantTaskAttempt>> AttemptsInOthersAsync(
        string task, string? only = null, CancellationToken ct = default) =>
            Others is null
                ? Task.FromResult<IReadOnlyList<TenantTaskAttempt>>([])
                : TasksOfAll.AttemptsAsync(Others, task, only, ct);

    internal Task<TaskFigures> FiguresAsync(CancellationToken ct) =>
        TaskStatusQuery.FiguresAsync(_engine.Database, ct);

    internal Task<IReadOnlyList<TenantTaskAttempt>> AttemptsAsync(string task, CancellationToken ct) =>
        TaskStatusQuery.AttemptsAsync(_engine.Database, _engine.Tenancy.Database, task, ct);

    private void Refuse(FleetPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.Workers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.Attempts, 1);
        if (plan.To is not null || plan.Down)
        {
            throw new ArgumentException("A task has no migrations: leave FleetPlan.To and Down out.", nameof(plan));
        }

        if (_engine.Tenancy.FindSlugs is null || _engine.Tenancy.FindTenant is null)
        {
            throw new InvalidOperationException(
                "TenancyOptions.FindSlugs or FindTenant isn't set: there is no way from a schema to its tenant.");
        }
    }

    private async Task<FleetReport> RunOnceAsync(
        TenantTask task, FleetPlan plan, IProgress<FleetProgress>? progress, CancellationToken stop,
        CancellationToken ct)
    {
        var (database, time) = (_engine.Database, _engine.Time);
        var started = time.GetTimestamp();
        if ((await TasksTable.RingsAsync(database, TaskRun.DueBefore(task, plan), ct)).Count == 0)
        {
            return new(0, [], time.GetElapsedTime(started));
        }

        RunPool.RefuseTooSmall(database, plan, 2, "for a task");
        var id = Guid.CreateVersion7();
        var since = await RunsTable.BeginAsync(database, id, "task", task.Name, plan.AskedBy, ct);
        var run = new TaskRun(id, task, plan, since, progress, time);
        var outcome = await new RunHeartbeat(database, time, _engine.Log).AroundAsync(
            run, () => TaskRings.DoAsync(_engine, run, stop, ct), ended: null, stop, ct);
        var report = run.Report(time.GetElapsedTime(started), stop);
        LogSummary(_engine.Log, task.Name, outcome, run.Progress.Total, report.Migrated, report.Failed.Count,
            report.Elapsed.TotalSeconds, report.Reason ?? "nothing stopped it");
        return report;
    }

    [LoggerMessage(LogLevel.Information,
        "Task {Task}, run {Outcome}: {Total} tenants to do, {Done} done, {Failed} failed in {Seconds:0.0} " +
        "s; {Reason}.")]
    private static partial void LogSummary(
        ILogger log, string task, string outcome, int total, int done, int failed, double seconds, string reason);
}
