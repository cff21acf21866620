using System.Globalization;
using MudBlazor;
using MudBlazor.Services;
using Web.Api;
using Web.Operations;
using Web.Shell;
using Web.SignIn;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
// Unpublished builds find the packages' assets in Development only, unless told so. Published ones have them in their
// own folder.
builder.WebHost.UseStaticWebAssets();
builder.Services.AddApiClients();
builder.AddConsoleAccess();
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddMudServices(options =>
{
    options.SnackbarConfiguration.PositionClass = Defaults.Classes.Position.BottomCenter;
    options.SnackbarConfiguration.VisibleStateDuration = 4000;
});
builder.Services.AddRazorComponents().AddInteractiveServerComponents();

var app = builder.Build();

if (!app.Environment.IsDevelopment())
{
    app.UseExceptionHandler("/error", createScopeForErrors: true);
}

app.UseSecurityHeaders();
app.UseStatusCodePagesWithReExecute("/not-found", createScopeForStatusCodePages: true);

// Dates and numbers look as the reader's browser asks, the words stay English. A circuit inherits the culture of the
// request that opens it.
app.UseRequestLocalization(options =>
{
    options.SupportedCultures = CultureInfo.GetCultures(CultureTypes.AllCultures);
    options.SupportedUICultures = [CultureInfo.GetCultureInfo("en")];
    options.SetDefaultCulture("en");
});

app.UseReaderZone();
app.UseAuthentication();
app.UseAuthorization();
app.UseRateLimiter();
app.UseAntiforgery();
app.MapStaticAssets().AllowAnonymous();
app.MapDefaultEndpoints();
app.MapConsoleAccess();
app.MapOperationFiles();
app.MapRazorComponents<App>().AddInteractiveServerRenderMode(
    // The policy of SecurityHeaders says it.
    options => options.ContentSecurityFrameAncestorsPolicy = null);

app.Run();
