namespace Web.Fleet;

/// <summary>Migrations that somebody wants to take back.</summary>
/// <param name="Migrations">The newest first.</param>
/// <param name="To">The one before them, which stays.</param>
/// <param name="Has">How many customers of which ring have the oldest of them.</param>
public sealed record TakenBack(IReadOnlyList<string> Migrations, string To, IReadOnlyList<RingShare> Has);
