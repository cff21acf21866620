using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Journeys;

/// <summary>A database with more customers, invoices and longer names than one usually tries a console with.</summary>
/// <param name="console">Over that database.</param>
internal sealed class ScaleDatabase(ConsoleApp console)
{
    public const int Customers = 10_000;

    private const int Invoices = 5_000;

    private const string Long = "Allgemeine Versicherungs- und Rückversicherungsgesellschaft für das Handwerk und " +
        "den Mittelstand in Süddeutschland, Österreich und der Schweiz";

    private const string RightToLeft = "شركة المراعي للتجارة والمقاولات العامة ذات المسؤولية المحدودة وأبنائه " +
        "للتجارة الدولية والخدمات اللوجستية والنقل البري";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <returns>The slug of the customer that has the invoices.</returns>
    public async Task<string> FillAsync()
    {
        var acme = await console.CustomerAsync(Long);
        await InvoicesAsync(acme);
        await CustomersAsync(acme);
        await TasksAsync();
        await OperationsAsync(acme);
        return acme;
    }

    private async Task InvoicesAsync(string acme)
    {
        var today = DateOnly.FromDateTime(DateTime.UtcNow);
        var rows = new StringBuilder("invoice,contact,currency,issued_on,due_on,description,quantity,unit_price\n");
        for (var number = 1; number <= Invoices; number++)
        {
            var contact = (number % 7) switch
            {
                0 => RightToLeft, 1 => Long, var one => $"Contact {one} of {number % 90}",
            };
            var currency = (number % 5) switch { 0 => "KWD", 1 => "JPY", _ => "EUR" };
            var issued = today.AddDays(-number % 300);
            rows.Append(CultureInfo.InvariantCulture, $"A-{number},\"{contact}\",{currency},").Append(
                CultureInfo.InvariantCulture,
                $"{issued:O},{issued.AddDays(14 + number % 60):O},Work,").Append(
                CultureInfo.InvariantCulture, $"{number % 9 + 1},{number}\n");
        }

        using var csv = new StringContent(rows.ToString(), Encoding.UTF8, "text/csv");
        using var imported = await console.Api.PostAsync($"/customers/{acme}/invoices/import", csv, Ct);
        Assert.True(imported.IsSuccessStatusCode, await imported.Content.ReadAsStringAsync(Ct));
    }

