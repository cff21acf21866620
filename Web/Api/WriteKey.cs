namespace Web.Api;

/// <summary>
/// The idempotency key of a form. As long as the content is the same, the key is: after an unclear answer somebody may
/// press the button again, and nothing is written twice.
/// </summary>
public sealed class WriteKey
{
    internal const string Header = "Idempotency-Key";

    private string? _content;
    private string _key = "";

    /// <summary>The key for a request.</summary>
    /// <param name="content">All that makes the request another one.</param>
    public string For(string content)
    {
        if (content != _content)
        {
            (_content, _key) = (content, Guid.NewGuid().ToString());
        }

        return _key;
    }
}
