using Tenancy.Fleet;

namespace Tenancy.Sql;

/// <summary>
/// A command's text, cut once at every place where the placeholder stands as an identifier. Joined with a tenant's
/// schema it is that tenant's command. Literals, comments and dollar bodies are left as they are: the same characters
/// there are data; but for the name of a sequence, see <see cref="TenantSequence"/>.
/// </summary>
internal sealed class SqlTemplate
{
    private readonly string _text;
    private readonly int[] _places;
    private NameUse[]? _names;
    private AllowList? _passed;
    private bool? _hasAtomicBody;

    private SqlTemplate(string text, int[] places, int? literal)
    {
        _text = text;
        _places = places;
        PlaceholderInLiteral = literal;
    }

    /// <summary>
    /// Where in the text the placeholder stands inside a literal or a dollar body, if it does: it would not be
    /// rewritten.
    /// </summary>
    public int? PlaceholderInLiteral { get; }

    /// <summary>Whether the text names the placeholder at all.</summary>
    public bool NamesTenant => _places.Length > 0;

    /// <summary>See <see cref="DoBlock.HasAtomicBody"/>; looked for once per text.</summary>
    public bool HasAtomicBody => _hasAtomicBody ??= DoBlock.HasAtomicBody(_text);

    public static SqlTemplate Of(string text)
    {
        var tokens = new SqlTokens(text);
        var places = new List<int>();
        int? literal = null;
        while (tokens.Next(out var kind, out var start, out var end))
        {
            var token = text.AsSpan(start, end - start);
            if (kind == SqlToken.QuotedIdentifier && token.SequenceEqual(Quoted))
            {
                places.Add(start);
            }
            else if (kind == SqlToken.Literal
                && token.IndexOf(TenantPlaceholder.Schema, StringComparison.Ordinal) is var at and >= 0)
            {
                literal ??= start + at;
            }
        }

        return literal is null ? new(text, [.. places], null) : WithBodies(text, places);
    }

    /// <summary>The same for a text that has the placeholder in a literal: that may be the body of a routine.</summary>
    /// <param name="text">The command.</param>
    /// <param name="places">Where the placeholder stands as an identifier.</param>
    private static SqlTemplate WithBodies(string text, List<int> places)
    {
        var bodies = BodyText.Starts(text);
        int? literal = null;
        var tokens = new SqlTokens(text);
        // The two tokens before, without space and comments.
        var (before, last) = ("", "");
        while (tokens.Next(out var kind, out var start, out var end))
        {
            if (kind != SqlToken.Literal)
            {
                if (kind == SqlToken.Other && !Lexeme.IsSpace(text[start]))
                {
                    (before, last) = (last, text[start..end].ToLowerInvariant());
                }

                continue;
            }

            if (!bodies.Contains(start))
            {
                var content = text.AsSpan(start, end - start);
                if (last == "(" && TenantSequence.IsTakenBy(before) && TenantSequence.Is(content))
                {
                    places.Add(start + 1);
                    continue;
                }

                var at = content.IndexOf(TenantPlaceholder.Schema, StringComparison.Ordinal);
                literal ??= at < 0 ? null : start + at;
                continue;
            }

            // The guard has read the body, or will: in its identifiers and nowhere else stands the placeholder.
            for (var at = start; (at = text.IndexOf(Quoted, at, end - at, StringComparison.Ordinal)) >= 0; at++)
            {
                places.Add(at);
            }
        }

        places.Sort();
        return new(text, [.. places], literal) { InBodies = bodies.Count > 0 };
    }

    /// <summary>Whether a routine keeps the schema's name in its body.</summary>
    public bool InBodies { get; private init; }

    /// <summary>Whether a routine may keep the schema's name in its settings.</summary>
    public bool SetsPath => _text.Contains("search_path", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Refuses what no tenant's command may do. Decided once for a text and a list; after that it costs the comparison
    /// of two references.
    /// </summary>
    /// <exception cref="CommandRefusedException">The message says what is refused, and what to write
    /// instead.</exception>
    /// <param name="shared">What it may name besides the tenant's own.</param>
    /// <param name="metrics">Counts refusals.</param>
    /// <param name="inMigration">Whether a migration has it: then it may have DO blocks.</param>
    public void Guard(AllowList shared, TenancyMetrics? metrics = null, bool inMigration = false)
    {
        if (ReferenceEquals(_passed, shared))
        {
            return;
        }

        try
        {
            foreach (var name in _names ??= StatementReader.Names(_text, inMigration))
            {
                name.Check(shared);
            }
        }
        catch (CommandRefusedException refusal)
        {
            metrics?.Refuse(refusal.Rule);
            throw;
        }

        _passed = shared;
    }

    /// <summary>
    /// The tenant's command. No allocation but the result; the text itself where nothing is to be rewritten.
    /// </summary>
    public string Rewrite(SchemaName schema)
    {
        if (_places.Length == 0)
        {
            return _text;
        }

        var name = schema.Value;
        // Between the quotes: a SchemaName has no character that needs escaping there.
        var length = _text.Length + _places.Length * (name.Length - TenantPlaceholder.Schema.Length);
        return string.Create(length, (Template: this, name), static (target, state) =>
        {
            var (template, name) = state;
            var text = template._text.AsSpan();
            var from = 0;
            foreach (var place in template._places)
            {
                var upTo = place + 1;
                text[from..upTo].CopyTo(target);
                target = target[(upTo - from)..];
                name.CopyTo(target);
                target = target[name.Length..];
                from = upTo + TenantPlaceholder.Schema.Length;
            }

            text[from..].CopyTo(target);
        });
    }

    private const string Quoted = $"\"{TenantPlaceholder.Schema}\"";
}
