using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration.UserSecrets;

namespace Aspire.Hosting;

/// <summary>The AppHost's user secrets, the file that <c>dotnet user-secrets</c> edits.</summary>
internal static class UserSecretsFile
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes the value under the key unless there is one, and returns the one that is there.</summary>
    public static string Keep(Assembly appHost, string key, string value)
    {
        var id = appHost.GetCustomAttribute<UserSecretsIdAttribute>()?.UserSecretsId
            ?? throw new DistributedApplicationException($"'{key}' is to be kept between runs, so the AppHost's project needs a UserSecretsId.");
        var path = PathHelper.GetSecretsPathFromSecretsId(id);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);

        // Two AppHosts that start at once must agree on one value: the file is held from reading to writing.
        using var file = Hold(path);
        var secrets = file.Length == 0 ? [] : JsonNode.Parse(file)!.AsObject();
        if (secrets[key]?.GetValue<string>() is { } existing)
        {
            return existing;
        }

        secrets[key] = value;
        file.SetLength(0);
        JsonSerializer.Serialize(file, secrets, Indented);
        return value;
    }

    private static FileStream Hold(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return new FileStream(path, options);
            }
            catch (IOException) when (attempt < 50)
            {
                Task.Delay(100).GetAwaiter().GetResult();
            }
        }
    }
}
