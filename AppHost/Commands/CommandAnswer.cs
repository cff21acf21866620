using System.ComponentModel;

namespace AppHost.Commands;

/// <summary>What a command answers: a sentence, and a page that the dashboard opens at once.</summary>
internal static class CommandAnswer
{
    /// <summary>Runs a command. What goes wrong is a failed command with a sentence.</summary>
    public static async Task<ExecuteCommandResult> OfAsync(Func<Task<ExecuteCommandResult>> command)
    {
        try
        {
            return await command();
        }
        catch (OperationCanceledException)
        {
            return CommandResults.Canceled();
        }
        catch (Exception e) when (e is InvalidOperationException or HttpRequestException or Win32Exception)
        {
            return CommandResults.Failure(e.Message);
        }
    }

    /// <param name="sentence">Shown as the notification.</param>
    /// <param name="markdown">Shown as the page.</param>
    public static ExecuteCommandResult Success(string sentence, string markdown) =>
        CommandResults.Success(sentence, markdown.Trim(), CommandResultFormat.Markdown, displayImmediately: true);

    /// <inheritdoc cref="Success"/>
    public static ExecuteCommandResult Failure(string sentence, string markdown) =>
        CommandResults.Failure(sentence, new CommandResultData
        {
            Value = markdown.Trim(), Format = CommandResultFormat.Markdown, DisplayImmediately = true,
        });
}
