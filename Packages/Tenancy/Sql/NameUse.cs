using Tenancy.Guard;

namespace Tenancy.Sql;

/// <summary>The use that a command makes of a name.</summary>
internal enum NameRole
{
    /// <summary>Reads from a table, view or function's rows.</summary>
    Read,

    /// <summary>Writes a table, or makes, alters, locks or drops any object.</summary>
    Write,

    /// <summary>Names an operator, a collation or an operator class, or what may be a schema.</summary>
    Use,

    /// <summary>Calls a function.</summary>
    Call,

    /// <summary>
    /// Calls a function, or doesn't: <c>(x).f</c> and <c>alias.f</c> call <c>f</c> where no such field or column is.
    /// </summary>
    PossibleCall,

    /// <summary>Names a type.</summary>
    Type,

    /// <summary>Makes a foreign key to it.</summary>
    Reference,

    /// <summary>Names a schema as such: CREATE SCHEMA, SET SCHEMA.</summary>
    Schema,
}

/// <summary>A name in a command, as far as it decides where the command goes.</summary>
/// <param name="Role">What is done with it.</param>
/// <param name="Schema">Its schema; null where none was written.</param>
/// <param name="Name">What it names there.</param>
internal readonly record struct NameUse(NameRole Role, string? Schema, string Name)
{
    private const string Placeholder = TenantPlaceholder.Schema;

    /// <exception cref="CommandRefusedException">A tenant's command may not do that.</exception>
    public void Check(AllowList shared)
    {
        switch (Role)
        {
            case NameRole.Schema when Schema == Placeholder && !shared.MayNameOwnSchema:
                throw new CommandRefusedException(
                    CommandRule.GlobalObject,
                    "What runs as the owner changes what is in the tenant's schema, not the schema itself: the job's " +
                    "commands create and drop schemas, migrations grant rights.");
            case var _ when Schema == Placeholder:
                return;
            case NameRole.Schema:
                throw Foreign(Name);
            case NameRole.PossibleCall or NameRole.Use or NameRole.Call or NameRole.Type
                when Schema is null or "pg_catalog" || shared.MayUse(Schema):
                CheckHarm(shared);
                return;
            case NameRole.Read when IsCatalogs:
                Refuse(PostgresCatalog.WhyNotRead(Name));
                return;
            case NameRole.Read when Schema is not null && shared.MayRead(Schema, Name):
                return;
            case NameRole.Read or NameRole.Write or NameRole.Reference when Schema is null:
                throw new CommandRefusedException(
                    CommandRule.MissingSchema,
                    $"'{Name}' is named without a schema, so search_path would look for it in public, whose tables " +
                    $"are nobody's. Write \"{Placeholder}\".{Name} in SQL, " +
                    "or tenant.Schema.Qualify(\"...\") where EF isn't used.");
            case NameRole.Reference when shared.MayRead(Schema!, Name) || shared.MayUse(Schema!):
                throw new CommandRefusedException(
                    CommandRule.SharedTableIsReadOnly,
                    $"A tenant's table has no foreign key to {Schema}.{Name}: making one locks the shared table " +
                    "against writers, dropping a tenant locks out its readers. Join it without one.");
            case NameRole.Write when Schema == "pg_catalog" || shared.MayRead(Schema!, Name) || shared.MayUse(Schema!):
                throw new CommandRefusedException(
                    CommandRule.SharedTableIsReadOnly,
                    $"{Schema}.{Name} is shared by all tenants and is read-only in a tenant's command: change it by " +
                    "a context of the shared schema, or in its migrations.");
            case NameRole.Read when shared.MayUse(Schema!):
                throw new CommandRefusedException(
                    CommandRule.ForeignSchema,
                    $"{Schema}.{Name} isn't declared as a table that tenants share: map it in the tenant's model " +
                    $"outside the placeholder's schema, or add \"{Schema}.{Name}\" to TenancyOptions.SharedTables.");
            default:
                throw Foreign(Schema!);
        }
    }

    private bool IsCatalogs =>
        Schema == "pg_catalog" || Schema is null && Name.StartsWith("pg_", StringComparison.Ordinal);

    private void CheckHarm(AllowList shared)
    {
        switch (Role)
        {
            case NameRole.Call:
                Refuse(shared.Functions.WhyNotCall(Schema, Name));
                break;
            case NameRole.PossibleCall:
                Refuse(FunctionRules.KnownHarm(Name));
                break;
            case NameRole.Type when Schema is null or "pg_catalog":
                Refuse(PostgresCatalog.WhyNotUse(Name));
                break;
        }
    }

    private static void Refuse(string? why)
    {
        if (why is not null)
        {
            throw new CommandRefusedException(
                CommandRule.ServerObject,
                $"{why}. The page guard-lists.md says what a tenant's command may read and call, and why.");
        }
    }

    private static CommandRefusedException Foreign(string schema) => new(
        CommandRule.ForeignSchema,
        schema.Equals(Placeholder, StringComparison.OrdinalIgnoreCase)
            ? "The placeholder stands without quotes, so PostgreSQL reads it in lower case and nothing is rewritten: " +
                $"write \"{Placeholder}\"."
            : $"'{schema}' is neither the tenant's schema (\"{Placeholder}\"), nor pg_catalog, nor declared as " +
                "shared (TenancyOptions.SharedTables, SharedSchemas), nor an alias of this " +
              "statement: a tenant's command may not name it. Another tenant's data is reached by a context of " +
              "that tenant's.");
}
