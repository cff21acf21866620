using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy;
using Tenancy.Migrations;
using Xunit;

namespace Tests.Unit.Data;

public sealed class MigrationsTests
{
    /// <summary>For those PostgreSQL reads the catalog of all customers.</summary>
    [Fact]
    public void A_new_customers_text_reads_nobody_elses_relations()
    {
        var script = MigrationCompiler
            .Find(typeof(InvoicingContext), () => new global::Data.InvoicingContextFactory().CreateDbContext([]))
            .CreateScript(SchemaName.Parse("customer_acme"));

        Assert.DoesNotContain("ON ALL ", script, StringComparison.Ordinal);
        Assert.True(
            script.IndexOf("ALTER DEFAULT PRIVILEGES", StringComparison.Ordinal)
                < script.IndexOf("CREATE TABLE \"customer_acme\".contacts", StringComparison.Ordinal));
    }

    [Fact]
    public void The_migrations_say_what_the_models_say()
    {
        using var shared = new CustomersContext(
            new DbContextOptionsBuilder<CustomersContext>().UseNpgsql(CustomersContext.History).Options);
        using var invoicing = Invoicing();

        Assert.False(shared.Database.HasPendingModelChanges());
        Assert.False(invoicing.Database.HasPendingModelChanges());
    }

    /// <summary>After a change: dotnet ef dbcontext optimize, as the README says.</summary>
    [Fact]
    public void The_compiled_model_says_what_the_model_says()
    {
        using var context = Invoicing();

        Assert.IsType<RuntimeModel>(context.Model, exactMatch: false);
        Assert.Equal(Described(context.GetService<IDesignTimeModel>().Model), Described(context.Model));

        static IEnumerable<string> Described(IModel model) =>
            from table in model.GetRelationalModel().Tables
            orderby table.SchemaQualifiedName
            from line in table.Columns.Select(c =>
                $"{c.Name} {c.StoreType} {c.IsNullable} " +
                $"{string.Join(',', c.PropertyMappings.Select(m => $"{m.Property.DeclaringType.Name}.{m.Property.Name} {m.Property.ValueGenerated} {m.Property.IsConcurrencyToken} {m.Property.GetMaxLength()}"))}")
                .Concat(
                    table.Indexes.Select(i =>
                        $"{i.Name} {i.IsUnique} {string.Join(',', i.Columns.Select(c => c.Name))}"))
                .Concat(table.ForeignKeyConstraints.Select(k => $"{k.Name} {k.OnDeleteAction}"))
                .Concat(table.UniqueConstraints.Select(k => k.Name))
                .Order(StringComparer.Ordinal)
            select $"{table.SchemaQualifiedName}: {line}";
    }

    [Fact]
    public void A_new_schema_is_made_by_statements_that_all_name_it()
    {
        var script = MigrationCompiler.Find(typeof(InvoicingContext), Invoicing)
            .CreateScript(SchemaName.Parse("customer_acme"));

        Assert.StartsWith(
            "SET LOCAL citus.enable_schema_based_sharding TO on;\nCREATE SCHEMA \"customer_acme\";", script,
            StringComparison.Ordinal);
        Assert.DoesNotContain("DO $", script, StringComparison.Ordinal);
        Assert.DoesNotContain(TenantPlaceholder.Schema, script, StringComparison.Ordinal);
        foreach (var table in new[] { "contacts", "invoices", "invoice_lines", "\"__EFMigrationsHistory\"" })
        {
            Assert.Contains($"CREATE TABLE \"customer_acme\".{table} (", script, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void EFs_scripts_of_a_tenants_model_are_refused_with_the_jobs_command()
    {
        using var context = Invoicing();

        foreach (var script in new Func<string>[]
        {
            () => context.GetService<IMigrator>().GenerateScript(),
            () => context.GetService<IMigrator>().GenerateScript(options: MigrationsSqlGenerationOptions.Idempotent),
            () => context.Database.GenerateCreateScript(),
        })
        {
            Assert.Contains(
                "MigrationService -- script", Assert.ThrowsAny<Exception>(script).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Tenant_tables_have_no_foreign_key_out_of_their_schema()
    {
        using var context = Invoicing();

        Assert.All(
            context.Model.GetEntityTypes().SelectMany(entity => entity.GetForeignKeys()),
            key => Assert.Equal(TenantPlaceholder.Schema, key.PrincipalEntityType.GetSchema()));
    }

    [Fact]
    public void No_tenant_table_has_a_shared_tables_name()
    {
        using var shared = new CustomersContext(
            new DbContextOptionsBuilder<CustomersContext>().UseNpgsql(CustomersContext.History).Options);
        using var invoicing = Invoicing();

        Assert.Empty(Tables(shared, "public").Intersect(Tables(invoicing, TenantPlaceholder.Schema)));

        static IEnumerable<string> Tables(DbContext context, string schema) =>
            context.Model.GetEntityTypes().Where(entity => entity.GetSchema() == schema)
                .Select(entity => entity.GetTableName()!);
    }

    [Fact]
    public void A_version_is_the_set_of_migrations_whatever_their_order()
    {
        var version = CompiledMigrations.Fingerprint(["1_A", "2_B", "3_C"]);

        Assert.Equal(32, version.Length);
        Assert.Equal(version, CompiledMigrations.Fingerprint(["3_C", "1_A", "2_B", "1_A"]));
        Assert.NotEqual(version, CompiledMigrations.Fingerprint(["1_A", "3_C"]));
        Assert.NotEqual(version, CompiledMigrations.Fingerprint(["1_A", "2_B"]));
    }

    private static InvoicingContext Invoicing()
    {
        var options = new DbContextOptionsBuilder<InvoicingContext>();
        options.UseNpgsql().UseTenancy();
        return new(options.Options);
    }
}
