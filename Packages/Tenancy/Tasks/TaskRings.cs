using System.Globalization;

namespace Tenancy.Tasks;

/// <summary>The rings of a task's run, one after the other, up to a gate.</summary>
internal static class TaskRings
{
    /// <param name="engine">What workers need.</param>
    /// <param name="run">The run.</param>
    /// <param name="stop">Ends it after the tenants in hand.</param>
    /// <param name="ct">Ends it at once.</param>
    public static async Task DoAsync(
        TaskEngine engine, TaskRun run, CancellationToken stop, CancellationToken ct)
    {
        var plan = run.Plan;
        var rings = await TasksTable.RingsAsync(engine.Database, run.Due(plan.Ring), ct);
        run.Expect(rings.Sum(ring => ring.Due));
        foreach (var (at, (ring, _, size)) in rings.Index())
        {
            if (run.Halted is not null || stop.IsCancellationRequested)
            {
                return;
            }

            run.Enter(ring);
            // Who names tenants, or repeats what failed, means those and no gate.
            var allowed = plan.Only is not null || plan.OnlyFailed ? int.MaxValue : plan.AllowedFailures(ring, size);
            var worker = new TaskWorker(engine, run, ring, allowed);
            await Parallel.ForEachAsync(
                Enumerable.Range(0, plan.Workers),
                new ParallelOptions { MaxDegreeOfParallelism = plan.Workers, CancellationToken = ct },
                async (_, token) => await worker.WorkAsync(stop, token));
            if (at + 1 < rings.Count && run.Halted is null && await TasksTable.FailedSinceAsync(
                engine.Database, run.Task.Name, ring, run.Since, ct) is var failed && failed > allowed)
            {
                run.Halt(string.Create(CultureInfo.InvariantCulture,
                    $"{failed} tenants of ring {ring} failed, and {allowed} may: ring {rings[at + 1].Ring} was not " +
                    $"begun"));
            }
        }
    }
}
