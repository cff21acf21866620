using System.ComponentModel.DataAnnotations;
using Api.Access;
using Data.Invoicing;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Tenancy.AspNetCore;

namespace Api.Invoicing;

/// <summary>What the customer has chosen for itself.</summary>
internal static class SettingsEndpoints
{
    /// <param name="routes">The application.</param>
    /// <param name="at">Where, e.g. <c>/settings</c>.</param>
    /// <param name="of">What the operations' ids have in them, so that no two are the same.</param>
    public static void MapSettings(this IEndpointRouteBuilder routes, string at, string of)
    {
        var settings = routes.MapGroup(at).WithTags("Settings").RequireAuthorization(Caller.Users).RequireTenant();
        settings.MapGet("/", Read).WithName($"Read{of}Settings").WithSummary("What the customer has chosen.");
        settings.MapPut("/", Write).WithName($"Write{of}Settings")
            .WithSummary("Chooses anew. What is left out or null is chosen no more.");
    }

    private static async Task<Ok<SettingsView>> Read(InvoicingContext db, CancellationToken ct) =>
        TypedResults.Ok(new SettingsView(
            await db.Settings.AsNoTracking().Select(s => s.CurrencyCode).SingleOrDefaultAsync(ct)));

    private static async Task<Results<Ok<SettingsView>, ValidationProblem>> Write(
        NewSettings settings, InvoicingContext db, CancellationToken ct)
    {
        if (settings.Currency is { } code && !await db.Currencies.AnyAsync(c => c.Code == code, ct))
        {
            return TypedResults.ValidationProblem(new Dictionary<string, string[]>
            {
                ["currency"] = [NewInvoice.UnknownCurrency(code)],
            });
        }

        // Two that choose for the first time at once: the later one wins, as with any other two.
        await db.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO "__Tenant__".settings (id, currency_code) VALUES ({Settings.OnlyRow}, {settings.Currency})
            ON CONFLICT (id) DO UPDATE SET currency_code = excluded.currency_code
            """,
            ct);
        return TypedResults.Ok(new SettingsView(settings.Currency));
    }
}

/// <summary>What a customer has chosen.</summary>
/// <param name="Currency">The code of the currency that a form for a new invoice begins with; null for none. An invoice
/// names its currency all the same.</param>
public sealed record SettingsView(string? Currency);

/// <summary>What a customer chooses.</summary>
/// <param name="Currency">The code of the currency that a form for a new invoice begins with; null for none.</param>
public sealed record NewSettings(
    [property: RegularExpression(@"^[A-Z]{3}\z", ErrorMessage = "Use a currency's three letters, e.g. EUR.")]
    string? Currency = null);
