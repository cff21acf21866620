using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Tenancy.Migrations;

namespace Tenancy.Leasing;

/// <summary>
/// Checks a tenant model when it is built, the last of all conventions: what the rewriter can't reach (names inside
/// literals), what a data source knows for one schema only (enums, ranges) or not at all, and what would tie tenants to
/// each other is refused, with the way round it.
/// </summary>
/// <param name="mappings">EF's.</param>
/// <param name="loadTypes">Whether data sources know more than <see cref="BuiltInTypes"/>, see
/// <see cref="TenancyOptions.LoadTypes"/>.</param>
/// <param name="moved">Which schemas are the tenant's by another name.</param>
/// <param name="sharedSchemas">See <see cref="TenancyOptions.SharedSchemas"/>.</param>
internal sealed class TenantModelRules(
    IRelationalTypeMappingSource mappings, bool loadTypes, ReplacedSchemas moved,
    IReadOnlyCollection<string> sharedSchemas)
    : IConventionSetPlugin, IModelFinalizingConvention
{
    // EF's name for it has no public constant.
    private const string AdHocModel = "AdHocModel";

    private const string EnumPrefix = "Npgsql:Enum:";
    private const string RangePrefix = "Npgsql:Range:";

    public ConventionSet ModifyConventions(ConventionSet conventionSet)
    {
        conventionSet.ModelFinalizingConventions.Insert(0, new ExtensionsRule());
        conventionSet.ModelFinalizingConventions.Insert(0, new SchemasRule(moved));
        conventionSet.ModelFinalizingConventions.Add(this);
        return conventionSet;
    }

    public void ProcessModelFinalizing(
        IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
    {
        var model = modelBuilder.Metadata;
        if (model.FindEntityType(typeof(HistoryRow)) is not null)
        {
            // EF's own model of its history table, whose schema UseTenancy has set.
            return;
        }

        if (model.FindAnnotation(AdHocModel) is not null)
        {
            // Of SqlQuery<TRow>: it has no tables, so only the types of the row's columns count.
            CheckColumns(model);
            return;
        }

        if (model.GetDefaultSchema() != TenantPlaceholder.Schema)
        {
            throw Refused(
                $"the model's default schema is '{model.GetDefaultSchema()}', so its tables would be the same for " +
                "all tenants",
                "remove HasDefaultSchema; or, where the tables are the tenants' but have had that schema until now, call " +
                $"ReplaceSchema(\"{model.GetDefaultSchema()}\") on the context in AddTenancy");
        }

        var refusals = new List<string>();
        foreach (var made in Extensions(model).Concat(SharedTypes(model)).ToList())
        {
            // A tenant's migrations would make it. The application's extensions were refused at the beginning: these
            // are the provider's, from a column's type.
            model.RemoveAnnotation(made.Name);
        }

        Collect(refusals, () => CheckSequencesAndTypes(model));

        foreach (var entity in model.GetEntityTypes())
        {
            Collect(refusals, () => CheckTables(entity));
            foreach (var key in entity.GetForeignKeys())
            {
                Collect(refusals, () => CheckForeignKey(entity, key));
            }

            foreach (var property in entity.GetProperties())
            {
                Collect(refusals, () => CheckProperty(entity, property));
            }
        }

        Collect(refusals, () => CheckColumns(model));
        Collect(refusals, () => CheckNames(model));
        if (refusals.Count > 0)
        {
            // All of them at once: who has to change a model wants to build it once.
            throw new InvalidOperationException(string.Join('\n', refusals.Distinct()));
        }
    }

    private static void Collect(List<string> refusals, Action check)
    {
        try
        {
            check();
        }
        catch (InvalidOperationException refusal)
        {
            refusals.Add(refusal.Message);
        }
    }

    private static void CheckSequencesAndTypes(IConventionModel model)
    {
        if (model.GetSequences().FirstOrDefault(sequence => sequence.Schema != TenantPlaceholder.Schema) is { } shared)
        {
            throw Refused(
                $"it has the sequence '{shared.Schema}.{shared.Name}', which all tenants would share",
                "leave its schema out");
        }

        // Enums and ranges; their annotations belong to the provider and have no public accessor by these names in
        // every version.
        if (model.GetAnnotations()
            .FirstOrDefault(a =>
                a.Name.StartsWith(EnumPrefix, StringComparison.Ordinal)
                    || a.Name.StartsWith(RangePrefix, StringComparison.Ordinal)) is { } type)
        {
            throw Refused($"it has the database type '{type.Name}', and a data source knows a type in one schema only",
                "keep an enum as text with a check constraint, a range as two columns; or let the shared migrations make " +
                "the type in a schema of TenancyOptions.SharedSchemas, name that schema, and set LoadTypes = true");
        }
    }

    private void CheckColumns(IConventionModel model)
    {
        if (!loadTypes)
        {
            foreach (var entity in model.GetEntityTypes())
            {
                CheckTypes(entity);
            }
        }
    }

    private static void CheckTables(IConventionEntityType entity)
    {
        if (entity.GetTableName() is { } table && !IsTenants(entity) && !entity.IsTableExcludedFromMigrations())
        {
            throw Refused(
                $"'{entity.GetSchema()}.{table}' is shared and would be made again by every tenant's migrations",
                "map it with ToTable(name, schema, table => table.ExcludeFromMigrations()) and let the shared " +
                "model's migrations make it");
        }

        foreach (var check in entity.GetCheckConstraints())
        {
            CheckSql(check.Sql, $"the check constraint '{check.Name}' of {entity.DisplayName()}");
        }
    }

    private static void CheckForeignKey(IConventionEntityType entity, IConventionForeignKey key)
    {
        if (IsTenants(entity) && entity.GetTableName() is not null
            && key.PrincipalEntityType.GetTableName() is { } principal && !IsTenants(key.PrincipalEntityType))
        {
            throw Refused(
                $"{entity.DisplayName()} has a foreign key to the shared table '{principal}': making one locks that " +
                "table against writers, and dropping a tenant locks out its readers",
                "keep the key's value without a navigation and join in the query");
        }
    }

    private static void CheckProperty(IConventionEntityType entity, IConventionProperty property)
    {
        var name = $"{entity.DisplayName()}.{property.Name}";
        CheckSql(property.GetDefaultValueSql(), $"the default of {name}");
        CheckSql(property.GetComputedColumnSql(), $"the computed column {name}");
    }

    /// <summary>Shared tables' too: a data source that doesn't know a type can't read it anywhere.</summary>
    private void CheckTypes(IConventionTypeBase type)
    {
        if (type.IsMappedToJson())
        {
            // What is inside a document is no value of the database's.
            return;
        }

        foreach (var property in type.GetProperties())
        {
            if (mappings.FindMapping((IProperty)property)?.StoreType is { } stored && !BuiltInTypes.Has(stored))
            {
                throw Refused(
                    $"{type.DisplayName()}.{property.Name} is of the type '{stored}', which Npgsql neither reads nor " +
                    "writes unless it loads the database's types when it first connects",
                    "set TenancyOptions.LoadTypes = true, and pass these options wherever UseTenancy is called by " +
                    "hand, as for the design time; or choose one of PostgreSQL's own types");
            }
        }

        foreach (var part in type.GetComplexProperties())
        {
            CheckTypes(part.ComplexType);
        }
    }

    private static void CheckSql(string? sql, string where)
    {
        if (sql is null)
        {
            return;
        }

        if (Sql.TenantSequence.Without(sql).Contains("nextval", StringComparison.OrdinalIgnoreCase))
        {
            throw Refused($"{where} calls nextval on a sequence whose schema isn't seen to be the tenant's",
                $"write nextval('\"{TenantPlaceholder.Schema}\".numbers'), or use an identity column");
        }

        if (Sql.SqlTemplate.Of(sql).PlaceholderInLiteral is not null)
        {
            throw Refused($"{where} has the placeholder inside a literal, which is data and is never rewritten",
                $"name the schema as an identifier: \"{TenantPlaceholder.Schema}\"");
        }
    }

    /// <summary>Or an unqualified name in raw SQL would find the shared table where the tenant's was meant.</summary>
    private static void CheckNames(IConventionModel model)
    {
        var tables = model.GetEntityTypes().Where(entity => entity.GetTableName() is not null)
            .ToLookup(IsTenants, entity => entity.GetTableName()!);
        if (tables[true].Intersect(tables[false]).FirstOrDefault() is { } both)
        {
            throw Refused($"'{both}' is the name of a tenant's table and of a shared one", "rename one of them");
        }
    }

    private static bool IsTenants(IReadOnlyEntityType entity) =>
        (entity.GetTableName() is null ? entity.GetViewSchema() : entity.GetSchema()) == TenantPlaceholder.Schema;

    private static InvalidOperationException Refused(string what, string instead) =>
        new($"This model can't be a tenant's: {what}. Instead, {instead}.");

    /// <summary>Enums and ranges in a shared schema: made once, by the shared migrations.</summary>
    private IEnumerable<IConventionAnnotation> SharedTypes(IConventionModel model) => !loadTypes ? [] :
        model.GetAnnotations().Where(annotation => sharedSchemas.Any(schema =>
            annotation.Name.StartsWith($"{EnumPrefix}{schema}.", StringComparison.Ordinal)
                || annotation.Name.StartsWith($"{RangePrefix}{schema}.", StringComparison.Ordinal)));

    private static List<IConventionAnnotation> Extensions(IConventionModel model) =>
        [.. model.GetAnnotations()
            .Where(annotation => annotation.Name.StartsWith("Npgsql:PostgresExtension:", StringComparison.Ordinal))];

    /// <summary>
    /// The first of all conventions, so that whatever makes names from a table's finds its final schema.
    /// </summary>
    private sealed class SchemasRule(ReplacedSchemas moved) : IModelFinalizingConvention
    {
        public void ProcessModelFinalizing(
            IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
        {
            if (modelBuilder.Metadata.FindEntityType(typeof(HistoryRow)) is null
                && modelBuilder.Metadata.FindAnnotation(AdHocModel) is null)
            {
                moved.Move((IMutableModel)modelBuilder.Metadata);
            }
        }
    }

    /// <summary>
    /// Among the first of all conventions, because the provider adds the extensions that columns' types come from, and
    /// later nothing tells the two apart.
    /// </summary>
    private sealed class ExtensionsRule : IModelFinalizingConvention
    {
        public void ProcessModelFinalizing(
            IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
        {
            if (Extensions(modelBuilder.Metadata).FirstOrDefault() is { } extension)
            {
                throw Refused($"it has '{extension.Name}', and an extension belongs to the whole database",
                    "create it in the shared model's migrations");
            }
        }
    }
}
