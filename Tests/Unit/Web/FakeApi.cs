using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Web.Contacts;
using Web.Customers;
using Web.Doctor;
using Web.Fleet;
using Web.Invoices;
using Web.Keys;
using Web.Operations;
using Web.Reports;

namespace Tests.Unit.Web;

/// <summary>The API as the web frontend sees it: an answer per request, and a memory of what was asked.</summary>
internal sealed class FakeApi : HttpMessageHandler
{
    private readonly List<Asked> _asked = [];

    public required Func<HttpRequestMessage, HttpResponseMessage> Answer { get; set; }

    public IReadOnlyList<Asked> Requests => _asked;

    public CustomersClient Customers => new(Client);

    public FleetClient Fleet => new(Client);

    public DoctorClient Doctor => new(Client);

    public InvoicesClient Invoices => new(Client);

    public ContactsClient Contacts => new(Client);

    public KeysClient Keys => new(Client);

    public OperationsClient Operations => new(Client);

    public ReceivablesClient Receivables => new(Client);

    private HttpClient Client => new(this, disposeHandler: false) { BaseAddress = new("http://api") };

    public static HttpResponseMessage Json(HttpStatusCode status, object body) =>
        new(status) { Content = JsonContent.Create(body) };

    public static HttpResponseMessage Problem(HttpStatusCode status, object body) =>
        new(status) { Content = JsonContent.Create(body, new MediaTypeHeaderValue("application/problem+json")) };

    public static HttpResponseMessage Page(params object[] items) =>
        Json(HttpStatusCode.OK, new { items, page = 1, pageSize = 25, total = items.Length });

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        _asked.Add(new(
            request.Method,
            request.RequestUri!.PathAndQuery,
            request.Headers.TryGetValues("X-Customer", out var customer) ? string.Join(',', customer) : null,
            request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken),
            request.Headers.TryGetValues("Idempotency-Key", out var key) ? string.Join(',', key) : null,
            request.Headers.IfMatch.SingleOrDefault()?.ToString()));
        return Answer(request);
    }

    /// <summary>
    /// A request as it went out; <paramref name="Customer"/> is the header X-Customer, <paramref name="Key"/> the
    /// header Idempotency-Key and <paramref name="Version"/> If-Match, null when it wasn't sent.
    /// </summary>
    internal sealed record Asked(
        HttpMethod Method, string Path, string? Customer, string? Body, string? Key = null, string? Version = null);
}
