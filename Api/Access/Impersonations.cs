using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Data.Access;
using Data.Customers;

namespace Api.Access;

/// <summary>An operator who acts for a customer for a short time.</summary>
/// <param name="Id">In the audit table with each use.</param>
/// <param name="Operator">Who acts.</param>
/// <param name="CustomerId">For whom.</param>
/// <param name="Slug">The customer's slug when the token was made.</param>
/// <param name="Reason">Why.</param>
/// <param name="Until">Until when.</param>
internal sealed record Impersonation(
    Guid Id, string Operator, Guid CustomerId, string Slug, string Reason, DateTimeOffset Until);

/// <summary>
/// Signs the tokens by which operators act for customers, and writes each use down. A token is <c>tki_</c>, what it
/// says, and a signature (HMAC-SHA256). Its key comes from the first operator's key, which all processes have.
/// </summary>
internal sealed class Impersonations(IConfiguration configuration, IServiceScopeFactory scopes, TimeProvider time)
{
    public const string Prefix = "tki_";

    /// <summary>The longest that one lasts.</summary>
    public const int MostMinutes = 60;

    /// <summary>The claim that has the id, where an operator acts.</summary>
    public const string Claim = "impersonation";

    private const int SignatureLength = 43;

    private readonly byte[]? _key = KeyOf(configuration);

    /// <summary>Whether there is a key to sign with.</summary>
    public bool IsPossible => _key is not null;

    /// <summary>Makes a token, and writes that down.</summary>
    public async Task<(string Token, Impersonation Said)> StartAsync(
        string by, Customer customer, string reason, TimeSpan lifetime, HttpContext http)
    {
        var said = new Impersonation(
            Guid.CreateVersion7(), Cut(by, AuditEntry.LongestOperator), customer.Id, customer.Slug, reason,
                time.GetUtcNow() + lifetime);
        await WriteAsync("started", said, http);
        var payload = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(said));
        return ($"{Prefix}{payload}.{Sign(payload)}", said);
    }

    /// <summary>Reads a token, and writes its use down before anything is done with it.</summary>
    /// <returns>The customer's user; null where the token is forged or over.</returns>
    public async Task<ClaimsPrincipal?> UseAsync(string token, string scheme, HttpContext http)
    {
        if (_key is null || Read(token) is not { } said || said.Until <= time.GetUtcNow())
        {
            return null;
        }

        await WriteAsync("used", said, http);
        var caller = Caller.Of(scheme, $"{said.Operator} for {said.Slug}", said.Slug, said.CustomerId);
        ((ClaimsIdentity)caller.Identity!).AddClaim(new(Claim, said.Id.ToString()));
        return caller;
    }

    private Impersonation? Read(string token)
    {
        var parts = token[Prefix.Length..].Split('.');
        if (parts is not [var payload, { Length: SignatureLength } signature]
            || !CryptographicOperations.FixedTimeEquals(
                Encoding.ASCII.GetBytes(Sign(payload)), Encoding.UTF8.GetBytes(signature)))
        {
            return null;
        }

        // Signed: it is what was written.
        return JsonSerializer.Deserialize<Impersonation>(Base64Url.DecodeFromChars(payload));
    }

    private string Sign(string payload) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(_key!, Encoding.UTF8.GetBytes(payload)));

    private async Task WriteAsync(string kind, Impersonation said, HttpContext http)
    {
        var path = http.Request.Path.Value ?? "";
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CustomersContext>();
        db.Audit.Add(new()
        {
            At = time.GetUtcNow(), Kind = kind, Impersonation = said.Id, Operator = said.Operator,
            CustomerId = said.CustomerId, Slug = said.Slug, Reason = said.Reason, Method = http.Request.Method,
            Path = Cut(path, AuditEntry.LongestPath),
            TraceId = Activity.Current?.TraceId.ToString(),
        });
        await db.SaveChangesAsync(http.RequestAborted);
    }

    private static string Cut(string text, int longest) => text.Length > longest ? text[..longest] : text;

    private static byte[]? KeyOf(IConfiguration configuration) =>
        configuration[KnownKeys.OperatorSetting] is { Length: > 0 } key
            ? HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(key), 32,
                info: "impersonation"u8.ToArray())
            : null;
}
