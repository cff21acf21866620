using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Data.Access;

/// <summary>
/// A key's text: <c>tko_</c> (an operator's) or <c>tkc_</c> (a customer's), an id of 16 letters and digits, <c>_</c>,
/// and a secret of 256 random bits in base64url. A program that looks for leaked secrets knows it by its beginning.
/// </summary>
/// <param name="Id">Finds the key's row.</param>
/// <param name="Secret">Proves that the caller has the key.</param>
/// <param name="IsOperators">Whether it is an operator's.</param>
public sealed partial record ApiKeyText(string Id, string Secret, bool IsOperators)
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyz234567";

    /// <summary>A new key.</summary>
    public static ApiKeyText New(bool isOperators) => new(
        RandomNumberGenerator.GetString(Letters, 16), Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)),
        isOperators);

    /// <summary>Takes a key's text apart.</summary>
    /// <returns>Null where it can't be one.</returns>
    public static ApiKeyText? Parse(string? text) =>
        text is { Length: < 100 } && Allowed().Match(text) is { Success: true } match
            ? new(match.Groups["id"].Value, match.Groups["secret"].Value,
                text.StartsWith("tko_", StringComparison.Ordinal))
            : null;

    /// <summary>What is stored of a secret.</summary>
    public static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    /// <summary>Whether this key's secret has that hash; the time doesn't depend on where they differ.</summary>
    public bool Has(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(HashOf(Secret), hash);

    /// <summary>The whole text: shown once.</summary>
    public override string ToString() => $"{(IsOperators ? "tko" : "tkc")}_{Id}_{Secret}";

    [GeneratedRegex(@"^tk[oc]_(?<id>[a-z2-7]{16})_(?<secret>[A-Za-z0-9_-]{43})\z")]
    private static partial Regex Allowed();
}
