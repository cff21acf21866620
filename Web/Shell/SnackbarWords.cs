using MudBlazor;
using Web.Api;

namespace Web.Shell;

/// <summary>Problems that belong to no place on the page.</summary>
internal static class SnackbarWords
{
    /// <summary>Long enough to write the trace down.</summary>
    private const int Milliseconds = 20_000;

    /// <summary>Says what went wrong, what to do, and the trace.</summary>
    public static void Tell(this ISnackbar snackbar, Problem problem) => snackbar.Add(
        string.Join(' ', ((string?[])
        [
            problem.Title, problem.Detail, .. problem.Errors.Values.SelectMany(words => words),
            problem.Trace is { } trace ? $"Trace {trace}" : null,
        ]).Where(part => !string.IsNullOrEmpty(part))),
        Severity.Error, options => (options.VisibleStateDuration, options.ShowCloseIcon) = (Milliseconds, true));
}
