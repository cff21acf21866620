using System.Text.RegularExpressions;

namespace Web.Shell;

/// <summary>
/// The time zone of the reader's browser. It flows as the culture does: a circuit inherits it from the request that
/// opens it, where <c>zone.js</c> has written it into a cookie.
/// </summary>
internal static partial class ReaderZone
{
    private const string Cookie = "zone";

    private static readonly AsyncLocal<TimeZoneInfo?> Flowing = new();

    /// <summary>Null where the browser didn't say: times are then in UTC, and say so.</summary>
    public static TimeZoneInfo? Current
    {
        get => Flowing.Value;
        set => Flowing.Value = value;
    }

    public static void UseReaderZone(this WebApplication app) => app.Use(static async (http, next) =>
    {
        Current = Find(http.Request.Cookies[Cookie]);
        await next(http);
    });

    /// <summary>The reader's day.</summary>
    public static DateOnly Today(TimeProvider time) => DateOnly.FromDateTime(Of(time.GetUtcNow()).DateTime);

    /// <summary>A moment as the reader's clock shows it.</summary>
    public static DateTimeOffset Of(DateTimeOffset moment) =>
        TimeZoneInfo.ConvertTime(moment, Current ?? TimeZoneInfo.Utc);

    /// <summary>The zone of that name; null for none. A name from outside is a path to the time zones' files.</summary>
    internal static TimeZoneInfo? Find(string? name) =>
        name is { Length: <= 64 } && Named().IsMatch(name) && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone)
            ? zone
            : null;

    [GeneratedRegex(@"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}\z")]
    private static partial Regex Named();
}
