using System.Diagnostics;
using Web.Api;
using Web.Customers;
using Web.Invoices;
using Xunit;
using RouteData = Microsoft.AspNetCore.Components.RouteData;

namespace Tests.Unit.Web;

/// <summary>Which trace a page's calls of the API belong to.</summary>
public sealed class VisitTests : IDisposable
{
    private static readonly RouteData Acme = new(
        typeof(InvoicesPage), new Dictionary<string, object?> { ["Slug"] = "acme" });
    private static readonly RouteData Customers = new(typeof(CustomersPage), new Dictionary<string, object?>());

    private readonly ActivityListener _listener = new()
    {
        ShouldListenTo = source => source.Name == "Web",
        Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
    };

    public VisitTests() => ActivitySource.AddActivityListener(_listener);

    public void Dispose() => _listener.Dispose();

    [Fact]
    public void What_the_first_page_asks_for_belongs_to_the_request_for_its_document()
    {
        using var document = new Activity("document").Start();
        var visit = Opened("/customers/acme", Acme, document.Id);

        using var asked = visit.Begin("list invoices", writes: false);

        Assert.Equal((document.TraceId, document.SpanId), (asked!.TraceId, asked.ParentSpanId));
        Assert.Equal("acme", asked.GetTagItem("tenant.slug"));
    }

    [Fact]
    public void What_is_asked_for_again_or_written_is_a_trace_of_its_own()
    {
        using var document = new Activity("document").Start();
        var visit = Opened("/customers/acme", Acme, document.Id);
        visit.Begin("list invoices", writes: false)?.Dispose();

        using var again = visit.Begin("list invoices", writes: false);
        using var written = visit.Begin("create invoice", writes: true);

        Assert.Null(again!.ParentId);
        Assert.Null(written!.ParentId);
        Assert.Equal(3, new[] { document.TraceId, again.TraceId, written.TraceId }.Distinct().Count());
    }

    [Fact]
    public void The_next_page_inside_the_circuit_is_one_trace_named_after_it()
    {
        using var document = new Activity("document").Start();
        var visit = Opened("/customers", Customers, document.Id);
        visit.Open("/customers/acme", Acme, document.Id);

        using var found = visit.Begin("find customer", writes: false);
        using var listed = visit.Begin("list invoices", writes: false);

        Assert.NotEqual(document.TraceId, found!.TraceId);
        Assert.Equal((found.TraceId, found.ParentSpanId), (listed!.TraceId, listed.ParentSpanId));
        Assert.NotEqual(default, found.ParentSpanId);
    }

    private static Visit Opened(string address, RouteData route, string? document)
    {
        var visit = new Visit();
        visit.Open(address, route, document);
        // It is rendered more often than it is opened.
        visit.Open(address, route, document);
        return visit;
    }
}
