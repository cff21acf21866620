namespace Web.Fleet;

/// <summary>Migrations that somebody wants to take back.</summary>
/// <param name="Migrations">The newest first.</param>
/// <param name="To">The one before them, which stays.</param>
/// <param name="Database">See <see cref="FleetDatabase.Choice"/>; null for all databases.</param>
public sealed record TakenBack(IReadOnlyList<string> Migrations, string To, string? Database);
