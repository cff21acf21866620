namespace Tenancy.Cli.Reports;

/// <summary>The format of a report.</summary>
internal enum ReportFormat
{
    /// <summary>For a terminal.</summary>
    Text,

    /// <summary>For programs.</summary>
    Json,

    /// <summary>For pages that show Markdown, e.g. the Aspire dashboard.</summary>
    Markdown,
}
