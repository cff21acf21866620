namespace Tenancy.Postgres;

/// <summary>
/// There is no PostgreSQL to start the application on. The message tells the developer what to do about it.
/// </summary>
public sealed class NoPostgresException(string message) : Exception(message)
{
    /// <summary>
    /// From now on this exception, when nothing catches it, ends the process with code 1 and its message alone: it is
    /// written for the person who typed <c>dotnet run</c>, and a stack trace would bury it. A test that builds the
    /// AppHost still sees it thrown.
    /// </summary>
    public static void IsShownPlainly()
    {
        AppDomain.CurrentDomain.UnhandledException -= Show;
        AppDomain.CurrentDomain.UnhandledException += Show;
    }

    private static void Show(object sender, UnhandledExceptionEventArgs e)
    {
        if (e.ExceptionObject is NoPostgresException problem)
        {
            Console.Error.WriteLine(problem.Message);
            Environment.Exit(1);
        }
    }
}
