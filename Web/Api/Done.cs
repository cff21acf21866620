namespace Web.Api;

/// <summary>The answer of a call that has nothing to say but that it was done: <c>204 No Content</c>.</summary>
public sealed class Done
{
    /// <summary>All of them are the same.</summary>
    public static Done Value { get; } = new();
}
