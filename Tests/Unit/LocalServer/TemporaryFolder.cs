using System.Globalization;

namespace Tests.Unit.LocalServer;

/// <summary>A folder with a space in its name that every user is let through to, deleted at the end.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("apphost tests ");

    public TemporaryFolder() => SetMode(_folder.FullName, "755");

    public string this[string name] => Path.Combine(_folder.FullName, name);

    /// <summary>Makes a folder with Unix permissions in octal digits.</summary>
    public string Folder(string name, string mode = "755")
    {
        var folder = Directory.CreateDirectory(this[name]).FullName;
        SetMode(folder, mode);
        return folder;
    }

    /// <summary>Makes an executable shell script.</summary>
    public string Script(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllText(this[name], $"#!/bin/sh\n{text}\n");
        SetMode(this[name], "755");
        return this[name];
    }

    /// <summary>Whether only its owner has any access.</summary>
    public static bool IsPrivate(string path) => OperatingSystem.IsWindows()
        || (File.GetUnixFileMode(path) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute))
            == 0;

    public void Dispose()
    {
        foreach (var folder in _folder.EnumerateDirectories())
        {
            SetMode(folder.FullName, "700");
        }

        _folder.Delete(recursive: true);
    }

    private static void SetMode(string path, string mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path,
                (UnixFileMode)mode.Aggregate(
                    0, (bits, digit) => (bits << 3) | CharUnicodeInfo.GetDecimalDigitValue(digit)));
        }
    }
}
