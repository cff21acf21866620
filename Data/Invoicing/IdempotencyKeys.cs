using Microsoft.EntityFrameworkCore;

namespace Data.Invoicing;

/// <summary>
/// What happens to an idempotency key, in the order of a request: it is noted, locked, answered or forgotten. SQL,
/// because EF has no <c>ON CONFLICT</c> and no <c>SKIP LOCKED</c>. The database's clock counts: it is one clock for all
/// instances of the API.
/// </summary>
public static class IdempotencyKeys
{
    /// <summary>How long a key is kept, from its first request on.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    /// <summary>How many old keys one request deletes at most.</summary>
    public const int MostDeleted = 100;

    /// <summary>
    /// Notes the key, unless it is there, and deletes old ones. To be called outside a transaction: others have to see
    /// the row while the request is being answered.
    /// </summary>
    public static Task NoteKeyAsync(
        this InvoicingContext db, string key, string operation, byte[] bodyHash, CancellationToken ct) =>
        // Old rows that somebody locks are left to the next request. The second statement is for this key: there may
        // be many that are older.
        db.Database.ExecuteSqlAsync(
            $"""
            DELETE FROM "__Tenant__".idempotency_keys WHERE key IN (
                SELECT old.key FROM "__Tenant__".idempotency_keys AS old WHERE old.created_at <= now() - {Kept}
                ORDER BY old.created_at LIMIT {MostDeleted} FOR UPDATE SKIP LOCKED);
            DELETE FROM "__Tenant__".idempotency_keys WHERE key IN (
                SELECT old.key FROM "__Tenant__".idempotency_keys AS old
                WHERE old.key = {key} AND old.created_at <= now() - {Kept} FOR UPDATE SKIP LOCKED);
            INSERT INTO "__Tenant__".idempotency_keys (key, operation, body_hash, created_at)
            VALUES ({key}, {operation}, {bodyHash}, now()) ON CONFLICT (key) DO NOTHING
            """,
            ct);

    /// <summary>Locks the key's row until the caller's transaction ends. Waits for nobody.</summary>
    /// <returns>Null where another request has locked it, or has just given it up.</returns>
    public static async Task<IdempotencyKey?> LockKeyAsync(
        this InvoicingContext db, string key, CancellationToken ct) =>
        (await db.IdempotencyKeys.FromSql(
            $"""
            SELECT * FROM "__Tenant__".idempotency_keys WHERE key = {key} AND created_at > now() - {Kept}
            FOR UPDATE SKIP LOCKED
            """).AsNoTracking().ToListAsync(ct)).SingleOrDefault();

    /// <summary>Stores the response, in the transaction that has locked the row.</summary>
    public static Task AnswerKeyAsync(
        this InvoicingContext db, string key, int status, string headers, byte[] body, CancellationToken ct) =>
        db.IdempotencyKeys.Where(k => k.Key == key).ExecuteUpdateAsync(
            set => set.SetProperty(k => k.Status, status).SetProperty(k => k.Headers, headers)
                .SetProperty(k => k.Body, body),
            ct);

    /// <summary>
    /// Deletes the key, so that it can be used again. It stays where it has a response, and where another request has
    /// locked it by now.
    /// </summary>
    public static Task ForgetKeyAsync(this InvoicingContext db, string key, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync(
            $"""
            DELETE FROM "__Tenant__".idempotency_keys WHERE key IN (
                SELECT mine.key FROM "__Tenant__".idempotency_keys AS mine WHERE mine.key = {key} AND mine.status IS NULL
                FOR UPDATE SKIP LOCKED)
            """,
            ct);
}
