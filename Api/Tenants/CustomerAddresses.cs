using Tenancy.AspNetCore;

namespace Api.Tenants;

/// <summary>
/// Where a request names its customer. The path always does, for operators and caches:
/// <c>/customers/acme/invoices</c>. A header and a host's name may, too. What a request says in two places has to be
/// the same, and a customer's own credential says it without any of them.
/// </summary>
internal static class CustomerAddresses
{
    /// <summary>What the addresses of one customer begin with.</summary>
    public const string Path = "/customers/{customer}";

    /// <summary>
    /// The setting with the header's name; empty for no header. Default: <see cref="CustomerHeader.Header"/>.
    /// </summary>
    public const string HeaderSetting = "Customers:Header";

    /// <summary>The setting with the host's pattern, e.g. <c>{slug}.localhost</c>. Default: none.</summary>
    public const string HostSetting = "Customers:Host";

    public static TenantResolution AtAddresses(this TenantResolution requests, IConfiguration configuration)
    {
        requests.Route("customer");
        if ((configuration[HeaderSetting] ?? CustomerHeader.Header) is { Length: > 0 } header)
        {
            requests.Header(header);
        }

        if (configuration[HostSetting] is { Length: > 0 } host)
        {
            requests.Host(host);
        }

        return requests;
    }
}
