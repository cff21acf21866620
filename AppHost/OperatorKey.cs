using Aspire.Hosting.Publishing;
using Data.Access;

namespace AppHost;

/// <summary>
/// The first operator's key: generated once and kept in the user secrets. The dashboard shows it among the parameters.
/// With it the console and the dashboard's commands call the API, and an operator makes further keys.
/// </summary>
internal static class OperatorKey
{
    private const string Name = "operator-key";

    public static IResourceBuilder<ParameterResource> AddOperatorKey(this IDistributedApplicationBuilder builder) =>
        builder.AddParameter(Name, new Generated(), secret: true, persist: true)
            .WithDescription("The first operator's API key: Authorization: Bearer KEY.");

    /// <summary>The API takes it.</summary>
    public static IResourceBuilder<ProjectResource> TakesOperatorKey(
        this IResourceBuilder<ProjectResource> api, IResourceBuilder<ParameterResource> key) =>
            api.WithEnvironment("Authentication__OperatorKey", key);

    /// <summary>The console sends it.</summary>
    public static IResourceBuilder<ProjectResource> SendsOperatorKey(
        this IResourceBuilder<ProjectResource> console, IResourceBuilder<ParameterResource> key) =>
            console.WithEnvironment("Api__Key", key);

    private sealed class Generated : ParameterDefault
    {
        public override string GetDefaultValue() => ApiKeyText.New(isOperators: true).ToString();

        /// <summary>A manifest's tool makes a text of its own, of the same strength.</summary>
        public override void WriteToManifest(ManifestPublishingContext context) =>
            new GenerateParameterDefault { MinLength = 48, Special = false }.WriteToManifest(context);
    }
}
