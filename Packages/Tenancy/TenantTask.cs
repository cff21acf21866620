using System.Text.RegularExpressions;
using Tenancy.Sql;
using Tenancy.Tasks;

namespace Tenancy;

/// <summary>
/// Work that is done once for every tenant and recorded in <c>tenancy.tasks</c>: a backfill, new rows. Register it by
/// <see cref="TenancyBuilder.AddTask{TTask}"/> and run it by <see cref="TenantTasks"/> or the job's command
/// <c>task NAME</c>.
/// </summary>
/// <remarks>
/// One instance does the task for all tenants, several at once: keep nothing of a tenant in it, and take services from
/// <see cref="TenantTaskContext.Services"/>.
/// </remarks>
public abstract partial class TenantTask
{
    /// <summary>What a task's name may be, in words.</summary>
    internal const string NameRule =
        "1 to 100 of a-z, 0-9, '-', '_' and '.', of which the first is a letter or a digit";

    /// <summary>
    /// The key of the record: 1 to 100 of <c>a-z</c>, <c>0-9</c>, <c>-</c>, <c>_</c> and <c>.</c>, of which the first
    /// is a letter or a digit. A tenant that has done a task of this name doesn't do it again.
    /// </summary>
    public abstract string Name { get; }

    /// <summary>
    /// Does the work for one tenant. What it does in <see cref="TenantTaskContext.Transaction"/> commits with the
    /// record that it is done, so it is done exactly once. Anything else may be done again after a failure.
    /// </summary>
    /// <param name="context">The tenant, its services and the transaction.</param>
    /// <param name="ct">Ends the work; what it did in the transaction is rolled back.</param>
    public abstract Task RunAsync(TenantTaskContext context, CancellationToken ct);

    /// <summary>A task from a delegate.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="work">See <see cref="RunAsync"/>.</param>
    /// <exception cref="FormatException">The name can't be a task's.</exception>
    public static TenantTask Create(string name, Func<TenantTaskContext, CancellationToken, Task> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        return new DelegateTask(Checked(name), work);
    }

    /// <summary>
    /// A task from SQL, one or several statements. They name the tenant's schema by the placeholder,
    /// <c>"__Tenant__".invoices</c>, and are guarded as <see cref="TenantTaskContext.CreateCommand"/> guards.
    /// </summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="sql">The statements.</param>
    /// <exception cref="FormatException">The name can't be a task's.</exception>
    public static TenantTask FromSql(string name, string sql)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(sql);
        return new SqlTask(Checked(name), sql);
    }

    /// <summary>A task from a file of SQL; see <see cref="FromSql"/>.</summary>
    /// <param name="path">The file, in UTF-8.</param>
    /// <param name="name">See <see cref="Name"/>; null for the file's name without its extension.</param>
    /// <exception cref="FormatException">The name can't be a task's.</exception>
    /// <exception cref="ArgumentException">The file is empty.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static TenantTask FromSqlFile(string path, string? name = null) =>
        FromSql(name ?? Path.GetFileNameWithoutExtension(path), File.ReadAllText(path));

    /// <exception cref="FormatException">The name can't be a task's.</exception>
    internal static string Checked(string name) => name is not null && Allowed().IsMatch(name)
        ? name
        : throw new FormatException($"'{name}' can't name a task: use {NameRule}.");

    /// <summary>Refuses, before the first tenant, what each of them would refuse.</summary>
    /// <param name="shared">What the task's SQL may name besides the tenant's own.</param>
    /// <exception cref="CommandRefusedException">The SQL isn't a tenant's.</exception>
    internal virtual void Check(AllowList shared)
    {
    }

    [GeneratedRegex(@"^[a-z0-9][a-z0-9._-]{0,99}\z")]
    private static partial Regex Allowed();
}
