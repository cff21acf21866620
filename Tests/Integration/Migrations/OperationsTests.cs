using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations;
using Tenancy;
using Tenancy.Citus;
using Tenancy.Fleet;
using Tenancy.Migrations;
using Tests.Integration.Citus;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Migrations;

/// <summary>
/// Every operation of EF's migration builder in a tenant's migration works in a new schema, in one that was made
/// before its customer came, and in migrated ones, or the build is refused with words that say what to do instead.
/// </summary>
public sealed class OperationsTests(DriftFleet drift) : IClassFixture<DriftFleet>
{
    private const string First = "20260101000000_First";
    private const string Second = "20260102000000_Second";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string> Working => [.. Operations.All().Where(o => o.Refusal is null).Select(o => o.Name)];

    public static TheoryData<string> Refused => [.. Operations.All().Where(o => o.Refusal is not null).Select(o =>
        o.Name)];

    /// <summary>Operations whose answer differs on a Citus cluster, and why.</summary>
    private static readonly Dictionary<string, string> OnlyWithoutCitus = new()
    {
        ["AddColumn"] = "The answer comes from a node, and the column's comment is on the coordinator.",
        ["Sql: arguments are no schemas"] = "The answer comes from a node, and the function is on the coordinator.",
        ["Sql: a block that runs text"] = "A table that a DO block makes isn't distributed, and verify says so.",
    };

