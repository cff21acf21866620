using System.Text.Json;

namespace Tenancy.Hosting.Sources;

/// <summary>
/// The container volume that an AppHost used last. A stopped engine can't be asked for its volumes, so the AppHost
/// remembers: customers in the volume must not look lost while the engine is stopped.
/// </summary>
/// <param name="Volume">The volume's name.</param>
/// <param name="Engine">The engine's name.</param>
/// <param name="WasLast">Whether it was the source of the AppHost's last run.</param>
internal sealed record UsedVolume(string Volume, string Engine, bool WasLast)
{
    /// <summary>Reads the file. Null when there is none or it can't be read.</summary>
    public static UsedVolume? Read(string file)
    {
        try
        {
            return File.Exists(file) ? JsonSerializer.Deserialize<UsedVolume>(File.ReadAllText(file)) : null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>
    /// Writes it down. A folder that can't be written to costs a warning in a later run, and nothing else.
    /// </summary>
    public void Write(string file)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, JsonSerializer.Serialize(this));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>Forgets it: the volume is gone.</summary>
    public static void Forget(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
        }
    }
}
