using System.Globalization;

namespace Tenancy;

/// <summary>A node of a Citus cluster, as the coordinator knows it (<c>pg_dist_node</c>).</summary>
/// <param name="Host">Its name or address, as it was registered.</param>
/// <param name="Port">Its port.</param>
public sealed record TenantNode(string Host, int Port)
{
    /// <summary>Reads <c>host:port</c>; an IPv6 address has brackets: <c>[::1]:5432</c>.</summary>
    /// <exception cref="FormatException">It is written otherwise.</exception>
    public static TenantNode Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var colon = text.LastIndexOf(':');
        return colon > 0
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port is > 0 and <= ushort.MaxValue
            && (text[0] == '[' ? text[..colon].EndsWith(']') : !text[..colon].Contains(':', StringComparison.Ordinal))
                ? new(text[..colon].Trim('[', ']'), port)
                : throw new FormatException(
                    $"'{text}' names no node: write HOST:PORT as the coordinator knows it, e.g. worker-2:5432.");
    }

    /// <summary><c>host:port</c>, as <see cref="Parse"/> reads it.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}");

    /// <summary>Names of hosts don't differ by case.</summary>
    internal bool Is(TenantNode other) =>
        Port == other.Port && Host.Equals(other.Host, StringComparison.OrdinalIgnoreCase);
}
