using System.Security.Cryptography;
using System.Text;

namespace Tenancy.Roles;

/// <summary>
/// The verifier that PostgreSQL keeps instead of a password (RFC 5802 and 7677). It is computed here, as psql's
/// <c>\password</c>
/// does, because a password in a statement ends up in the server's log; from this one nobody can log in.
/// </summary>
internal static class ScramVerifier
{
    // PostgreSQL's own number and length.
    private const int Iterations = 4096;
    private const int SaltLength = 16;

    public static string Of(string password) => Of(password, RandomNumberGenerator.GetBytes(SaltLength));

    /// <returns>Letters, digits and <c>$+/=:-</c> only, so it can stand in an SQL literal.</returns>
    internal static string Of(string password, byte[] salt)
    {
        // Npgsql normalizes so before it proves that it knows the password.
        var normalized = Encoding.UTF8.GetBytes(password.Normalize(NormalizationForm.FormKC));
        var salted = Rfc2898DeriveBytes.Pbkdf2(
            normalized, salt, Iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        var stored = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8));
        var server = HMACSHA256.HashData(salted, "Server Key"u8);
        return $"SCRAM-SHA-256${Iterations}:{Convert.ToBase64String(salt)}${Convert.ToBase64String(stored)}:{Convert.ToBase64String(server)}";
    }
}
