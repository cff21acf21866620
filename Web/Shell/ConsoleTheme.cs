using MudBlazor;

namespace Web.Shell;

/// <summary>Light, dark, or as the reader's system has it.</summary>
public enum ThemeChoice
{
    System,
    Light,
    Dark,
}

/// <summary>Colours and type. Fonts are the system's: nothing is fetched from elsewhere.</summary>
internal static class ConsoleTheme
{
    private static readonly string[] Fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue",
        "Noto Sans", "Arial", "sans-serif"];

    public static MudTheme Theme { get; } = new()
    {
        PaletteLight = new PaletteLight
        {
            Primary = "#3451b2",
            Secondary = "#0f766e",
            Info = "#075985",
            Success = "#166534",
            Warning = "#92400e",
            Error = "#a31515",
            Background = "#f6f7f9",
            Surface = "#ffffff",
            AppbarBackground = "#ffffff",
            AppbarText = "#1c2333",
            TextPrimary = "#1c2333",
            TextSecondary = "#5b6478",
            ActionDefault = "#5b6478",
            LinesInputs = "#a4acbd",
            LinesDefault = "#e2e5eb",
            TableLines = "#e2e5eb",
            TableHover = "#f1f3f9",
            Divider = "#e2e5eb",
        },
        PaletteDark = new PaletteDark
        {
            Primary = "#9db1ff",
            PrimaryContrastText = "#10162b",
            Secondary = "#5eead4",
            Info = "#7dd3fc",
            Success = "#86efac",
            Warning = "#fcd34d",
            Error = "#fca5a5",
            ErrorContrastText = "#2b1010",
            Background = "#10131a",
            Surface = "#181c26",
            AppbarBackground = "#181c26",
            AppbarText = "#e6e9f0",
            TextPrimary = "#e6e9f0",
            TextSecondary = "#a3abbd",
            ActionDefault = "#a3abbd",
            LinesInputs = "#596177",
            LinesDefault = "#2b3140",
            TableLines = "#2b3140",
            TableHover = "#1f2431",
            Divider = "#2b3140",
        },
        Typography = new Typography
        {
            Default = new DefaultTypography { FontFamily = Fonts },
            H4 = new H4Typography { FontFamily = Fonts, FontSize = "1.75rem", FontWeight = "650", LineHeight = "1.25",
                LetterSpacing = "-0.01em" },
            H6 = new H6Typography { FontFamily = Fonts, FontSize = "1.05rem", FontWeight = "650", LetterSpacing = "0" },
            Button = new ButtonTypography { FontFamily = Fonts, FontWeight = "600", TextTransform = "none",
                LetterSpacing = "0" },
        },
        LayoutProperties = new LayoutProperties { DefaultBorderRadius = "8px", AppbarHeight = "56px" },
    };

    /// <summary>What the cookie says; anything else is the system's choice.</summary>
    public static ThemeChoice Parse(string? cookie) =>
        Enum.TryParse<ThemeChoice>(cookie, ignoreCase: true, out var choice) && Enum.IsDefined(choice)
            ? choice
            : ThemeChoice.System;
}
