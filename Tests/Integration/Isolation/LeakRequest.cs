using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Tenancy;

namespace Tests.Integration.Isolation;

/// <summary>
/// One request of one customer: writes, fails or is disturbed in one of many ways, and reads before and after it in
/// another.
/// </summary>
internal sealed class LeakRequest(
    LeakRun run, Without without, InvoicingContext db, Tenant tenant, int number, Random random, CancellationToken ct)
{
    private const string Saved = "saved";
    private const int OneInOutlivesTheCommandTimeout = 2_500;

    private readonly LeakReads _reads = new(run, db, tenant, random, ct);
    private int _entries;

    /// <summary>Whether the request outlives its command's timeout. There are few, and nobody cancels one.</summary>
    public static bool Outlives(int number, Without without) =>
        number % OneInOutlivesTheCommandTimeout == 0 && without != Without.Cancellations;

    /// <returns>How it ended; what it throws is for <see cref="Disturbance"/> to name.</returns>
    public async Task<string> ServeAsync()
    {
        return Outlives(number, without) ? await OutliveCommandTimeoutAsync() : await (random.Next(100) switch
        {
            < 20 => ReadAsync(),
            < 32 => SaveAsync(),
            < 38 => SaveGraphAsync(),
            < 44 => UpdateAsync(),
            < 50 => DeleteAsync(),
            < 56 => RawAsync(),
            < 62 => CountAsync(),
            < 69 => RollBackAsync(),
            < 77 => RollBackInPartAsync(),
            < 84 => BeRefusedAsync(),
            < 90 => TimeOutAsync(),
            < 94 => LeaveMidwayAsync(),
            < 98 => InterleaveAsync(),
            _ when without == Without.BrokenConnections => ReadAsync(),
            _ => EndABackendAsync(),
        });
    }

    private Books.Entry Open() => run.Books.Open(tenant, $"{number}.{_entries++}");

    private async Task<string> ReadAsync()
    {
        await _reads.OneAsync();
        await _reads.OneAsync();
        return "read";
    }

    private async Task<string> SaveAsync()
    {
        var entry = Open();
        var contact = Rows.Contact(entry, Saved);
        db.Contacts.Add(contact);
        await entry.WriteAsync(
            Saved, () => random.Next(3) == 0 ? Task.FromResult(db.SaveChanges()) : db.SaveChangesAsync(ct));
        contact.Email = "changed";
        await entry.WriteAsync("changed", () => db.SaveChangesAsync(ct));
        await _reads.OneAsync();
        return Saved;
    }

    private async Task<string> SaveGraphAsync()
    {
        await _reads.OneAsync();
        var entry = Open();
        db.Invoices.Add(Rows.Invoice(tenant, Rows.Contact(entry, Saved)));
        await entry.WriteAsync(Saved, () => db.SaveChangesAsync(ct));
        return "saved an invoice";
    }

    private async Task<string> UpdateAsync()
    {
        var entry = Open();
        db.Contacts.Add(Rows.Contact(entry, Saved));
        await entry.WriteAsync(Saved, () => db.SaveChangesAsync(ct));
        await entry.WriteAsync("updated",
            () => One(
                db.Contacts.Where(c => c.Name == entry.Name)
                    .ExecuteUpdateAsync(set => set.SetProperty(c => c.Email, "updated"), ct)));
        return "updated";
    }

    private async Task<string> DeleteAsync()
    {
        var entry = Open();
        db.Contacts.Add(Rows.Contact(entry, Saved));
        await entry.WriteAsync(Saved, () => db.SaveChangesAsync(ct));
        await entry.WriteAsync(null, () => One(db.Contacts.Where(c => c.Name == entry.Name).ExecuteDeleteAsync(ct)));
        return "deleted";
    }

    private async Task<string> RawAsync()
    {
        var entry = Open();
        await entry.WriteAsync(Saved, () => One(InsertAsync(Guid.NewGuid(), entry.Name)));
        await _reads.OneAsync();
        return "written by hand";
    }

    /// <summary>All of a customer's requests meet at one row, and wait for each other.</summary>
    private async Task<string> CountAsync()
    {
        var name = Rows.Text(tenant, Counter.Name);
        await run.Books.CounterOf(tenant).WriteAsync(() => One(db.Database.ExecuteSqlAsync(
            $"UPDATE \"__Tenant__\".contacts SET email = (email::int + 1)::text WHERE name = {name}", ct)));
        return "counted";
    }

    private async Task<string> RollBackAsync()
    {
        await using (var transaction = await db.Database.BeginTransactionAsync(ct))
        {
            db.Contacts.Add(Rows.Contact(Open(), "rolled back"));
            await db.SaveChangesAsync(ct);
            await _reads.OneAsync();
            if (random.Next(2) == 0)
            {
                await transaction.RollbackAsync(ct);
            }
        }

        db.ChangeTracker.Clear();
        await _reads.OneAsync();
        return "rolled back";
    }

    private async Task<string> RollBackInPartAsync()
    {
        var (before, between, after) = (Open(), Open(), Open());
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await One(InsertAsync(Guid.NewGuid(), before.Name));
        await transaction.CreateSavepointAsync("halfway", ct);
        var id = Guid.NewGuid();
        await One(InsertAsync(id, between.Name));
        if (random.Next(2) == 0)
        {
            try
            {
                await InsertAsync(id, between.Name);
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                // Up to the savepoint, the transaction lives on.
            }
        }

        await transaction.RollbackToSavepointAsync("halfway", ct);
        await _reads.OneAsync();
        db.Contacts.Add(Rows.Contact(after, Saved));
        await db.SaveChangesAsync(ct);
        await before.WriteAsync(Saved, () => after.WriteAsync(Saved, () => transaction.CommitAsync(ct)));
        return "rolled back in part";
    }

    private async Task<string> BeRefusedAsync()
    {
        var refused = Rows.Invoice(tenant, Rows.Contact(Open(), "refused"));
        refused.DueOn = refused.IssuedOn.AddDays(-1);
        db.Invoices.Add(refused);
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException problem)
            when (problem.InnerException is PostgresException { SqlState: PostgresErrorCodes.CheckViolation })
        {
            db.ChangeTracker.Clear();
            await _reads.OneAsync();
            return "refused";
        }

        return "accepted what the check forbids";
    }

    private async Task<string> TimeOutAsync()
    {
        try
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await One(InsertAsync(Guid.NewGuid(), Open().Name));
            await db.Database.ExecuteSqlAsync($"SET LOCAL statement_timeout = 2", ct);
            await db.Database.ExecuteSqlAsync($"SELECT pg_sleep(10), count(*) FROM \"__Tenant__\".contacts", ct);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            // On the same context, and as slow as the timeout would forbid if it had stayed behind.
            await db.Database.ExecuteSqlAsync($"SELECT pg_sleep(0.003)", ct);
            await _reads.OneAsync();
            return "timed out";
        }

        return "slept through its timeout";
    }

    private async Task<string> OutliveCommandTimeoutAsync()
    {
        db.Database.SetCommandTimeout(TimeSpan.FromSeconds(1));
        try
        {
            await run.SleepAsync(() =>
                db.Database.ExecuteSqlAsync(
                    $"SELECT pg_sleep(30), count(*) FROM \"__Tenant__\".contacts", CancellationToken.None));
        }
        catch (NpgsqlException problem) when (problem.InnerException is TimeoutException)
        {
            await _reads.OneAsync();
            return "outlived its command's timeout";
        }

        return "slept through its command's timeout";
    }

    private async Task<string> LeaveMidwayAsync()
    {
        // Longer than what the driver reads at once.
        var rows = db.Contacts.FromSql(
            $"SELECT c.* FROM (SELECT * FROM \"__Tenant__\".contacts ORDER BY id LIMIT 10) AS c CROSS JOIN pg_catalog.generate_series(1, 300)")
            .AsNoTracking().AsAsyncEnumerable().GetAsyncEnumerator(ct);
        for (var i = random.Next(1, 5); i > 0 && await rows.MoveNextAsync(); i--)
        {
            _reads.Look(rows.Current.Name);
        }

        // The rows are never asked to end: the context goes, and they with it.
        return "left midway";
    }

    private async Task<string> InterleaveAsync()
    {
        await run.WithAnotherAsync(random, async (otherDb, other) =>
        {
            var others = new LeakReads(run, otherDb, other, random, ct);
            await foreach (var contact in db.Contacts.OrderByDescending(c => c.Id).Take(5).AsAsyncEnumerable()
                .WithCancellation(ct))
            {
                _reads.Look(contact.Name);
                await others.OneAsync();
            }
        }, ct);
        return "interleaved";
    }

    private async Task<string> EndABackendAsync() =>
        await run.EndSomeBackendAsync(ct) ? "ended a backend" : await ReadAsync();

    private Task<int> InsertAsync(Guid id, string name) => db.Database.ExecuteSqlAsync(
        $"INSERT INTO \"__Tenant__\".contacts (id, name, email, created_at) VALUES ({id}, {name}, {Saved}, now())", ct);

    private static async Task One(Task<int> write)
    {
        if (await write != 1)
        {
            throw new InvalidOperationException($"{await write} rows were written instead of one.");
        }
    }
}
