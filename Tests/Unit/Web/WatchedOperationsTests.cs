using System.Net;
using Bunit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Web.Operations;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>What is being done with a customer, on its own pages.</summary>
public sealed class WatchedOperationsTests : PageContext
{
    private static readonly Guid Id = Guid.Parse("0192d3a1-0000-7000-8000-000000000042");

    private readonly FakeTimeProvider _time = new();

    public WatchedOperationsTests() => Services.AddSingleton<TimeProvider>(_time);

    [Fact]
    public void A_list_that_cannot_be_read_is_told_and_read_again()
    {
        Api.Answer = _ => FakeApi.Problem(
            HttpStatusCode.InternalServerError, new { title = "It broke.", traceId = "0af7" });
        var shown = Render<WatchedOperations>(p => p.Add(x => x.Slug, "acme"));
        var told = shown.Find("[role=status]").TextContent;
        Assert.Contains("can't be read: It broke.", told, StringComparison.Ordinal);
        Assert.Contains("Trace 0af7", told, StringComparison.Ordinal);

        Api.Answer = request => request.RequestUri!.AbsolutePath == "/operations"
            ? FakeApi.Json(HttpStatusCode.OK, new { items = new[] { Export() }, next = (Guid?)null })
            : FakeApi.Json(HttpStatusCode.OK, Export());
        shown.WaitForState(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            return shown.FindAll(".operation").Count > 0;
        }, TimeSpan.FromSeconds(30));

        Assert.DoesNotContain("can't be read", shown.Markup, StringComparison.Ordinal);
        Assert.Contains("Export", shown.Find(".operation").TextContent, StringComparison.Ordinal);
    }

    private static object Export() => FleetFacts.Operation(Id, "export", customer: "acme");
}
