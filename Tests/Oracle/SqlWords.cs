namespace Tests.Oracle;

/// <summary>
/// The names and constants of random statements. Most relations are the tenant's, or hardly a statement would be
/// allowed; aliases often have another schema's name, or a key word for a name.
/// </summary>
internal sealed class SqlWords(Random random)
{
    private static readonly string[] Columns = ["id", "name", "x", "y", "\"from\"", "value", "set", "key", "type",
        "other", "update", "path", "first", "values", "no", "partition", "over", "day"];

    private static readonly string[] Aliases = ["a", "b", "other", "public", "x", "\"select\"", "tenancy", "set_",
        "lines", "contacts"];

    private static readonly Dictionary<string, string[]> Words = new(StringComparer.Ordinal)
    {
        ["relation"] = ["\"__Tenant__\".lines", "\"__Tenant__\".contacts", "\"__Tenant__\" . \"other\"",
            "\"__Tenant__\"/* x */.lines", "\"__Tenant__\".lines", "\"__Tenant__\".contacts", "\"__Tenant__\".lines",
            "public.shared", "other.contacts", "\"other\".lines", "secrets", "x", "y"],
        ["alias"] = [.. Aliases, "value", "no"],
        ["bare_alias"] = Aliases,
        ["target_alias"] = ["a", "b", "other", "public"],
        ["label"] = ["v", "select", "from", "other", "where", "\"x y\"", "pg_sleep", "union"],
        ["bare_label"] = ["v", "select", "case", "end", "join", "left", "values", "table", "union_", "on_", "only",
            "user", "all", "do"],
        ["column"] = Columns,
        ["schema"] = ["\"__Tenant__\"", "pg_catalog", "\"__Tenant__\"", "pg_catalog", "other"],
        ["function"] = ["lower", "\"__Tenant__\".f", "abs", "public.f", "sum", "count", "left", "right",
            "other.f", "pg_catalog.now", "pg_terminate_backend", "lower", "abs", "sum", "generate_series"],
        ["type"] = ["text", "int4", "\"__Tenant__\".mood", "uuid", "citext", "pg_catalog.text", "other.mood", "jsonb"],
        ["qualified"] = ["\"C\"", "\"__Tenant__\".c", "pg_catalog.\"default\"", "other.c"],
        ["opclass"] = ["text_ops", "\"__Tenant__\".ops", "other.ops"],
        ["count"] = ["1", "2", "10", "1_000"],
        ["string"] = ["'x'", "E'it\\'s'", "$$a 'b'$$", "'$.a'", "$t$ FROM other.x $t$", "'a''b'"],
        ["constant"] = ["1", "1.", ".5", "1e-5", "1.5e3", "0x1F", "0b1", "0o7", "'x'", "B'1'", "X'F'", "N'x'",
            "$$other.contacts$$", "1_0.2_5", "U&'a'"],
        ["parameter"] = ["$1", "$2", "$12"],
        ["parameter_name"] = ["days", "x", "value"],
    };

    public string Draw(string kind) =>
        Words.TryGetValue(kind, out var words)
            ? words[random.Next(words.Length)]
            : throw new InvalidOperationException($"statements.grammar draws '{kind}', and there are no such words.");
}
