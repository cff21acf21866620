using System.Collections;
using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Components.Forms;

namespace Web.Shell;

/// <summary>Finds the field of a form that a path of problem details means.</summary>
internal static class FieldPath
{
    /// <returns>The field, or null when the form has none of that path.</returns>
    public static FieldIdentifier? Find(object form, string path)
    {
        object? model = form;
        var steps = path.Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal)
            .Split('.');
        foreach (var step in steps[..^1])
        {
            model = model is IList list
                && int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                ? index < list.Count ? list[index] : null
                : model is null ? null : Property(model, step)?.GetValue(model);
        }

        return model is not null && Property(model, steps[^1]) is { } property
            ? new FieldIdentifier(model, property.Name)
            : null;
    }

    private static PropertyInfo? Property(object model, string name) =>
        model.GetType().GetProperty(name, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase);
}
