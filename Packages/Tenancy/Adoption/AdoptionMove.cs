using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;
using Tenancy.Citus;
using Tenancy.Drift;
using Tenancy.Fleet;
using Tenancy.Ledgers;

namespace Tenancy.Adoption;

/// <summary>The objects that the applied migrations make.</summary>
/// <param name="Items">For the comparison, see <see cref="CatalogQuery"/>.</param>
/// <param name="Objects">Kind and name of each table, view, sequence of its own, routine and type.</param>
/// <param name="Routines">The definitions of functions and procedures, with the adopting schema's name.</param>
internal sealed record AdoptionReference(string[] Items, IReadOnlySet<(string Kind, string Name)> Objects,
    IReadOnlyDictionary<string, string> Routines);

/// <summary>The changes of an adoption, in the caller's transaction.</summary>
internal sealed class AdoptionMove(
    NpgsqlConnection connection, AdoptedSource source, CompiledMigrations migrations, SchemaName schema)
{
    // What ALTER ... SET SCHEMA is said of. Indexes, owned sequences and row types go with their tables.
    private const string ObjectsIn =
        """
        SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
            c.relname::text, quote_ident(c.relname)
        FROM pg_catalog.pg_class AS c
        WHERE c.relnamespace = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_depend AS d
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i', 'e')
                    AND (d.refclassid <> 'pg_catalog.pg_class'::regclass OR c.relkind = 'S'))
        UNION ALL
        SELECT CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
            p.proname || '/' || p.pronargs,
            quote_ident(p.proname) || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')'
        FROM pg_catalog.pg_proc AS p
        WHERE p.pronamespace = $1 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
        UNION ALL
        SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.typname::text, quote_ident(t.typname)
        FROM pg_catalog.pg_type AS t
        WHERE t.typnamespace = $1 AND t.typtype IN ('d', 'e', 'r') AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
        ORDER BY 1, 2
        """;

    private readonly List<string> _steps = [];
    private readonly List<string> _stays = [];

    public IReadOnlyList<string> Steps => _steps;

    public IReadOnlyList<string> Stays => _stays;

    private string Own => Quoted.Name(schema.Value);

    private string HistoryTable => migrations.HistoryTable;

    /// <summary>Makes it in a subtransaction that is taken back.</summary>
    public async Task<AdoptionReference> MakeReferenceAsync(TenancyOptions options, CancellationToken ct)
    {
        var name = SchemaName.Parse($"tenancy_reference_{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
        await ExecuteAsync("SAVEPOINT reference", ct);
        var build = migrations.Only(source.Applied);
        await ExecuteAsync(
            DoBlock.WhereCutWrongly(build.CreateScript(name) + TenantRoles.Create(options, build, name)), ct);
        var oid = await OidAsync(name.Value, ct);
        var (_, items) = await CatalogReader.ReadAsync(connection, oid, ct);
        var objects = (await ObjectsAsync(oid, ct)).Select(one => (one.Kind, one.Key)).ToHashSet();
        // The name is like nothing else in a body.
        var routines = (await RoutinesAsync(oid, ct)).ToDictionary(
            one => one.Key, one => one.Value.Replace(name.Value, schema.Value, StringComparison.Ordinal));
        await ExecuteAsync("ROLLBACK TO SAVEPOINT reference", ct);
        return new(items, objects, routines);
    }

    public async Task MoveAsync(AdoptionReference reference, CancellationToken ct)
    {
        if (source.IsOwn)
        {
            await StepAsync($"ALTER SCHEMA {Quoted.Name(source.Schema)} RENAME TO {Own}",
                $"The schema {source.Schema} is renamed to {schema}, with all that is in it.", ct);
            if (source.History == source.Schema && source.Others.Count > 0)
            {
                await GiveBackAsync(ct);
            }
        }
        else
        {
            // Citus moves no table with an identity column into a distributed schema: see DistributeAsync.
            await StepAsync($"CREATE SCHEMA {Own}", $"The schema {schema} is made.", ct);
            await MoveObjectsAsync(reference, ct);
        }

        await ReplaceBodiesAsync(reference, ct);
        if (source.History != source.Schema || !source.IsOwn)
        {
            await MakeHistoryAsync(ct);
        }

        await AddBaselineAsync(ct);
    }

    /// <summary>Places the schema on a node of the Citus cluster, with all that is in it.</summary>
    /// <exception cref="AdoptionException">Citus refuses; the message says why.</exception>
    public async Task DistributeAsync(CancellationToken ct)
    {
        try
        {
            await PlacementRepair.DistributeAsync(connection, schema, ct);
        }
        catch (PostgresException e) when (e.IsTheSchemasOwn(onCitus: true))
        {
            throw new AdoptionException(
                $"Citus can't place {source.Schema} on a node ({e.SqlState}: {e.MessageText}). Mend that in " +
                $"{source.Schema} first. Nothing was changed.");
        }

        _steps.Add($"Citus places {schema} on a node.");
    }

    /// <summary>In sentences; none where the schema is what the migrations make.</summary>
    public async Task<IReadOnlyList<string>> CompareAsync(AdoptionReference reference, CancellationToken ct)
    {
        var (_, items) = await CatalogReader.ReadAsync(connection, await OidAsync(schema.Value, ct), ct);
        return CatalogDifference.Between(items, reference.Items);
    }

    public async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task MoveObjectsAsync(AdoptionReference reference, CancellationToken ct)
    {
        foreach (var (kind, key, name) in await ObjectsAsync(await OidAsync(source.Schema, ct), ct))
        {
            if (key == HistoryTable)
            {
                continue;
            }

            if (!reference.Objects.Contains((kind, key)))
            {
                _stays.Add($"{kind.ToLowerInvariant()} {source.Schema}.{name}");
                continue;
            }

            await StepAsync($"ALTER {kind} {Quoted.Name(source.Schema)}.{name} SET SCHEMA {Own}",
                $"The {kind.ToLowerInvariant()} {source.Schema}.{name} moves to {schema}.", ct);
        }
    }

    /// <summary>A body is text, so a rename doesn't reach the schema's name in it.</summary>
    private async Task ReplaceBodiesAsync(AdoptionReference reference, CancellationToken ct)
    {
        foreach (var (key, definition) in await RoutinesAsync(await OidAsync(schema.Value, ct), ct))
        {
            if (reference.Routines.GetValueOrDefault(key) is { } wanted && wanted != definition
                && definition.Contains(source.Schema, StringComparison.OrdinalIgnoreCase))
            {
                await StepAsync(wanted, $"{key} is made anew, because its body names {source.Schema}.", ct);
            }
        }
    }

    /// <summary>Another context finds the rows of its migrations where they were.</summary>
    private async Task GiveBackAsync(CancellationToken ct)
    {
        var (there, here) = (Quoted.Name(source.Schema, HistoryTable), schema.Qualify(HistoryTable));
        var others = $"{Quoted.Name(await IdColumnAsync(schema.Value, ct))} = ANY ({Texts(source.Others)})";
        await ExecuteAsync(
            $"CREATE SCHEMA {Quoted.Name(source.Schema)}; CREATE TABLE {there} (LIKE {here} INCLUDING ALL); " +
            $"INSERT INTO {there} SELECT * FROM {here} WHERE {others}; DELETE FROM {here} WHERE {others}", ct);
        _steps.Add(
            $"The history of other contexts ({string.Join(", ", source.Others)}) stays in a new schema " +
            $"{source.Schema}. " +
            "From now on name that in TenancyOptions.SharedSchemas, lest verify take it for a lost tenant's.");
    }

    private async Task MakeHistoryAsync(CancellationToken ct)
    {
        await StepAsync(migrations.CreateHistoryScript(schema), $"The history table of {schema} is made.", ct);
        if (source.Known.Count == 0)
        {
            return;
        }

        var there = Quoted.Name(source.History!, HistoryTable);
        var known = $"{Quoted.Name(await IdColumnAsync(source.History!, ct))} = ANY ({Texts(source.Known)})";
        await ExecuteAsync(
            $"INSERT INTO {schema.Qualify(HistoryTable)} SELECT * FROM {there} WHERE {known}; " +
            $"DELETE FROM {there} WHERE {known}", ct);
        _steps.Add($"The rows of {string.Join(", ", source.Known)} move there from {source.History}" +
            (source.Others.Count == 0 ? "." : $"; those of {string.Join(", ", source.Others)} stay."));
    }

    private async Task AddBaselineAsync(CancellationToken ct)
    {
        var added = source.Applied.Except(source.Known).Order(StringComparer.Ordinal).ToList();
        if (added.Count > 0)
        {
            await StepAsync(
                $"INSERT INTO {schema.Qualify(HistoryTable)} SELECT id, " +
                $"'{ProductInfo.GetVersion()}' FROM unnest({Texts(added)}) AS id",
                $"The history says that {string.Join(", ", added)} are applied, by the baseline.", ct);
        }
    }

    private async Task StepAsync(string sql, string words, CancellationToken ct)
    {
        await ExecuteAsync(sql, ct);
        _steps.Add(words);
    }

    private async Task<string> IdColumnAsync(string inSchema, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(
            """
            SELECT attname::text FROM pg_catalog.pg_attribute WHERE attrelid = $1::text::regclass AND attnum = 1
            """, connection) { Parameters = { LedgerTable.Text(Quoted.Name(inSchema, HistoryTable)) } };
        return (string)(await ask.ExecuteScalarAsync(ct))!;
    }

    private async Task<uint> OidAsync(string name, CancellationToken ct)
    {
        await using var find = new NpgsqlCommand(
            "SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1", connection)
        {
            Parameters = { LedgerTable.Text(name) },
        };
        return (uint)(await find.ExecuteScalarAsync(ct))!;
    }

    private async Task<IReadOnlyList<(string Kind, string Key, string Name)>> ObjectsAsync(
        uint oid, CancellationToken ct)
    {
        await using var list = new NpgsqlCommand(ObjectsIn, connection)
        {
            Parameters = { new NpgsqlParameter { Value = oid, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Oid } },
        };
        await using var rows = await list.ExecuteReaderAsync(ct);
        var objects = new List<(string, string, string)>();
        while (await rows.ReadAsync(ct))
        {
            objects.Add((rows.GetString(0), rows.GetString(1), rows.GetString(2)));
        }

        return objects;
    }

    private async Task<IReadOnlyDictionary<string, string>> RoutinesAsync(uint oid, CancellationToken ct)
    {
        await using var list = new NpgsqlCommand(
            "SELECT proname || '/' || pronargs || '/' || row_number() OVER (PARTITION BY proname, pronargs ORDER BY " +
            "proargtypes::text), pg_catalog.pg_get_functiondef(oid) FROM pg_catalog.pg_proc WHERE pronamespace = $1 " +
            "AND prokind IN ('f', 'p') ORDER BY 1", connection)
        {
            Parameters = { new NpgsqlParameter { Value = oid, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Oid } },
        };
        await using var rows = await list.ExecuteReaderAsync(ct);
        var routines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct))
        {
            routines.Add(rows.GetString(0), rows.GetString(1));
        }

        return routines;
    }

    private static string Texts(IEnumerable<string> texts) =>
        $"ARRAY[{string.Join(", ", texts.Select(text => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'"))}]";
}
