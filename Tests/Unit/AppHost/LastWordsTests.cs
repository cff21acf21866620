using AppHost.Failures;
using Xunit;

namespace Tests.Unit.AppHost;

public sealed class LastWordsTests
{
    [Fact]
    public void Of_a_dotnet_log_it_is_the_last_error_without_its_stack_trace() => Assert.Equal(
        ["The database or the shared schema failed, nothing more was tried: 28P01: password authentication failed"],
        LastWords.Of(
        [
            "2026-11-26T01:02:03.123Z \u001b[32minfo\u001b[39m: MigrationService.MigrationJob[1]",
            "2026-11-26T01:02:03.124Z       Something else.",
            "2026-11-26T01:02:03.125Z \u001b[41mcrit\u001b[39m: MigrationService.MigrationJob[2]",
            "2026-11-26T01:02:03.126Z       The database or the shared schema failed, nothing more was tried: 28P01: " +
            "password authentication failed",
            "2026-11-26T01:02:03.127Z       Npgsql.PostgresException (0x80004005): 28P01: password " +
            "authentication failed",
            "2026-11-26T01:02:03.128Z          at Npgsql.Internal.NpgsqlConnector.ReadMessage()",
        ]));

    [Fact]
    public void Of_a_crash_it_is_the_exception_that_nobody_caught() => Assert.Equal(
        ["Unhandled exception. System.InvalidOperationException: The login is refused."],
        LastWords.Of(
            ["info: Api[0]", "      Now listening.",
                "Unhandled exception. System.InvalidOperationException: The login is refused.",
                "   at Program.Main()"]));

    [Fact]
    public void Of_postgres_it_is_its_last_complaints() => Assert.Equal(
        ["2026-11-26 01:02:03.123 UTC [7] FATAL:  could not write lock file"],
        LastWords.Of(
            ["2026-11-26 01:02:03.120 UTC [7] LOG:  starting PostgreSQL 15",
                "2026-11-26 01:02:03.123 UTC [7] FATAL:  could not write lock file",
                "2026-11-26 01:02:03.124 UTC [7] LOG:  database system is shut down"]));

    [Fact]
    public void Of_a_program_that_was_killed_the_last_things_it_logged_say_nothing() => Assert.Empty(
        LastWords.Of(
            ["[sys] Starting process...: Cmd = /usr/bin/dotnet", "info: Npgsql.Command[2001]",
                "      Command execution completed: SELECT 1", "      ORDER BY name"]));

    [Fact]
    public void Of_a_program_that_refuses_its_arguments_they_are_its_standard_error_and_not_its_help() => Assert.Equal(
        ["Unrecognized argument '--bogus'."],
        LastWords.Of(
            ["Waiting for resource 'tenants'.", "Unrecognized argument '--bogus'.", "Usage:", "  job [options]"],
            "Unrecognized argument '--bogus'."));

    [Fact]
    public void Of_a_program_without_a_log_they_are_its_last_lines() => Assert.Equal(
        ["Out of memory."],
        LastWords.Of(["info: Api[0]", "      Now listening.", "Out of memory."]));

    [Fact]
    public void Of_an_empty_log_there_are_none() => Assert.Empty(LastWords.Of(["", "  "]));
}
