using Npgsql;

namespace Tenancy;

/// <summary>
/// Looks at the database over connections of its own, two for each login. Health and metrics use them, so that they
/// neither wait for the pools that requests have exhausted nor take a connection from one. What is asked here leaves no
/// spans and no lines in Npgsql's log, and ends after two seconds.
/// </summary>
public sealed class DatabaseProbe : IAsyncDisposable, IDisposable
{
    private const int Connections = 2;
    private const int Seconds = 2;

    /// <summary>
    /// How long one look may take: two seconds. A server that says nothing for so long is taken for gone.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(Seconds);

    /// <param name="options">Has the connection strings. <see cref="TenancyOptions.ConfigureDataSource"/> is applied,
    /// e.g. for passwords and certificates.</param>
    public DatabaseProbe(TenancyOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Owner = TenantDataSource.Create(options, Probing);
        Tenants = TenantDataSource.CreateForTenants(Owner, options, Probing);
    }

    /// <summary>With the owner's login.</summary>
    public NpgsqlDataSource Owner { get; }

    /// <summary>With the login that serves tenants.</summary>
    public NpgsqlDataSource Tenants { get; }

    /// <summary>Asks, and waits no longer than <see cref="Patience"/>, even where Npgsql would.</summary>
    /// <param name="question">Gets this probe, and uses its <see cref="Owner"/> or <see cref="Tenants"/>.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="NpgsqlException">The database refused or failed.</exception>
    /// <exception cref="TimeoutException">It said nothing.</exception>
    public async Task<T> AskAsync<T>(
        Func<DatabaseProbe, CancellationToken, Task<T>> question, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(question);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        // Npgsql doesn't look at the token while it waits for a new connection's first byte, and a cancelled command
        // first asks the server to stop. On another thread: what runs until the first wait may block, too.
        using var unrecorded = TenancyTelemetry.Unrecorded();
        var answer = Task.Run(() => question(this, limit.Token), CancellationToken.None);
        try
        {
            return await answer.WaitAsync(Patience, ct);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new TimeoutException("PostgreSQL doesn't answer.");
        }
        finally
        {
            // An error that comes later is nobody's any more.
            _ = answer.ContinueWith(static late => _ = late.Exception, CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Tenants.Dispose();
        Owner.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Tenants.DisposeAsync();
        await Owner.DisposeAsync();
    }

    private static void Probing(NpgsqlDataSourceBuilder builder)
    {
        var settings = builder.ConnectionStringBuilder;
        (settings.MinPoolSize, settings.MaxPoolSize) = (0, Connections);
        (settings.Timeout, settings.CommandTimeout) = (Seconds, Seconds);
        // Don't wait for the server's word on a cancelled command.
        settings.CancellationTimeout = -1;
    }
}
