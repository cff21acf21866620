namespace Tenancy.Citus;

/// <summary>What Citus refuses in a tenant's schema, or does otherwise than one expects.</summary>
/// <param name="Why">A sentence.</param>
/// <param name="Instead">A sentence: what to write.</param>
internal sealed record CitusRefusal(string Why, string Instead);
