using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tests.Integration.Citus;
using Xunit;

namespace Tests.Integration.Invoicing;

/// <summary>Invoices that come as a CSV file are all written, for one customer, or none is.</summary>
public sealed class ImportTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_files_invoices_are_numbered_in_its_order_with_totals_as_their_currency_rounds()
    {
        var acme = await app.NewCustomerAsync();
        await acme.CreateInvoiceAsync(1m);

        var imported = await acme.ImportedAsync(CsvFiles.Of(
            CsvFiles.Row("B", contact: "\"Moreau, Ada\"", email: "ada@example.com", quantity: "2.5", price: "10.333"),
            CsvFiles.Row("A", currency: "KWD", quantity: "3", price: "0.0005", paid: "2026-11-24"),
            CsvFiles.Row("B", contact: "\"Moreau, Ada\"", email: "ada@example.com",
                description: "\"Two\nlines, \"\"quoted\"\"\"", price: "0.5")));

        Assert.Equal("""{"invoices":2,"lines":3,"firstNumber":2,"lastNumber":3}""", imported.ToJsonString());
        var invoices = await acme.InvoicesAsync();
        Assert.Equal([(3, "paid", 0.002m), (2, "open", 26.33m), (1, "open", 1m)],
            invoices.Select(i => ((int)i!["number"]!, (string)i["status"]!, (decimal)i["total"]!)));
        var second = (await acme.Http.GetFromJsonAsync<JsonNode>($"/invoices/{invoices[1]!["id"]}", Ct))!;
        Assert.Equal(("Moreau, Ada", "ada@example.com"),
            ((string)second["contact"]!["name"]!, (string)second["contact"]!["email"]!));
        Assert.Equal(("2026-11-23", "2026-12-23"), ((string)second["issuedOn"]!, (string)second["dueOn"]!));
        Assert.Equal(
            [(1, "Work", 2.5m, 10.333m, 25.83m), (2, "Two\nlines, \"quoted\"", 1m, 0.5m, 0.5m)],
            second["lines"]!.AsArray()
                .Select(l => ((int)l!["position"]!, (string)l["description"]!, (decimal)l["quantity"]!,
                    (decimal)l["unitPrice"]!, (decimal)l["total"]!)));
    }

    [Fact]
    public async Task What_one_customer_imports_is_unseen_by_another()
    {
        var acme = await app.NewCustomerAsync();
        var globex = await app.NewCustomerAsync();

        await acme.ImportedAsync(CsvFiles.Of(CsvFiles.Row()));

        Assert.Single(await acme.InvoicesAsync());
        Assert.Empty(await globex.InvoicesAsync());
        await globex.ImportedAsync(CsvFiles.Of(CsvFiles.Row()));
        Assert.Equal([1], (await globex.InvoicesAsync()).Select(i => (int)i!["number"]!));
    }

    [Fact]
    public async Task A_file_may_come_as_a_forms_field_with_a_byte_order_mark_and_columns_in_any_order()
    {
        var acme = await app.NewCustomerAsync();
        var csv =
            "Unit_Price, Quantity,description,due_on,issued_on,currency,contact,invoice\r\n\r\n7,2,Work,2026-12-23,2026-11-23,EUR,Zoë,1\r\n";
        using var form = new MultipartFormDataContent { { new ByteArrayContent(
            [.. Encoding.UTF8.GetPreamble(), .. Encoding.UTF8.GetBytes(csv)]), "file", "invoices.csv" } };

        using var response = await acme.Http.PostAsync("/invoices/import", form, Ct);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(
            [("Zoë", 14m)], (await acme.InvoicesAsync()).Select(i => ((string)i!["contact"]!, (decimal)i["total"]!)));
    }

    [Fact]
    public async Task The_same_contact_is_kept_once_however_its_invoices_came()
    {
        var acme = await app.NewCustomerAsync();
        await acme.CreateInvoiceAsync(1m, "Ada");

        await acme.ImportedAsync(
            CsvFiles.Of(CsvFiles.Row("1", contact: "Ada"), CsvFiles.Row("2", contact: " Jonas "),
                CsvFiles.Row("3", contact: "Jonas"), CsvFiles.Row("4", contact: "Ada", email: "ada@example.com")));
        await acme.ImportedAsync(CsvFiles.Of(CsvFiles.Row("1", contact: "Jonas")));
        await acme.CreateInvoiceAsync(1m, "Jonas");

        Assert.Equal([("Ada", null), ("Ada", "ada@example.com"), ("Jonas", null)], (await ContactsAsync(acme)).Order());
        Assert.Equal(7, (await acme.InvoicesAsync()).Count);
    }

    [Fact]
    public async Task Two_files_at_once_are_both_written_each_in_its_order_and_share_their_contacts()
    {
        var acme = await app.NewCustomerAsync();
        var files = new[] { "x", "y" }
            .Select(file =>
                CsvFiles.Of(
                    [.. Enumerable.Range(1, 40)
                        .Select(i => CsvFiles.Row($"{i}", contact: $"Contact {i % 5}", description: $"{file} {i}"))]));

        var answers = await Task.WhenAll(files.Select(acme.ImportedAsync));

        Assert.Equal([(1, 40), (41, 80)],
            answers.Select(answer => ((int)answer["firstNumber"]!, (int)answer["lastNumber"]!)).Order());
        await using var db = app.Invoicing.Create(acme.Tenant);
        var lines =
            await (from invoice in db.Invoices join line in db.InvoiceLines on invoice.Id equals line.InvoiceId orderby invoice.Number select line.Description).ToListAsync(Ct);
        foreach (var file in new[] { "x", "y" })
        {
            Assert.Equal(Enumerable.Range(1, 40).Select(i => $"{file} {i}"),
                lines.Where(line => line.StartsWith(file, StringComparison.Ordinal)));
        }

        Assert.Equal(5, (await ContactsAsync(acme)).Count);
    }

    [Fact]
    public async Task Ten_thousand_rows_are_one_file()
    {
        var acme = await app.NewCustomerAsync();

        var imported = await acme.ImportedAsync(
            CsvFiles.Of(
                [.. Enumerable.Range(0, 10_000)
                    .Select(i => CsvFiles.Row($"{i / 4}", contact: $"Contact {i / 4 % 300}", price: $"{i % 7}.5"))]));

        Assert.Equal("""{"invoices":2500,"lines":10000,"firstNumber":1,"lastNumber":2500}""", imported.ToJsonString());
        await using var db = app.Invoicing.Create(acme.Tenant);
        Assert.Equal(
            Enumerable.Range(0, 10_000).Sum(i => i % 7 + 0.5m), await db.InvoiceLines.SumAsync(line => line.Total, Ct));
        Assert.Equal(300, await db.Contacts.CountAsync(Ct));
    }

    [Fact]
    public async Task The_template_that_the_console_offers_is_a_good_file()
    {
        var acme = await app.NewCustomerAsync();
        var web = app.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.IWebHostEnvironment>().ContentRootPath;

        await acme.ImportedAsync(
            await File.ReadAllTextAsync(Path.Combine(web, "..", "Web", "wwwroot", "invoices-template.csv"), Ct));

        Assert.Equal([("CHF", "paid", 1200m), ("EUR", "open", 249.9m)],
            (await acme.InvoicesAsync())
                .Select(i => ((string)i!["currency"]!, (string)i["status"]!, (decimal)i["total"]!)));
    }

    [Fact]
    public async Task When_the_last_table_refuses_a_row_nothing_stays_of_the_others()
    {
        var acme = await app.NewCustomerAsync();
        await using (var connection = await app.Services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(Ct))
        {
            await ExecuteAsync(connection,
                $"ALTER TABLE {acme.Tenant.Schema.Qualify("invoice_lines")} ADD CONSTRAINT ck_test CHECK " +
                "(description <> 'refused')");
        }

        using var response = await acme.ImportAsync(
            CsvFiles.Of(CsvFiles.Row("1"), CsvFiles.Row("2", description: "refused")));

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Empty(await acme.InvoicesAsync());
        Assert.Empty(await ContactsAsync(acme));
        await acme.ImportedAsync(CsvFiles.Of(CsvFiles.Row()));
    }

    [Fact]
    public async Task An_import_that_is_given_up_while_it_waits_ends_on_the_server_too()
    {
        var acme = await app.NewCustomerAsync();
        await using var connection = await app.Services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(Ct);
        await using (await connection.BeginTransactionAsync(Ct))
        {
            await ExecuteAsync(
                connection, $"LOCK TABLE {acme.Tenant.Schema.Qualify("invoice_lines")} IN ACCESS EXCLUSIVE MODE");

            await GiveUpAsync(acme);
            while (await WaitingAsync(acme))
            {
                Ct.ThrowIfCancellationRequested();
            }
        }

        Assert.Empty(await acme.InvoicesAsync());
        await acme.ImportedAsync(CsvFiles.Of(CsvFiles.Row()));
    }

    [Fact]
    public async Task An_import_that_is_given_up_while_it_writes_leaves_nothing()
    {
        var acme = await app.NewCustomerAsync();
        await acme.CreateInvoiceAsync(1m, "Ada Moreau");
        await using var connection = await app.Services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(Ct);
        await using (await connection.BeginTransactionAsync(Ct))
        {
            // The new contact and the invoices are written when the database looks whether the known contact is still
            // there, and waits.
            await ExecuteAsync(connection, $"SELECT FROM {acme.Tenant.Schema.Qualify("contacts")} FOR UPDATE");

            await GiveUpAsync(acme);
        }

        Assert.Single(await acme.InvoicesAsync());
        Assert.Equal([("Ada Moreau", null)], await ContactsAsync(acme));
        await acme.ImportedAsync(CsvFiles.Of(CsvFiles.Row()));
    }

    /// <summary>Starts an import that has to wait for what the test has locked, and gives up when it does.</summary>
    private async Task GiveUpAsync(TestCustomer customer)
    {
        CitusCluster.SkipOn("The import waits on a node, and the coordinator doesn't show that it waits for a lock.");
        using var gaveUp = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        using var content = new StringContent(
            CsvFiles.Of(CsvFiles.Row("1", contact: "Jonas"), CsvFiles.Row("2")), Encoding.UTF8, "text/csv");
        var import = customer.Http.PostAsync("/invoices/import", content, gaveUp.Token);
        while (!await WaitingAsync(customer))
        {
            Assert.False(import.IsCompleted);
        }

        await gaveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => import);
    }

    private async Task<bool> WaitingAsync(TestCustomer customer)
    {
        // Not in the test's transaction: inside one, pg_stat_activity stays as it was first read.
        await using var command = app.Services.GetRequiredService<NpgsqlDataSource>()
            .CreateCommand(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND position($1 in " +
                "query) > 0)");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = customer.Tenant.Schema.Quoted });
        return (bool)(await command.ExecuteScalarAsync(Ct))!;
    }

    private async Task<List<(string, string?)>> ContactsAsync(TestCustomer customer)
    {
        await using var db = app.Invoicing.Create(customer.Tenant);
        return [.. (await db.Contacts.Select(c => new { c.Name, c.Email }).ToListAsync(Ct))
            .Select(c => (c.Name, c.Email))];
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
