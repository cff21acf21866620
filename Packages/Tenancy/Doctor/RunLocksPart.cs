using System.Globalization;
using Tenancy.Fleet;
using static Tenancy.Doctor.FindingKind;

namespace Tenancy.Doctor;

/// <summary>The lock table against the largest run that this build can need.</summary>
internal static class RunLocksPart
{
    public static readonly IReadOnlyList<FindingKind> Kinds = [RunLocks];

    public static IReadOnlyList<DoctorFinding> Read(Examined of, CompiledMigrations build)
    {
        var plan = new FleetPlan();
        var limit = of.Server.Locks / 2;
        try
        {
            // A schema that has none of the migrations gets all of them in one transaction.
            var each = FleetWork.Of(plan, build).LocksPerSchema([null]);
            var fits = limit / plan.Workers / each;
            return
            [
                RunLocks.Of(each * plan.Workers, limit,
                    string.Create(CultureInfo.InvariantCulture,
                        $"All migrations of this build take {each:N0} locks in one schema. {plan.Workers} workers ") +
                    string.Create(CultureInfo.InvariantCulture,
                        $"take {each * plan.Workers:N0} with one schema each; half of the lock table is {limit:N0}. ") +
                    $"A group may have {Math.Clamp(fits, 1, plan.Group)} of {plan.Group} schemas.",
                    string.Create(CultureInfo.InvariantCulture,
                        $"Set max_locks_per_transaction to {Enough(each * plan.Workers, of.Server):0} and restart ") +
                    "PostgreSQL, or run with fewer workers (--workers 1)."),
            ];
        }
        catch (TenantMigrationException e)
        {
            return [RunLocks.Unknown(limit, "This build's migrations can't be compiled.", e.Message)];
        }
    }

    private static double Enough(int locks, ServerSettings server) =>
        64 * Math.Ceiling(2.5 * locks / server.Transactions / 64);
}