    /// <summary>On a Citus cluster, what <c>check --engine citus</c> refuses is refused by the server.</summary>
    [Theory]
    [MemberData(nameof(Working))]
    public async Task An_operation_that_works_makes_the_same_of_a_new_schema_and_of_migrated_ones(string name)
    {
        if (OnlyWithoutCitus.TryGetValue(name, out var reason))
        {
            CitusCluster.SkipOn(reason);
        }

        var operation = Operations.All().Single(o => o.Name == name);
        var first = Compiled(First, Operations.Base);
        var second = Compiled(Second, operation.Do);
        var before = TestFleet.Build(first);
        var build = TestFleet.Build(first, second);
        SchemaName[] migrated = [await NewAsync(before), await NewAsync(before)];
        if (CitusCluster.IsConfigured && CitusRefuses(operation))
        {
            await Assert.ThrowsAsync<PostgresException>(
                () => drift.Fleet.ScalarAsync(second.Up.Script(migrated[0])));
            return;
        }

        SchemaName[] made = [await NewAsync(build), await NewAsync(build, fromSpare: true)];

        foreach (var schema in migrated)
        {
            await drift.Fleet.ScalarAsync(DoBlock.WhereCutWrongly(second.Up.Script(schema)));
            if (second.Up.OutsideTransaction)
            {
                await drift.Fleet.ScalarAsync(second.Up.History(schema));
            }
        }

        foreach (var schema in migrated.Concat(made))
        {
            await drift.Fleet.ScalarAsync(
                $"UPDATE tenancy.schemas SET version = '{build.Target}' WHERE schema = '{schema}'");
            Assert.Equal(Of(operation.Answer!, schema), await drift.Fleet.ScalarAsync(Of(operation.Query!, schema)));
        }

        var report = await DriftFleet.Verifier(drift.Fleet, build).VerifyAsync(
            new() { Only = [.. migrated, .. made] }, Ct);
        Assert.Empty(report.Drifted.SelectMany(one => one.Differences));
        Assert.Equal(4, report.Checked);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void An_operation_that_cannot_work_is_refused_before_the_database_is_asked(string name)
    {
        var operation = Operations.All().Single(o => o.Name == name);

        var refusal = Assert.Throws<TenantMigrationException>(() => Compiled(Second, operation.Do));

        Assert.Contains(Second, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(operation.Refusal!, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_kind_of_operation_is_left_out()
    {
        var kinds = new[] { typeof(MigrationOperation).Assembly, typeof(NpgsqlMigrationsSqlGenerator).Assembly }
            .SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.IsSubclassOf(typeof(MigrationOperation)) && !type.IsAbstract && !type.IsNestedPrivate)
            .ToHashSet();

        kinds.ExceptWith(Operations.All().SelectMany(operation => Done(operation.Do)).Select(done => done.GetType()));

        Assert.Empty(kinds);
    }

    /// <summary>Whether <c>check --engine citus</c> finds what the server refuses.</summary>
    private static bool CitusRefuses(Operation operation)
    {
        using var context = Context();
        return CitusCheck.Problems(
            [.. Commands(context, First, Operations.Base), .. Commands(context, Second, operation.Do)],
            unsafeTriggers: false)
            .Any(problem => problem.StartsWith($"Migration {Second}: Citus refuses", StringComparison.Ordinal));
    }

    private static IEnumerable<(string Migration, string Sql)> Commands(
        OperationsContext context, string id, Action<MigrationBuilder> operations) =>
        MigrationCompiler.Generate(context, id, Done(operations), Target())
            .Where(command => command is not OwnCommand).Select(command => (id, command.CommandText));

    private static List<MigrationOperation> Done(Action<MigrationBuilder> operations)
    {
        var builder = new MigrationBuilder("Npgsql.EntityFrameworkCore.PostgreSQL");
        operations(builder);
        return builder.Operations;
    }

    internal static CompiledMigration Compiled(string id, Action<MigrationBuilder> operations)
    {
        using var context = Context();
        return new(id, MigrationCompiler.Compile(context, id, Done(operations), Target(),
            $"INSERT INTO \"__Tenant__\".\"__EFMigrationsHistory\" VALUES ('{id}', '10');"), new(() => null!));
    }

    private static OperationsContext Context()
    {
        var options = new DbContextOptionsBuilder<OperationsContext>();
        options.UseNpgsql(npgsql => npgsql.SetPostgresVersion(15, 0)).UseTenancy();
        return new(options.Options);
    }

    /// <summary>What a migration's designer file says: EF's generator takes types and key strategies from it.</summary>
    private static IModel Target()
    {
        var model = new ModelBuilder();
        model.HasDefaultSchema(TenantPlaceholder.Schema);
        model.Entity("Thing", thing =>
        {
            thing.ToTable("things", TenantPlaceholder.Schema);
            thing.Property<int>("id").HasColumnType("integer").ValueGeneratedOnAdd().UseIdentityByDefaultColumn();
            thing.Property<string>("name").HasColumnType("text").IsRequired();
            thing.Property<int?>("size").HasColumnType("integer");
            thing.Property<string?>("body").HasColumnType("text");
            thing.HasKey("id");
        });
        model.Entity("Old", old =>
        {
            old.ToTable("olds", TenantPlaceholder.Schema);
            old.Property<int>("id").HasColumnType("integer").ValueGeneratedOnAdd()
                .HasAnnotation(Operations.Strategy, NpgsqlValueGenerationStrategy.SerialColumn);
            old.Property<string>("code").HasColumnType("text").IsRequired();
            old.HasKey("id");
        });
        foreach (var table in new[] { "downs", "lates" })
        {
            model.Entity(table, other =>
            {
                other.ToTable(table, TenantPlaceholder.Schema);
                other.Property<int>("id").HasColumnType("integer").ValueGeneratedOnAdd().UseIdentityAlwaysColumn();
                other.Property<string?>("code").HasColumnType("text");
                other.HasKey("id");
            });
        }

        return (IModel)model.Model;
    }

    private async Task<SchemaName> NewAsync(CompiledMigrations build, bool fromSpare = false)
    {
        var provisioner = new SchemaProvisioner(
            build, new(drift.Fleet.Database, build), new() { WarmPool = fromSpare ? 1 : 0 });
        await using var connection = await drift.Fleet.Database.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        if (fromSpare)
        {
            await provisioner.CreateSpareAsync(transaction, Ct);
        }

        var schema = await provisioner.ProvisionAsync(transaction, $"o_{Guid.NewGuid():n}", ct: Ct);
        await transaction.CommitAsync(Ct);
        Assert.Equal(fromSpare, provisioner.Given.TryRead(out _));
        return schema;
    }

    private static string Of(string text, SchemaName schema) =>
        string.Format(System.Globalization.CultureInfo.InvariantCulture, text, schema);
}

internal sealed class OperationsContext(DbContextOptions<OperationsContext> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
}
