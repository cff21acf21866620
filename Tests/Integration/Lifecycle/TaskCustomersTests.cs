using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tenancy;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>Who has done a task, on whom it failed, and who is left: for operators.</summary>
public sealed class TaskCustomersTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Customers_are_listed_by_how_far_they_are_with_a_task_and_a_failure_says_why()
    {
        var (acme, globex, initech) =
            (await app.NewCustomerAsync(), await app.NewCustomerAsync(), await app.NewCustomerAsync());
        await acme.CreateInvoiceAsync(1m);
        var task = $"t-{acme.Tenant.Slug}";
        // Whoever has no invoice divides by zero.
        await app.Services.GetRequiredService<TenantTasks>().RunAsync(
            TenantTask.FromSql(task, """SELECT 1 / count(*) FROM "__Tenant__".invoices"""),
            new() { Only = [acme.Tenant.Schema, globex.Tenant.Schema], Ring = null }, null, Ct, Ct);

        var done = Assert.Single(await ListAsync(task, "done"));
        Assert.Equal((acme.Tenant.Slug, "done", null),
            ((string?)done["slug"], (string?)done["state"], (string?)done["lastError"]));
        Assert.NotNull((string?)done["doneAt"]);
        var failed = Assert.Single(await ListAsync(task, "failed"));
        Assert.Equal((globex.Tenant.Slug, globex.Tenant.Schema.Value, 1),
            ((string?)failed["slug"], (string?)failed["schema"], (int)failed["attempts"]!));
        Assert.Contains("22012", (string?)failed["lastError"], StringComparison.Ordinal);
        var left = (await ListAsync(task, "left")).Select(one => (string?)one["slug"]).ToList();
        Assert.Contains(initech.Tenant.Slug, left);
        Assert.DoesNotContain(globex.Tenant.Slug, left);
    }

    [Fact]
    public async Task A_task_that_there_is_not_is_said_to_be_unknown()
    {
        using var http = app.Client();

        using var unknown = await http.GetAsync("/fleet/tasks/nobody-has-this/customers", Ct);

        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Equal("Unknown task.", (string)(await unknown.Content.ReadFromJsonAsync<JsonObject>(Ct))!["title"]!);
    }

    private async Task<IReadOnlyList<JsonNode>> ListAsync(string task, string state)
    {
        using var http = app.Client();
        List<JsonNode> listed = [];
        for (var number = 1; ; number++)
        {
            var page = (await http.GetFromJsonAsync<JsonObject>(
                $"/fleet/tasks/{task}/customers?state={state}&pageSize=100&page={number}", Ct))!["items"]!.AsArray();
            listed.AddRange(page.Select(item => item!));
            if (page.Count < 100)
            {
                return listed;
            }
        }
    }
}
