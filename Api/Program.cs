using System.Text.Json;
using System.Text.Json.Serialization;
using Api;
using Api.Customers;
using Api.Health;
using Api.Invoicing;
using Api.Reports;
using Api.Tenants;
using Data;
using Data.Customers;
using Tenancy;
using Tenancy.AspNetCore;

var builder = WebApplication.CreateBuilder(args);
builder.ListenOnLoopbackOnly();
builder.AddServiceDefaults();
builder.Services.AddData(builder.Configuration);
builder.Services.AddTenantResolution(requests => requests.Header(CustomerHeader.Header).Called("customer"));
if (builder.Configuration.MayCreateCustomers())
{
    builder.Services.AddWarmPool();
}

// Retries are off: a retrying strategy refuses transactions that the caller opens, and creating a customer is one. Its
// health check is ours: see Readiness.
builder.EnrichNpgsqlDbContext<CustomersContext>(settings =>
    (settings.DisableRetry, settings.DisableHealthChecks) = (true, true));
builder.Services.AddReadiness();
builder.Services.AddProblems();
builder.Services.AddValidation();
builder.Services.AddOpenApi(options => options.AddCustomerHeader());
builder.Services.ConfigureHttpJsonOptions(json =>
    json.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase)));

var app = builder.Build();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseSilentServer();
app.UseTenants();
app.MapDefaultEndpoints();
app.MapOpenApi();
app.MapCustomers();
app.MapCurrencies();
app.MapInvoices();
app.MapReceivables();

await app.CheckAndServeAsync();
