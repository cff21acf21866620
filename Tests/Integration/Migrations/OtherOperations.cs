using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations.Operations;
using static Tests.Integration.Migrations.Operation;
using static Tests.Integration.Migrations.Operations;

namespace Tests.Integration.Migrations;

/// <summary>Tables, indexes, rows, schemas and databases.</summary>
internal static class OtherOperations
{
    private static readonly string[] NameAndBody = ["name", "body"];

    public static IEnumerable<Operation> All() => [.. Tables(), .. Indexes(), .. Rows(), .. Global()];

    private static IEnumerable<Operation> Tables() =>
    [
        Works("CreateTable", b => b.CreateTable("news", t => new
        {
            Id = t.Column<int>("integer").Annotation(Strategy, NpgsqlValueGenerationStrategy.IdentityAlwaysColumn),
            Number = t.Column<int>("integer").Annotation(Strategy, NpgsqlValueGenerationStrategy.SerialColumn),
            Thing = t.Column<int>("integer", nullable: true),
            Code = t.Column<string>("character varying(9)", maxLength: 9, collation: "C", comment: "it's a code"),
            Twice = t.Column<int>("integer", computedColumnSql: "\"Thing\" * 2", stored: true, nullable: true),
            Tags = t.Column<string[]>("text[]", defaultValueSql: "'{}'"),
            Document = t.Column<string>("jsonb", defaultValue: ""),
        }, Schema, t =>
        {
            t.PrimaryKey("pk_news", row => row.Id);
            t.UniqueConstraint("uq_news", row => row.Code);
            t.CheckConstraint("ck_news", "\"Thing\" > 0");
            t.ForeignKey("fk_news", row => row.Thing, "things", "id", Schema, onDelete: ReferentialAction.Cascade);
        }, comment: "what's new").Annotation("Npgsql:UnloggedTable",
            true).Annotation("Npgsql:StorageParameter:fillfactor", 70),
            "SELECT relpersistence::text || reloptions::text || obj_description(oid, 'pg_class') FROM pg_class " +
            "WHERE oid = '{0}.news'::regclass", "u{{fillfactor=70}}what's new"),
        Works("AlterTable", b => b.AlterTable("things", Schema, "now with a comment")
                .Annotation("Npgsql:StorageParameter:fillfactor", 80).OldAnnotation("Npgsql:UnloggedTable", true),
            "SELECT reloptions::text || obj_description(oid, 'pg_class') FROM pg_class WHERE oid = '{0}.things'::regclass",
            "{{fillfactor=80}}now with a comment"),
        Works("RenameTable", b => b.RenameTable("things", Schema, "objects", Schema),
            "SELECT count(*)::text FROM {0}.objects", "2"),
        Refused("RenameTable to another schema", b => b.RenameTable("things", Schema, "things", "public"), "public"),
        Works("DropTable", b => b.DropTable("olds", Schema), "SELECT (to_regclass('{0}.olds') IS NULL)::text", "true"),
    ];

    private static IEnumerable<Operation> Indexes() =>
    [
        Works("CreateIndex", b => b.CreateIndex("ix_new", "things", ["name", "size"], Schema, unique: true,
                filter: "size > 0", descending: [false, true])
            .Annotation("Npgsql:IndexInclude", new[] { "body" }).Annotation("Npgsql:IndexOperators",
                new[] { "text_pattern_ops" })
            .Annotation("Npgsql:IndexNullSortOrder",
                new[] { NullSortOrder.NullsFirst }).Annotation("Npgsql:NullsDistinct", false)
            .Annotation("Relational:Collation", new[] { "C" }).Annotation("Npgsql:StorageParameter:fillfactor", 60),
            "SELECT pg_get_indexdef('{0}.ix_new'::regclass)",
            "CREATE UNIQUE INDEX ix_new ON {0}.things USING btree (name COLLATE \"C\" text_pattern_ops NULLS FIRST, " +
            "size DESC) INCLUDE (body) NULLS NOT DISTINCT WITH (fillfactor='60') WHERE (size > 0)"),
        Works("CreateIndex by method", b => b.CreateIndex("ix_new", "things", "name", Schema)
            .Annotation("Npgsql:IndexMethod", "hash"), Index, "CREATE INDEX ix_new ON {0}.things USING hash (name)"),
        Works("CreateIndex tsvector", b => b.CreateIndex("ix_new", "things", NameAndBody, Schema)
            .Annotation("Npgsql:IndexMethod", "gin").Annotation("Npgsql:TsVectorConfig", "english"), Index,
            "CREATE INDEX ix_new ON {0}.things USING gin (to_tsvector('english'::regconfig, ((name || ' '::text) || " +
            "COALESCE(body, ''::text))))"),
        Works("CreateIndex concurrently", b => b.CreateIndex("ix_new", "things", "name", Schema)
            .Annotation("Npgsql:CreatedConcurrently", true), Index,
                "CREATE INDEX ix_new ON {0}.things USING btree (name)"),
        Works("RenameIndex", b => b.RenameIndex("ix_things_size", "ix_new", "things", Schema), Index,
            "CREATE INDEX ix_new ON {0}.things USING btree (size)"),
        Works("DropIndex", b => b.DropIndex("ix_things_size", "things", Schema),
            "SELECT (to_regclass('{0}.ix_things_size') IS NULL)::text", "true"),
    ];

