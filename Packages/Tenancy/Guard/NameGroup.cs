using System.Collections.Frozen;

namespace Tenancy.Guard;

/// <summary>Names that share a verdict.</summary>
/// <param name="Reason">
/// Why they are allowed, or why they are refused: a sentence without its full stop. A refusal's message quotes it.
/// </param>
/// <param name="Names">The names, separated by white space.</param>
internal sealed record NameGroup(string Reason, string Names)
{
    public IEnumerable<string> All => Split(Names);

    public static string[] Split(string names) =>
        names.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    /// <exception cref="ArgumentException">Two groups have the same name.</exception>
    public static FrozenDictionary<string, string> Reasons(IEnumerable<NameGroup> groups)
    {
        var reasons = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var group in groups)
        {
            foreach (var name in group.All)
            {
                reasons.Add(name, group.Reason);
            }
        }

        return reasons.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
