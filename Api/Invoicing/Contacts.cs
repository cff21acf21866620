using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Tenancy;

namespace Api.Invoicing;

/// <summary>New contacts, of which another request may add the same at the same time.</summary>
internal static class Contacts
{
    /// <summary>
    /// Adds those that aren't there, by name and address. Requests of one customer that add contacts queue until the
    /// first one's transaction ends, because without an address no constraint tells two apart; ON CONFLICT is for those
    /// that write contacts elsewhere. SQL, because EF doesn't know it.
    /// </summary>
    public static Task AddMissingAsync(
        this InvoicingContext db, IReadOnlyCollection<Contact> contacts, CancellationToken ct)
    {
        // In one order, so that two who add several don't wait for each other.
        var customer = $"contacts of {db.Tenant().Schema}";
        var sorted = contacts.OrderBy(c => c.Name, StringComparer.Ordinal).ThenBy(c => c.Email, StringComparer.Ordinal)
            .ToList();
        var ids = sorted.Select(c => c.Id).ToArray();
        var names = sorted.Select(c => c.Name).ToArray();
        var emails = sorted.Select(c => c.Email).ToArray();
        var times = sorted.Select(c => c.CreatedAt).ToArray();
        return db.Database.ExecuteSqlAsync(
            $"""
            SELECT pg_advisory_xact_lock(hashtextextended({customer}, 0));
            INSERT INTO "__Tenant__".contacts (id, name, email, created_at)
            SELECT * FROM unnest({ids}, {names}, {emails}, {times}) AS new (id, name, email, created_at)
            WHERE NOT EXISTS (SELECT FROM "__Tenant__".contacts AS c
                              WHERE c.name = new.name AND c.email IS NOT DISTINCT FROM new.email)
            ON CONFLICT (name, email) DO NOTHING
            """,
            ct);
    }
}
