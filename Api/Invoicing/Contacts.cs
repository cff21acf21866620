using Data.Invoicing;
using Microsoft.EntityFrameworkCore;

namespace Api.Invoicing;

/// <summary>New contacts, of which another request may add the same at the same time.</summary>
internal static class Contacts
{
    /// <summary>
    /// Adds those that aren't there, by name and address; whoever comes second waits for the first one's transaction
    /// and finds its contact afterwards. SQL, because EF doesn't know ON CONFLICT.
    /// </summary>
    public static Task AddMissingAsync(
        this InvoicingContext db, IReadOnlyCollection<Contact> contacts, CancellationToken ct)
    {
        // In one order, so that two who add several don't wait for each other.
        var sorted = contacts.OrderBy(c => c.Name, StringComparer.Ordinal).ThenBy(c => c.Email, StringComparer.Ordinal)
            .ToList();
        var ids = sorted.Select(c => c.Id).ToArray();
        var names = sorted.Select(c => c.Name).ToArray();
        var emails = sorted.Select(c => c.Email).ToArray();
        var times = sorted.Select(c => c.CreatedAt).ToArray();
        return db.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO "__Tenant__".contacts (id, name, email, created_at)
            SELECT * FROM unnest({ids}, {names}, {emails}, {times}) ON CONFLICT (name, email) DO NOTHING
            """,
            ct);
    }
}
