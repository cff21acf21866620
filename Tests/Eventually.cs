using System.Diagnostics;
using System.Runtime.CompilerServices;
using Xunit;

namespace Tests;

/// <summary>Waits for what happens elsewhere: in another process, on the server, in the background.</summary>
internal static class Eventually
{
    /// <summary>Long beside whatever a test waits for, so that only what never happens takes so long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Returns as soon as the condition holds. After two minutes the test fails, and says which.</summary>
    /// <param name="condition">Asked again and again, some hundred times a second.</param>
    /// <param name="words">The condition's own text.</param>
    public static async Task HoldsAsync(
        Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string words = "")
    {
        for (var since = Stopwatch.StartNew(); !await condition();)
        {
            Assert.True(since.Elapsed < Patience, $"In {Patience} it never came true: {words}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    /// <inheritdoc cref="HoldsAsync(Func{Task{bool}}, string)"/>
    public static Task HoldsAsync(
        Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string words = "") =>
        HoldsAsync(() => Task.FromResult(condition()), words);
}
