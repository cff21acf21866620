using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace Tenancy.Guard;

/// <summary>
/// Which settings a tenant's command may set for its transaction, by SET LOCAL or set_config('name', value, true).
/// Reading is free: SHOW and current_setting see nothing of another tenant's, because none sets anything that lasts.
/// </summary>
internal static partial class SettingRules
{
    private static readonly FrozenSet<string> Settable =
        SettingLists.Settable.SelectMany(group => group.All).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, string> Reasons =
        NameGroup.Reasons(SettingLists.Refused).ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Whether the setting may be set for the transaction. A name with a dot is the application's own
    /// (<c>app.user_id</c>), unless its prefix is an extension's that isn't known to be harmless.
    /// </summary>
    /// <param name="setting">The name as PostgreSQL knows it, in any case; for SET LOCAL TIME ZONE: TimeZone.</param>
    public static bool MaySet(string setting) => WhyNotSet(setting) is null;

    /// <summary>Why <see cref="MaySet"/> is false: a sentence without full stop; null if it is true.</summary>
    public static string? WhyNotSet(string setting)
    {
        if (Settable.Contains(setting))
        {
            return null;
        }

        if (setting.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot)
        {
            return SettingLists.ExtensionPrefixes.Contains(setting[..dot])
                ? $"{setting} belongs to an extension, whose work for all tenants it may change"
                : null;
        }

        return Reasons.TryGetValue(setting, out var reason)
            ? $"{setting} {reason}"
            : $"{setting} isn't on the list of settings that a tenant's command may change";
    }

    /// <summary>
    /// The setting's name in set_config's first argument; null unless that is a plain literal: <c>'...'</c> with
    /// letters, digits, underscores and dots. A parameter, an expression, and a literal in another form
    /// (<c>E'...'</c>, <c>$$...$$</c>, <c>U&amp;'...'</c>) hide the name.
    /// </summary>
    /// <param name="argument">The argument's text, quotes included, without space around it.</param>
    public static string? PlainName(string argument) => Plain().IsMatch(argument) ? argument[1..^1] : null;

    [GeneratedRegex(@"\A'[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*'\z", RegexOptions.CultureInvariant)]
    private static partial Regex Plain();
}
