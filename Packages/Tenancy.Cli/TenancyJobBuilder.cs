using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;

namespace Tenancy.Cli;

/// <summary>Configures an application's migration job, from <see cref="TenancyJob"/>.</summary>
public sealed class TenancyJobBuilder
{
    internal TenancyJobBuilder()
    {
    }

    internal string Noun { get; private set; } = "tenant";

    internal List<SharedContext> Shared { get; } = [];

    internal List<Func<IServiceProvider, CancellationToken, Task>> Before { get; } = [];

    internal List<Func<IServiceProvider, CancellationToken, Task>> After { get; } = [];

    internal List<JobCommand> Commands { get; } = [];

    /// <summary>
    /// The word for a tenant in options and reports. Default: <c>tenant</c>, as in <c>--tenant acme</c>.
    /// </summary>
    /// <param name="noun">E.g. <c>customer</c>: one word of small letters, in the singular.</param>
    public TenancyJobBuilder Called(string noun)
    {
        ArgumentException.ThrowIfNullOrEmpty(noun);
        Noun = noun.All(char.IsAsciiLetterLower)
            ? noun
            : throw new ArgumentException($"'{noun}' isn't one word of small letters.", nameof(noun));
        return this;
    }

    /// <summary>
    /// Migrates a context whose tables all tenants share, before the tenants, under a lock that several jobs wait for.
    /// May be called for several; they are migrated in that order.
    /// </summary>
    /// <param name="historySchema">Where its history is: what <c>MigrationsHistoryTable</c> says, or
    /// <c>public</c>.</param>
    /// <param name="historyTable">Its name.</param>
    /// <param name="create">Makes one, whose connection is replaced by the owner's; null to ask the services.</param>
    public TenancyJobBuilder MigrateShared<TContext>(string historySchema = "public",
        string historyTable = HistoryRepository.DefaultTableName, Func<IServiceProvider, TContext>? create = null)
        where TContext : DbContext
    {
        ArgumentException.ThrowIfNullOrEmpty(historySchema);
        ArgumentException.ThrowIfNullOrEmpty(historyTable);
        Shared.Add(new($"{Quoted(historySchema)}.{Quoted(historyTable)}", MigrationIds.Of<TContext>(),
            create ?? (services => services.GetRequiredService<TContext>())));
        return this;
    }

    /// <summary>Runs after the shared contexts were migrated and before the tenants are.</summary>
    /// <param name="step">E.g. makes the login that serves: <see cref="TenantLogin"/>. Runs in every
    /// <c>migrate</c>.</param>
    public TenancyJobBuilder BeforeTenants(Func<IServiceProvider, CancellationToken, Task> step)
    {
        ArgumentNullException.ThrowIfNull(step);
        Before.Add(step);
        return this;
    }

    /// <summary>Runs after a <c>migrate</c> that left nothing undone.</summary>
    public TenancyJobBuilder AfterTenants(Func<IServiceProvider, CancellationToken, Task> step)
    {
        ArgumentNullException.ThrowIfNull(step);
        After.Add(step);
        return this;
    }

    /// <summary>A command of the application's own.</summary>
    /// <param name="name">As it is typed.</param>
    /// <param name="description">For <c>--help</c>.</param>
    /// <param name="run">Gets a scope's services, and standard output.</param>
    public TenancyJobBuilder AddCommand(
        string name, string description, Func<IServiceProvider, TextWriter, CancellationToken, Task> run)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(description);
        ArgumentNullException.ThrowIfNull(run);
        Commands.Add(new(name, description, run));
        return this;
    }

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}

/// <summary>A context whose tables all tenants share.</summary>
/// <param name="History">Its history table, quoted.</param>
/// <param name="Ids">Of its migrations.</param>
/// <param name="Create">Makes one.</param>
internal sealed record SharedContext(
    string History, IReadOnlyList<string> Ids, Func<IServiceProvider, DbContext> Create);

/// <summary>See <see cref="TenancyJobBuilder.AddCommand"/>.</summary>
internal sealed record JobCommand(
    string Name, string Description, Func<IServiceProvider, TextWriter, CancellationToken, Task> Run);
