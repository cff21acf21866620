namespace Tenancy.Transfer;

/// <summary>A temporary file with what a stream has, for who has to seek. It is gone when it is closed.</summary>
internal static class SpooledFile
{
    /// <param name="file">Read to its end.</param>
    /// <param name="most">At most so many bytes.</param>
    /// <param name="ct">Ends it; nothing stays.</param>
    /// <exception cref="TenantTransferException">It is longer.</exception>
    public static async Task<FileStream> OfAsync(Stream file, long most, CancellationToken ct)
    {
        var kept = New();
        try
        {
            using var passed = new RowStream();
            await passed.PassAsync(file, kept, () =>
            {
                if (passed.Bytes > most)
                {
                    throw new TenantTransferException(
                        $"The file is longer than {most} bytes (TenantImportLimits).");
                }
            }, ct);
            kept.Position = 0;
            return kept;
        }
        catch
        {
            await kept.DisposeAsync();
            throw;
        }
    }

    /// <summary>An empty one. It is for nobody else: it has all that a tenant stores.</summary>
    public static FileStream New()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), options);
    }
}
