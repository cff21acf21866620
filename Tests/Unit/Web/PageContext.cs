using Bunit;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor.Services;
using Web.Customers;

namespace Tests.Unit.Web;

/// <summary>Renders pages against an API that answers as the test says.</summary>
public abstract class PageContext : BunitContext
{
    private protected FakeApi Api { get; } = new() { Answer = request =>
        throw new InvalidOperationException($"Nobody said what {request.RequestUri} answers.") };

    protected PageContext()
    {
        JSInterop.Mode = JSRuntimeMode.Loose;
        Services.AddMudServices(options => options.PopoverOptions.CheckForPopoverProvider = false);
        Services.AddSingleton(TimeProvider.System);
        Services.AddScoped<RecentCustomer>();
        Services.AddTransient(_ => Api.Customers);
        Services.AddTransient(_ => Api.Fleet);
        Services.AddTransient(_ => Api.Doctor);
        Services.AddTransient(_ => Api.Invoices);
        Services.AddTransient(_ => Api.Contacts);
        Services.AddTransient(_ => Api.Keys);
        Services.AddTransient(_ => Api.Operations);
        Services.AddTransient(_ => Api.Receivables);
    }

    /// <summary>A button of the dialog that is open or about to open.</summary>
    private protected static AngleSharp.Dom.IElement DialogButton(
        IRenderedComponent<MudBlazor.MudDialogProvider> dialogs, string label)
    {
        dialogs.WaitForState(() => dialogs.FindAll("button").Any(IsIt), TimeSpan.FromSeconds(10));
        return dialogs.FindAll("button").Single(IsIt);

        bool IsIt(AngleSharp.Dom.IElement button) => button.TextContent.Trim() == label;
    }

    /// <summary>The text under the field with this label, where what is wrong with it belongs.</summary>
    private protected static string Beside<T>(
        IRenderedComponent<T> page, string label) where T : Microsoft.AspNetCore.Components.IComponent
    {
        var input = page.FindAll("label").Single(l => l.TextContent == label).GetAttribute("for");
        var field = page.Find($"[id='{input}']");
        var described = field.GetAttribute("aria-describedby");
        return field.GetAttribute("aria-invalid") == "true" && described is not null
            ? page.Find($"[id='{described}']").TextContent.Trim()
            : "";
    }
}
