using System.Buffers.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Api;

/// <summary>
/// Where a page ended: base64url of a small JSON object. It says nothing that its reader hasn't seen, and allows
/// nothing that he may not, so it isn't signed.
/// </summary>
internal sealed record Cursor<TKey, TId>(string Sort, bool Descending, TKey? Key, TId Id)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.Strict,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        // Short: base64 makes it safe in an address anyway.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string Write() => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(this, Json));

    /// <returns>Null where the text is none of <see cref="Write"/>'s.</returns>
    public static Cursor<TKey, TId>? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<Cursor<TKey, TId>>(Base64Url.DecodeFromChars(text), Json) is { } cursor
                && !Holds(cursor.Key, '\0')
                ? cursor
                : null;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>PostgreSQL's text holds every character but U+0000.</summary>
    private static bool Holds(TKey? key, char letter) => key is string text && text.Contains(letter);
}
