using Microsoft.EntityFrameworkCore;

namespace Data.Customers;

/// <summary>Reference data that all customers share: ISO 4217's code, English name and number of decimals.</summary>
public sealed record Currency(string Code, string Name, int Decimals)
{
    /// <summary>What the shared migrations put in.</summary>
    internal static readonly Currency[] Known =
    [
        new("CHF", "Swiss franc", 2), new("DKK", "Danish krone", 2), new("EUR", "Euro", 2),
        new("GBP", "Pound sterling", 2),
        new("JPY", "Yen", 0), new("KWD", "Kuwaiti dinar", 3), new("NOK", "Norwegian krone", 2),
        new("SEK", "Swedish krona", 2),
        new("USD", "US dollar", 2),
    ];

    internal static void Map(ModelBuilder model, bool ownedByThisModel) => model.Entity<Currency>(currency =>
    {
        // Tenant tables join it and have no foreign key to it: creating one would lock it, dropping a tenant would stop
        // its readers.
        currency.ToTable("currencies", "public", table =>
        {
            if (!ownedByThisModel)
            {
                table.ExcludeFromMigrations();
            }
        });
        currency.HasKey(c => c.Code);
        currency.Property(c => c.Code).HasMaxLength(3);
        currency.Property(c => c.Name).HasMaxLength(60);
        if (ownedByThisModel)
        {
            currency.HasData(Known);
        }
    });
}
