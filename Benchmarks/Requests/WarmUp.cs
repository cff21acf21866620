using Npgsql;

namespace Benchmarks.Requests;

/// <summary>
/// Before the clock starts: every variant is right about every tenant, and each of its backends has met every schema.
/// </summary>
internal static class WarmUp
{
    /// <summary>
    /// By the variant's own way, for each tenant: what it reads is that tenant's, what it inserts is there for it
    /// alone.
    /// </summary>
    /// <exception cref="InvalidOperationException">It serves wrong rows, so nothing it measures would mean
    /// anything.</exception>
    public static async Task CheckAsync(Variant variant, CancellationToken ct, int most = int.MaxValue)
    {
        foreach (var tenant in variant.Tenants.Take(most))
        {
            var found = await variant.FindAsync(tenant, Fleet.ContactId(3), ct);
            Expect(found is { Name: var name, Email: "ada@3" } && name == tenant.Schema.Value,
                "a row of another tenant, or none", found?.Name);

            var contact = Fleet.NewContact(of: tenant.Slug);
            await variant.InsertAsync(tenant, contact, ct);
            Expect((await variant.FindAsync(tenant, contact.Id, ct))?.Email == contact.Email, "not what it had inserted",
                null);
            if (variant.Tenants.Count > 1)
            {
                var other = variant.Tenants[tenant == variant.Tenants[0] ? 1 : 0];
                Expect(
                    await variant.FindAsync(other, contact.Id, ct) is null, "what it had inserted for another", null);
            }

            void Expect(bool holds, string instead, string? name)
            {
                if (!holds)
                {
                    throw new InvalidOperationException($"{variant.Name} read {instead}, for {tenant.Schema}. {name}");
                }
            }
        }
    }

    /// <summary>
    /// A backend's first touch of a schema costs more than a request: here each of the pool's meets all, by statements
    /// that open the table and its indexes as the measured ones do and change nothing.
    /// </summary>
    public static async Task MeetSchemasAsync(
        NpgsqlDataSource database, string? role, IReadOnlyList<string> schemas, CancellationToken ct)
    {
        var connections = new List<NpgsqlConnection>();
        try
        {
            // All at once, because the pool would hand out the same one again.
            for (var i = 0; i < Variant.PoolSize; i++)
            {
                connections.Add(await database.OpenConnectionAsync(ct));
            }

            var become = role is not null ? $"PERFORM set_config('role', '{role}', true);" : "";
            var names = string.Join(", ", schemas.Select(schema => $"'{schema}'"));
            await Parallel.ForEachAsync(connections,
                new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = ct }, async (connection, ct) =>
                {
                    // The commits keep the locks few.
                    await using var meet = new NpgsqlCommand($$"""
                        DO $do$
                        DECLARE
                          schema text;
                        BEGIN
                          FOREACH schema IN ARRAY ARRAY[{{names}}] LOOP
                            {{become}}
                            EXECUTE format('SELECT FROM %I.contacts WHERE id = ''00000000-0000-0000-0000-000000000000''', schema);
                            EXECUTE format('INSERT INTO %I.contacts (id, name, created_at) SELECT id, name, created_at FROM %1$I.contacts WHERE false', schema);
                            COMMIT;
                          END LOOP;
                        END
                        $do$
                        """, connection) { CommandTimeout = 0 };
                    await meet.ExecuteNonQueryAsync(ct);
                });
        }
        finally
        {
            foreach (var connection in connections)
            {
                await connection.DisposeAsync();
            }
        }
    }
}
