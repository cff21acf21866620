using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Data.Customers;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Customers;

public sealed class CreatingCustomersTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_customer_made_over_http_exists_completely()
    {
        using var client = app.Client();
        var slug = App.NewSlug();

        using var created = await client.PostAsJsonAsync("/customers", new { slug, name = " Acme " }, Ct);

        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var customer = (await client.GetFromJsonAsync<JsonNode>(created.Headers.Location, Ct))!;
        Assert.Equal((slug, "Acme", "active"),
            ((string)customer["slug"]!, (string)customer["name"]!, (string)customer["status"]!));
        var schema = SchemaName.Parse((string)customer["schema"]!);
        Assert.Equal(CustomerSlug.WantedSchema(slug), schema.Value);
        Assert.Equal(6L, await ScalarAsync("SELECT count(*) FROM pg_tables WHERE schemaname = $1", schema.Value));
        Assert.Equal(
            app.Services.GetRequiredService<CompiledMigrations>().Ids.LongCount(),
            await ScalarAsync($"SELECT count(*) FROM {schema.Qualify("__EFMigrationsHistory")}"));
        Assert.Equal("ready", await ScalarAsync("SELECT state FROM tenancy.schemas WHERE schema = $1", schema.Value));
        Assert.Equal(
            app.Services.GetRequiredService<CompiledMigrations>().Target,
            await ScalarAsync("SELECT version FROM tenancy.schemas WHERE schema = $1", schema.Value));
    }

    [Fact]
    public async Task It_is_served_at_once_even_if_it_was_asked_for_before_it_existed()
    {
        using var client = app.Client();
        var slug = App.NewSlug();
        client.DefaultRequestHeaders.Add("X-Customer", slug);
        using var early = await client.GetAsync("/invoices", Ct);
        Assert.Equal(HttpStatusCode.NotFound, early.StatusCode);

        using var created = await client.PostAsJsonAsync("/customers", new { slug, name = "Acme" }, Ct);
        using var served = await client.GetAsync("/invoices", Ct);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (created.StatusCode, served.StatusCode));
    }

    [Fact]
    public async Task EFs_own_tools_agree_that_nothing_is_pending()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        await using var db = app.AsOwner(acme);

        Assert.Empty(await db.Database.GetPendingMigrationsAsync(Ct));
        await db.Database.MigrateAsync(Ct);
        Assert.Empty(await db.Contacts.ToListAsync(Ct));
    }

    [Fact]
    public async Task Of_many_at_once_who_want_one_slug_one_gets_it_and_the_others_leave_nothing()
    {
        using var client = app.Client();
        var slug = App.NewSlug();

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(_ => client.PostAsJsonAsync("/customers", new { slug, name = "Acme" }, Ct)));

        Assert.Equal([201, 409, 409, 409, 409, 409], answers.Select(answer => (int)answer.StatusCode).Order());
        var like = CustomerSlug.WantedSchema(slug) + "%";
        Assert.Equal(1L, await ScalarAsync("SELECT count(*) FROM pg_namespace WHERE nspname LIKE $1", like));
        Assert.Equal(1L, await ScalarAsync("SELECT count(*) FROM tenancy.schemas WHERE schema LIKE $1", like));
    }

    [Fact]
    public async Task A_schemas_name_is_never_used_again()
    {
        var first = (await app.NewCustomerAsync()).Tenant;
        // The customer is renamed, so its slug is free; its schema isn't.
        await ScalarAsync("UPDATE public.customers SET slug = $2 WHERE slug = $1", first.Slug, App.NewSlug());

        await using var scope = app.Services.CreateAsyncScope();
        var second = await scope.ServiceProvider.GetRequiredService<CustomerRegistry>()
            .CreateAsync(first.Slug, "Another", ct: Ct);

        Assert.Equal(first.Schema.Value + "_2", second.Schema);
    }

    [Fact]
    public async Task A_schema_that_somebody_made_by_hand_is_not_adopted()
    {
        var slug = App.NewSlug();
        await ScalarAsync($"CREATE SCHEMA {SchemaName.Parse(CustomerSlug.WantedSchema(slug)).Quoted}");

        await using var scope = app.Services.CreateAsyncScope();
        var customer = await scope.ServiceProvider.GetRequiredService<CustomerRegistry>()
            .CreateAsync(slug, "Acme", ct: Ct);

        Assert.Equal(CustomerSlug.WantedSchema(slug) + "_2", customer.Schema);
    }

    [Fact]
    public async Task What_fails_halfway_leaves_nothing()
    {
        var slug = App.NewSlug();
        await using var scope = app.Services.CreateAsyncScope();
        var registry = scope.ServiceProvider.GetRequiredService<CustomerRegistry>();

        await Assert.ThrowsAsync<InvalidOperationException>(() => registry.CreateAsync(slug, "Acme", async invoicing =>
        {
            Assert.Empty(await invoicing.Contacts.ToListAsync(Ct));
            throw new InvalidOperationException("after the schema was made");
        }, ct: Ct));

        var schema = CustomerSlug.WantedSchema(slug);
        Assert.Equal(0L, await ScalarAsync("SELECT count(*) FROM public.customers WHERE slug = $1", slug));
        Assert.Equal(0L, await ScalarAsync("SELECT count(*) FROM tenancy.schemas WHERE schema = $1", schema));
        Assert.Equal(0L, await ScalarAsync("SELECT count(*) FROM pg_namespace WHERE nspname = $1", schema));
    }

    [Theory]
    [InlineData("Acme", "Acme", "slug")]
    [InlineData("", "Acme", "slug")]
    [InlineData("drop-schema\"", "Acme", "slug")]
    [InlineData("acme", "", "name")]
    [InlineData("acme", "   ", "name")]
    public async Task A_name_that_cannot_be_a_customers_is_refused_in_words(string slug, string name, string field)
    {
        using var client = app.Client();
        using var response = await client.PostAsJsonAsync("/customers", new { slug, name }, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal([field],
            (await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!["errors"]!.AsObject().Select(error => error.Key));
    }

    [Fact]
    public async Task A_taken_slug_and_an_unknown_customer_are_told_apart()
    {
        using var client = app.Client();
        var acme = (await app.NewCustomerAsync()).Tenant;

        using var taken = await client.PostAsJsonAsync("/customers", new { slug = acme.Slug, name = "Acme" }, Ct);
        using var unknown = await client.GetAsync("/customers/nobody-has-this-slug", Ct);

        Assert.Equal((409, 404), ((int)taken.StatusCode, (int)unknown.StatusCode));
        Assert.Contains(acme.Slug, (string)(await taken.Content.ReadFromJsonAsync<JsonNode>(Ct))!["detail"]!,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_creation_with_a_key_may_be_repeated_and_the_key_is_good_for_nothing_else()
    {
        using var client = app.Client();
        var (slug, other, key) = (App.NewSlug(), App.NewSlug(), Guid.NewGuid().ToString());

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => PostAsync(slug, "Umbrella", key)));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Created, answer.StatusCode));
        Assert.Single(answers, answer => !answer.Headers.Contains("Idempotent-Replayed"));
        Assert.Single(await Task.WhenAll(answers.Select(answer => answer.Content.ReadAsStringAsync(Ct)))
            is var bodies ? bodies.Select(body => (string?)JsonNode.Parse(body)!["id"]).Distinct() : []);

        foreach (var (posted, status) in new (Task<HttpResponseMessage>, HttpStatusCode)[]
        {
            (PostAsync(slug, "Another name", key), HttpStatusCode.UnprocessableEntity),
            (PostAsync(other, "Umbrella", key), HttpStatusCode.UnprocessableEntity),
            (PostAsync(slug, "Umbrella", "another key"), HttpStatusCode.BadRequest),
            (PostAsync(slug, "Umbrella", "another-key"), HttpStatusCode.Conflict),
            (PostAsync(slug, "Umbrella", null), HttpStatusCode.Conflict),
        })
        {
            using var answer = await posted;
            Assert.Equal(status, answer.StatusCode);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/customers/{other}", Ct)).StatusCode);
        Array.ForEach(answers, answer => answer.Dispose());

        async Task<HttpResponseMessage> PostAsync(string slug, string name, string? key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/customers")
            {
                Content = JsonContent.Create(new { slug, name }),
            };
            if (key is not null)
            {
                request.Headers.Add("Idempotency-Key", key);
            }

            return await client.SendAsync(request, Ct);
        }
    }

    [Fact]
    public async Task Currencies_and_the_openapi_document_are_there()
    {
        using var client = app.Client();

        Assert.Contains((await client.GetFromJsonAsync<JsonArray>("/currencies", Ct))!,
            currency => (string)currency!["code"]! == "EUR");
        var document = (await client.GetFromJsonAsync<JsonNode>("/openapi/v1.json", Ct))!;
        Assert.Contains(
            document["paths"]!["/invoices"]!["get"]!["parameters"]!.AsArray(),
            parameter => (string)parameter!["name"]! == "X-Customer" && (string)parameter["in"]! == "header");
    }

    private async Task<object?> ScalarAsync(string sql, params string[] parameters)
    {
        await using var command = app.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = parameter });
        }

        return await command.ExecuteScalarAsync(Ct);
    }
}