    /// <summary>
    /// By SQL, because provisioning is another benchmark's. Each has a schema with the tables that the report reads,
    /// and each fifth some invoices; each 50th has failed, and each 20th is behind.
    /// </summary>
    private async Task CustomersAsync(string like)
    {
        var build = (await console.Api.GetFromJsonAsync<JsonArray>("/fleet/migrations", Ct))!
            .Select(migration => (string)migration!["id"]!).ToList();
        var (old, schema) = (CompiledMigrations.Fingerprint(build[..^1]), $"customer_{like.Replace('-', '_')}");
        await ExecuteAsync(
            $"""
            INSERT INTO tenancy.versions (version, migrations, breaking)
            VALUES ('{old}', ARRAY[{string.Join(", ", build[..^1].Select(id => $"'{id}'"))}], ARRAY[]::text[])
            ON CONFLICT DO NOTHING;
            INSERT INTO public.customers (id, slug, name, schema, status, ring, created_at)
            SELECT gen_random_uuid(), 'many-' || lpad(n::text, 5, '0'),
                CASE n % 10 WHEN 2 THEN '{RightToLeft}' WHEN 3 THEN '{Long}' ELSE 'Customer number ' || n END,
                'customer_many_' || lpad(n::text, 5, '0'), CASE n % 33 WHEN 0 THEN 'suspended' ELSE 'active' END,
                CASE n % 100 WHEN 1 THEN 0 ELSE 1 END, now() - n * interval '1 hour'
            FROM generate_series(1, {Customers}) AS n;
            INSERT INTO tenancy.schemas (schema, state, version, ring, migrated_at, attempts, last_error, failed_at)
            SELECT 'customer_many_' || lpad(n::text, 5, '0'), CASE n % 50 WHEN 0 THEN 'failed' ELSE 'ready' END,
                CASE WHEN n % 20 = 0 OR n % 50 = 0 THEN '{old}' ELSE like_this.version END,
                CASE n % 100 WHEN 1 THEN 0 ELSE 1 END, now() - n * interval '1 minute', 0,
                CASE n % 50 WHEN 0 THEN '42P07: relation "settings" already exists' END,
                CASE n % 50 WHEN 0 THEN now() END
            FROM generate_series(1, {Customers}) AS n,
                (SELECT version FROM tenancy.schemas WHERE schema = '{schema}') AS like_this
            """);
        for (var from = 1; from <= Customers; from += 200)
        {
            await ExecuteAsync(
                $"""
                DO $$ DECLARE this text; BEGIN FOR n IN {from}..{from + 199} LOOP
                    this := 'customer_many_' || lpad(n::text, 5, '0');
                    EXECUTE format('CREATE SCHEMA %1$I CREATE TABLE contacts (LIKE %2$I.contacts) ' ||
                        'CREATE TABLE invoices (LIKE %2$I.invoices) ' ||
                        'CREATE TABLE invoice_lines (LIKE %2$I.invoice_lines)', this, '{schema}');
                    EXECUTE format('GRANT USAGE ON SCHEMA %1$I TO tenancy_api; GRANT SELECT ON %1$I.contacts, ' ||
                        '%1$I.invoices, %1$I.invoice_lines TO tenancy_api', this);
                    IF n % 5 = 0 THEN EXECUTE format('INSERT INTO %1$I.invoices SELECT * FROM %2$I.invoices ' ||
                        'WHERE mod(number, 500) = %3$s; INSERT INTO %1$I.invoice_lines SELECT line.* ' ||
                        'FROM %2$I.invoice_lines AS line JOIN %2$I.invoices AS one ON one.id = line.invoice_id ' ||
                        'WHERE mod(one.number, 500) = %3$s', this, '{schema}', n % 499);
                    END IF;
                END LOOP; END $$
                """);
        }

        await ExecuteAsync("ANALYZE");
    }

    /// <summary>One that 40 customers failed, one that all have done; both came from files of SQL.</summary>
    private Task TasksAsync() => ExecuteAsync(
        """
        INSERT INTO tenancy.tasks (task, schema, attempts, done_at)
        SELECT '2026-12-trim-names', 'customer_many_' || lpad(n::text, 5, '0'), 1, now() - n * interval '1 second'
        FROM generate_series(1, 6000) AS n;
        INSERT INTO tenancy.tasks (task, schema, attempts, last_error, failed_at)
        SELECT '2026-12-trim-names', 'customer_many_' || lpad(n::text, 5, '0'), 3, '23505: duplicate key value ' ||
            'violates unique constraint "ix_contacts_name_of_an_index_that_is_long". DETAIL: Key (name)=(Contact 2 ' ||
            'of 12) already exists.', now()
        FROM generate_series(6001, 6040) AS n;
        INSERT INTO tenancy.tasks (task, schema, attempts, done_at)
        SELECT '2026-11-backfill-the-default-currency-of-customers-that-never-wrote-an-invoice',
            'customer_many_' || lpad(n::text, 5, '0'), 1, now()
        FROM generate_series(1, 10000) AS n
        """);

    private async Task OperationsAsync(string acme)
    {
        foreach (var (path, body) in new (string, object)[]
        {
            ($"/customers/{acme}/export", new { }), ($"/customers/{acme}/clone", new { slug = "sandbox", name = Long }),
            ("/api-keys", new { customer = acme, name = "till" }),
            ("/api-keys", new { customer = acme, name = Long[..99] }),
        })
        {
            using var begun = await console.Api.PostAsJsonAsync(path, body, Ct);
            Assert.True(begun.IsSuccessStatusCode, await begun.Content.ReadAsStringAsync(Ct));
        }
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var database = NpgsqlDataSource.Create(
            console.ConnectionString + ";Command Timeout=600;Pooling=false");
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
