using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Data;
using Microsoft.Extensions.DependencyInjection;
using Tests.Integration;
using Tests.Integration.Metrics;
using Xunit;

namespace Tests.Unit.Data;

/// <summary>docs/metrics.md names every instrument with its kind, its unit and its values, and nothing else.</summary>
public sealed partial class MetricsPageTests
{
    private readonly string _page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "metrics.md"));

    [Fact]
    public async Task The_page_has_the_instruments_of_the_code_with_kind_and_unit()
    {
        await using var application = Application();
        using var measured = new Measured(application);

        var told = Row().Matches(_page)
            .Select(row => (row.Groups["name"].Value, row.Groups["kind"].Value, row.Groups["unit"].Value)).Order();

        Assert.Equal(
            measured.Instruments.Select(instrument => (instrument.Name, Kind(instrument), instrument.Unit!)).Order(),
            told);
    }

    [Fact]
    public async Task The_page_names_every_attribute_and_every_value_of_a_counter()
    {
        await using var application = Application();
        using var measured = new Measured(application);

        foreach (var (instrument, tag) in measured.Read()
            .SelectMany(sample => sample.Tags.Select(tag => (sample.Instrument, tag.Split('=')))))
        {
            var section = Assert.Single(
                Section().Matches(_page), section => section.Groups["name"].Value == instrument).Value;
            Assert.Contains($"`{tag[0]}`", section, StringComparison.Ordinal);
            Assert.Contains($"`{tag[1]}`", section, StringComparison.Ordinal);
        }
    }

    private static ServiceProvider Application() =>
        new ServiceCollection().AddLogging().AddMetrics().AddData(App.Configuration("Host=127.0.0.1"))
            .BuildServiceProvider();

    private static string Kind(Instrument instrument) => instrument switch
    {
        ObservableGauge<long> or ObservableGauge<int> or ObservableGauge<double> => "gauge",
        ObservableUpDownCounter<long> => "up-down counter",
        ObservableCounter<long> => "counter",
        Histogram<double> => "histogram",
        _ => instrument.GetType().Name,
    };

    [GeneratedRegex(@"^\| \[`(?<name>[a-z_.]+)`\]\(#[a-z_-]+\) \| (?<kind>[a-z -]+) \| `(?<unit>[a-z{}1]+)` \|",
        RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"^### `(?<name>[a-z_.]+)`$.*?(?=^##)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Section();
}
