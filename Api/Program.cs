using System.Text.Json;
using System.Text.Json.Serialization;
using Api;
using Api.Access;
using Api.Contract;
using Api.Customers;
using Api.Health;
using Api.Invoicing;
using Api.Operations;
using Api.Reports;
using Api.Tenants;
using Data;
using Data.Customers;
using Scalar.AspNetCore;
using Tenancy;
using Tenancy.AspNetCore;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddAccess();
builder.Services.AddData(builder.Configuration);
builder.Services.AddTenantResolution(requests => requests.Claim(Caller.Customer, Caller.CustomerId).SignInFirst()
    .AtAddresses(builder.Configuration).Called("customer"));
builder.Services.AddTenantLimits(limits => builder.Configuration.GetSection("Limits").Bind(limits));
if (builder.Configuration.MayCreateCustomers())
{
    builder.Services.AddWarmPool().AddTenantOperations();
}

// Retries are off: a retrying strategy refuses transactions that the caller opens, and creating a customer is one. Its
// health check is ours: see Readiness.
builder.EnrichNpgsqlDbContext<CustomersContext>(settings =>
    (settings.DisableRetry, settings.DisableHealthChecks) = (true, true));
builder.Services.AddReadiness();
builder.Services.AddProblems();
builder.Services.AddValidation();
builder.Services.AddOpenApi(options =>
{
    options.AddCustomerHeader();
    options.DescribeContract();
});
builder.AddResponses();
builder.Services.ConfigureHttpJsonOptions(json =>
{
    // What is misspelt, sent twice or of another type is refused: ignoring it would do something else than was asked.
    var strict = json.SerializerOptions;
    strict.NumberHandling = JsonNumberHandling.Strict;
    strict.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
    strict.AllowDuplicateProperties = false;
    strict.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
});
// The answer says what is wrong, in every environment.
builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);

var app = builder.Build();
app.CheckAccess();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseResponses();
app.UseSilentServer();
app.UseTenants();
app.UseKnownParameters();
app.MapDefaultEndpoints();
app.MapOpenApi().AllowAnonymous();
// It shows the document, and calls nobody but this API.
app.MapScalarApiReference("/docs", docs => docs.DisableTelemetry().DisableAgent().HideDeveloperTools()
    .HideClientButton()).AllowAnonymous();
var api = app.MapGroup("").WithHead();
api.MapApiKeys();
api.MapCustomers();
api.MapImpersonation();
api.MapOperations();
api.MapFleet();
api.MapDoctor();
api.MapCurrencies();
api.MapInvoices("/invoices", of: "");
api.MapInvoices(CustomerAddresses.Path + "/invoices", of: "Customer");
api.MapContacts("/contacts", of: "");
api.MapContacts(CustomerAddresses.Path + "/contacts", of: "Customer");
api.MapSettings("/settings", of: "");
api.MapSettings(CustomerAddresses.Path + "/settings", of: "Customer");
api.MapReceivables();

await app.CheckAndServeAsync();
