namespace Tenancy.Cli.Commands;

/// <summary>The command line names something that isn't there; the message says what to write instead.</summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);