    private static IEnumerable<Operation> Rows() =>
    [
        Works("InsertData", b => b.InsertData("things", ["id", "name"], ["integer", "text"], [70, "it's"], Schema),
            "INSERT INTO {0}.things (name) VALUES ('z') RETURNING id::text", "71"),
        Works("InsertData before the rows", b => b.InsertData("things", ["id", "name"], ["integer", "text"], [-3, "x"],
            Schema), "INSERT INTO {0}.things (name) VALUES ('z') RETURNING id::text", "3"),
        Works("InsertData into a serial column", b => b.InsertData("olds", ["id", "code"], ["integer", "text"],
            new object[,] { { 8, "p" }, { 9, "q" } }, Schema),
            "INSERT INTO {0}.olds (code) VALUES ('z') RETURNING id::text", "10"),
        Works("InsertData where the sequence is past it", b =>
            {
                b.DeleteData("things", ["id"], ["integer"], [1], Schema);
                b.InsertData("things", ["id", "name"], ["integer", "text"], [1, "x"], Schema);
            }, "INSERT INTO {0}.things (name) VALUES ('z') RETURNING id::text", "3"),
        Works("InsertData below a descending key", b => b.InsertData("downs", ["id", "code"],
            [(object)-9, "x"], Schema), "INSERT INTO {0}.downs (code) VALUES ('z') RETURNING id::text", "-10"),
        Works("InsertData below a late start", b => b.InsertData("lates", ["id", "code"],
            [(object)3, "x"], Schema), "INSERT INTO {0}.lates (code) VALUES ('z') RETURNING id::text", "1000"),
        Works("UpdateData", b => b.UpdateData("things", ["id"], ["integer"], [1], ["name"], ["text"], ["it's"], Schema),
            "SELECT name FROM {0}.things WHERE id = 1", "it's"),
        Works("DeleteData", b => b.DeleteData("things", ["id"], ["integer"], [1], Schema),
            "SELECT count(*)::text FROM {0}.things", "1"),
        Refused("InsertData into a shared table", b => b.InsertData("currencies", ["code"], ["text"], ["XXX"],
            "public"),
            "public.currencies"),
        Works("Sql", b => b.Sql($"CREATE VIEW \"{Schema}\".names AS SELECT name FROM \"{Schema}\".things"),
            "SELECT count(*)::text FROM {0}.names", "2"),
        Refused("Sql without a schema", b => b.Sql("UPDATE things SET name = 'y'"), "things"),
        Refused("Sql with the schema in a literal", b =>
            b.Sql($"COMMENT ON TABLE \"{Schema}\".things IS 'of {Schema}'"),
            "inside a literal"),
    ];

    private static IEnumerable<Operation> Global() =>
    [
        Works("EnsureSchema", b => b.EnsureSchema(Schema), "SELECT '{0}'::regnamespace::text", "{0}"),
        Works("EnsureSchema public", b => b.EnsureSchema("public"), "SELECT '{0}'::regnamespace::text", "{0}"),
        Refused("EnsureSchema of another", b => b.EnsureSchema("elsewhere"), "elsewhere"),
        Refused("DropSchema", b => b.DropSchema(Schema), "DROP SCHEMA"),
        Refused("AlterDatabase extension", b => b.AlterDatabase().Annotation("Npgsql:PostgresExtension:citext", ",,"),
            "shared migrations"),
        Refused("AlterDatabase collation", b => b.AlterDatabase("C"), "collation"),
        Works("AlterDatabase enum", b => b.AlterDatabase().Annotation($"Npgsql:Enum:{Schema}.mood", "fine,cross"),
            "SELECT enum_range(NULL::{0}.mood)::text", "{{fine,cross}}"),
        Works("AlterDatabase range", b => b.AlterDatabase()
            .Annotation($"Npgsql:Range:{Schema}.floats", "float8,,,,"), "SELECT '[1,2]'::{0}.floats::text", "[1,2]"),
        Works("AlterDatabase with a collation of its own", b => b.AlterDatabase()
            .Annotation($"Npgsql:CollationDefinition:{Schema}.german", "de-DE-x-icu,de-DE-x-icu,icu,True"),
            "SELECT count(*)::text FROM pg_collation WHERE collnamespace = '{0}'::regnamespace", "1"),
        Refused("CreateDatabase", b => b.Operations.Add(new NpgsqlCreateDatabaseOperation { Name = "another" }),
            "DATABASE"),
        Refused("DropDatabase", b => b.Operations.Add(new NpgsqlDropDatabaseOperation { Name = "another" }),
            "DATABASE"),
    ];

    private const string Index = "SELECT pg_get_indexdef('{0}.ix_new'::regclass)";
}
