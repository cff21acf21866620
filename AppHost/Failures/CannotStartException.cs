namespace AppHost.Failures;

/// <summary>
/// The application can't be started here and now. The message tells the developer why and what to do about it.
/// </summary>
public sealed class CannotStartException(string message) : Exception(message)
{
    /// <summary>
    /// From now on this exception, when nothing catches it, ends the process with code 1 and its message alone, without
    /// a stack trace.
    /// </summary>
    public static void IsShownPlainly()
    {
        AppDomain.CurrentDomain.UnhandledException -= Show;
        AppDomain.CurrentDomain.UnhandledException += Show;
    }

    private static void Show(object sender, UnhandledExceptionEventArgs e)
    {
        // The event that it was thrown in wraps it.
        if (e.ExceptionObject is Exception thrown && thrown.GetBaseException() is CannotStartException problem)
        {
            Console.Error.WriteLine(problem.Message);
            Environment.Exit(1);
        }
    }
}
