namespace AppHost.Failures;

/// <summary>What the end of a resource means, and what to do about it.</summary>
internal static class Remedies
{
    /// <summary>What happened, in a few words.</summary>
    public static string Meaning(string resource, int? exitCode) => (resource, exitCode) switch
    {
        ("migrations", 1) => "customers failed",
        ("migrations", 2) => "the database or the shared schema failed",
        ("migrations", 3) => "the run was halted",
        ("migrations", 4) => "the build has a migration that no customer's schema can get",
        ("migrations", 64) => "its arguments are wrong",
        ("migrations", 130) => "it was cancelled",
        ("migrations", _) => "it crashed",
        (_, 0) => "it ended by itself",
        _ => "it crashed or was killed",
    };

    /// <summary>What mends it. It ends with how the resource starts again.</summary>
    /// <param name="resource">Its name.</param>
    /// <param name="exitCode">Null if it didn't get so far.</param>
    /// <param name="saidWhy">Whether its log has a message that names what is wrong.</param>
    public static string ToDo(string resource, int? exitCode, bool saidWhy) => (resource, exitCode) switch
    {
        ("migrations", 1) => $"mend what the failed customers' errors name ({Listed}), then {Start(resource)}.",
        ("migrations", 2) => $"mend what the message names, then {Start(resource)}.",
        ("migrations", 3) => $"if customers failed, mend what their errors name ({Listed}); then {Start(resource)}.",
        ("migrations", 4) => "correct the migration that the message names, then start the application again.",
        ("migrations", 64) => "correct WithArgs of migrations in AppHost.cs and start the application again.",
        ("postgres", _) => $"{Start(resource)}. Its data is safe. The API answers 503 until then.",
        _ when !saidWhy => $"{Start(resource)}. Its log doesn't say why it ended.",
        _ => $"mend what the message names, then {Start(resource)}.",
    };

    private const string Listed = "'aspire resource migrations status' lists them";

    private static string Start(string resource) =>
        $"run 'aspire resource {resource} start' or press Start on {resource} in the dashboard";
}
