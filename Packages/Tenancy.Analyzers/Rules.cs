using Microsoft.CodeAnalysis;

namespace Tenancy.Analyzers;

/// <summary>The rules of the analyzers. Each has a page, <c>docs/rules/TEN001.md</c> and so on.</summary>
internal static class Rules
{
    public static readonly DiagnosticDescriptor RefusedSql = Rule(
        "TEN001", "The guard refuses this SQL", "{0}",
        "A tenant's command names its schema by the placeholder and leaves nothing in the session. The guard refuses " +
        "any other when it runs; the message is the guard's.");

    public static readonly DiagnosticDescriptor KeptContext = Rule(
        "TEN002", "A tenant context outlives its scope", "{0}",
        "A tenant context serves the tenant of its scope. What lives longer than the scope would serve a tenant of " +
        "the past, or nobody.");

    public static readonly DiagnosticDescriptor LiteralSchema = Rule(
        "TEN003", "A tenant model names a schema", "{0}",
        "A tenant model has one schema, the placeholder. A table in any other is the same table for all tenants.");

    public static readonly DiagnosticDescriptor RawCommand = Rule(
        "TEN004", "A tenant's command goes past the guard", "{0}",
        "What is sent by a data source or a connection is neither checked by the guard nor given a schema.");

    public static readonly DiagnosticDescriptor SuppressedTransaction = Rule(
        "TEN005", "A command outside the transaction needs a migration of its own", "{0}",
        "A migration that is interrupted between a command outside the transaction and another can't be continued: " +
        "nobody could say which of them have run. The job refuses it.");

    public static readonly DiagnosticDescriptor BreakingMigration = Rule(
        "TEN006", "A migration breaks older builds", "{0}",
        "While tenants are migrated one after the other, replicas of the older build serve them. A build that still " +
        "reads what is gone fails; with [BreaksOlderBuilds] it answers 503 for that tenant instead.");

    public static readonly DiagnosticDescriptor TenantsAfterAuthentication = Rule(
        "TEN007", "UseTenants comes after UseAuthentication", "{0}",
        "A user store in a tenant's schema would be asked before the tenant is known. UseTenants throws when the " +
        "application starts.");

    private static DiagnosticDescriptor Rule(string id, string title, string message, string why) => new(
        id, title, message, "Tenancy", DiagnosticSeverity.Warning, isEnabledByDefault: true,
        $"{why} See docs/rules/{id}.md.");
}
