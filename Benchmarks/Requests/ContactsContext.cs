using Data;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;

namespace Benchmarks.Requests;

/// <summary>
/// The sample's contacts, and nothing else: one mapping for all rivals, which differ in the schema alone. The sample's
/// own context has its schema fixed to the placeholder, so the rivals can't have it.
/// </summary>
internal abstract class ContactsContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<Contact> Contacts => Set<Contact>();

    public static void Map(ModelBuilder model, string? schema)
    {
        if (schema is not null)
        {
            model.HasDefaultSchema(schema);
        }

        model.Entity<Contact>(contact =>
        {
            contact.ToTable("contacts");
            contact.Property(c => c.Name).HasMaxLength(Contact.LongestName);
            contact.Property(c => c.Email).HasMaxLength(Contact.LongestEmail);
            contact.HasIndex(c => c.Name);
        });
        model.UseSnakeCaseNames();
    }
}
