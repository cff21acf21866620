using Aspire.Hosting.Publishing;
using Data.Access;

namespace AppHost;

/// <summary>
/// The first operator's key: generated once and kept in the user secrets. The dashboard shows it among the parameters.
/// With it an operator signs in to the console and makes further keys, and the dashboard's commands call the API.
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

    private sealed class Generated : ParameterDefault
    {
        public override string GetDefaultValue() => ApiKeyText.New(isOperators: true).ToString();

        /// <summary>A manifest's tool makes a text of its own, of the same strength.</summary>
        public override void WriteToManifest(ManifestPublishingContext context) =>
            new GenerateParameterDefault { MinLength = 48, Special = false }.WriteToManifest(context);
    }
}
