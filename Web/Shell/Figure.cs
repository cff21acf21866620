namespace Web.Shell;

/// <summary>One bar of a chart, and its words.</summary>
/// <param name="Label">What is counted.</param>
/// <param name="Number">How many there are.</param>
/// <param name="Tone">
/// <c>good</c>, <c>bad</c>, <c>warn</c> or <c>plain</c>: the bar's colour, never its only word.
/// </param>
/// <param name="Note">What it means, in some words; null for nothing to say.</param>
/// <param name="Href">Where those that are counted are listed; null for nowhere.</param>
public sealed record Figure(string Label, int Number, string Tone = "plain", string? Note = null, string? Href = null);
