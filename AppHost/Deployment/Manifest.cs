namespace AppHost.Deployment;

/// <summary>What the manifest says beyond Aspire's own words.</summary>
internal static class Manifest
{
    /// <summary>
    /// Adds <c>"job": { "succeedsWith": 0 }</c> to the project's entry. The manifest's format has no word for a program
    /// that ends, and a tool that doesn't know this one would restart the program for ever.
    /// </summary>
    public static IResourceBuilder<ProjectResource> PublishAsJob(this IResourceBuilder<ProjectResource> job) =>
        job.WithManifestPublishingCallback(async context =>
        {
            context.Writer.WriteString("type", "project.v0");
            context.Writer.WriteString(
                "path", context.GetManifestRelativePath(job.Resource.GetProjectMetadata().ProjectPath));
            context.Writer.WriteStartObject("job");
            context.Writer.WriteNumber("succeedsWith", 0);
            context.Writer.WriteEndObject();
            await context.WriteCommandLineArgumentsAsync(job.Resource);
            await context.WriteEnvironmentVariablesAsync(job.Resource);
        });

    /// <summary>
    /// Opens the project's endpoints to the outside: in run mode those it has, in publish mode https alone. Whatever
    /// stands in front of a published program ends TLS.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithExternalHttps(this IResourceBuilder<ProjectResource> project) =>
        project.ApplicationBuilder.ExecutionContext.IsPublishMode
            ? project.WithEndpoint("https", endpoint => endpoint.IsExternal = true)
            : project.WithExternalHttpEndpoints();
}
