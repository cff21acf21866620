using Tenancy;
using Tenancy.Sql;
using Xunit;

namespace Tests.Unit.Sql;

/// <summary>Bodies in PL/pgSQL that are cut off, nested too deeply, or use what people seldom write.</summary>
public sealed class PlpgsqlReaderTests
{
    private const string Body =
        """
        <<outside>> DECLARE a int := 1; b "__Tenant__".things%ROWTYPE; c CURSOR (n int) FOR SELECT "__Tenant__".f(n);
        BEGIN
            IF a = 1 THEN a := 2; ELSIF a > 2 THEN NULL; ELSE RAISE NOTICE '% %', a, b.x USING HINT = 'h'; END IF;
            FOR i IN REVERSE 1..a LOOP many[i::int][2:a] := a; END LOOP;
            SELECT x.* INTO STRICT b FROM "__Tenant__".things AS x WHERE x.id = outside.a FOR UPDATE;
            EXECUTE format('DELETE FROM "__Tenant__".%I WHERE id = $1', 'things') USING a;
            CASE WHEN a = 1 THEN RETURN NEXT a; ELSE PERFORM pg_notify('x', 'y'); END CASE;
            BEGIN OPEN c(n := 3); EXCEPTION WHEN unique_violation THEN GET STACKED DIAGNOSTICS a = PG_CONTEXT; END;
            RETURN QUERY SELECT TG_ARGV[0], OLD.x, NEW.* FROM "__Tenant__".things;
        END outside
        """;

    [Fact]
    public void A_body_cut_off_anywhere_is_refused_as_the_guard_refuses()
    {
        var allowed = Body.Replace("pg_notify('x', 'y')", "now()", StringComparison.Ordinal);
        Assert.All(Names(allowed), name => name.Check(AllowList.Nothing));

        // After its last END only the label is left, which may be missing.
        var whole = allowed.LastIndexOf("END", StringComparison.Ordinal) + "END".Length;
        for (var length = 0; length < whole; length++)
        {
            Assert.Throws<CommandRefusedException>(() => Names(allowed[..length]));
        }
    }

    [Theory]
    [InlineData("", "BEGIN ")]
    [InlineData("BEGIN ", "IF true THEN ")]
    [InlineData("BEGIN ", "LOOP ")]
    [InlineData("BEGIN ", "CASE a WHEN 1 THEN ")]
    [InlineData("BEGIN a := ", "(")]
    public void What_is_nested_twenty_thousand_times_is_refused(string first, string part) =>
        Assert.Throws<CommandRefusedException>(
            () => Names(first + string.Concat(Enumerable.Repeat(part, 20_000))));

    [Fact]
    public void Bodies_in_bodies_end_somewhere()
    {
        var text = "SELECT 1";
        for (var level = 0; level < 30; level++)
        {
            text = $"DO $l{level}$BEGIN {text}; END$l{level}$";
        }

        Assert.Throws<CommandRefusedException>(() => StatementReader.Names(text, inMigration: true));
    }

    private static NameUse[] Names(string body) => StatementReader.Names($"DO $body${body}$body$", inMigration: true);
}
