using Microsoft.EntityFrameworkCore.Storage;

namespace Data.Invoicing;

/// <summary>Writes of several statements that may be a part of a larger transaction.</summary>
public static class JoinedTransactions
{
    /// <summary>
    /// Begins a transaction, unless the caller is in one: what is written then commits with the caller's.
    /// </summary>
    /// <returns>The new transaction, to be committed and disposed of; null where there is one.</returns>
    public static async Task<IDbContextTransaction?> BeginUnlessBegunAsync(
        this InvoicingContext db, CancellationToken ct) =>
        db.Database.CurrentTransaction is null ? await db.Database.BeginTransactionAsync(ct) : null;

    /// <summary>Commits what <see cref="BeginUnlessBegunAsync"/> began; does nothing in the caller's.</summary>
    public static Task CommitIfBegunAsync(this IDbContextTransaction? transaction, CancellationToken ct) =>
        transaction?.CommitAsync(ct) ?? Task.CompletedTask;
}
