using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Tenancy;

namespace Tests.Integration.Metrics;

/// <summary>One value of one instrument.</summary>
/// <param name="Instrument">Its name.</param>
/// <param name="Value">The value.</param>
/// <param name="Tags">As <c>key=value</c>, in their order.</param>
internal sealed record Sample(string Instrument, double Value, IReadOnlyList<string> Tags);

/// <summary>What the library's meter of one host measures, and of no other host of this process.</summary>
internal sealed class Measured : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly List<Sample> _recorded = [];
    private readonly Lock _lock = new();

    public Measured(IServiceProvider host)
    {
        var factory = host.GetRequiredService<IMeterFactory>();
        // Instruments are made when somebody needs them, at a host's start.
        host.GetRequiredService<TenancyMetrics>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == TenancyTelemetry.Name && ReferenceEquals(instrument.Meter.Scope, factory))
            {
                Instruments.Add(instrument);
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    public List<Instrument> Instruments { get; } = [];

    /// <summary>
    /// The observable instruments' values now, and what the others have recorded since this was made.
    /// </summary>
    public IReadOnlyList<Sample> Read()
    {
        lock (_lock)
        {
            _recorded.RemoveAll(sample =>
                Instruments.Any(instrument => instrument.IsObservable && instrument.Name == sample.Instrument));
        }

        _listener.RecordObservableInstruments();
        lock (_lock)
        {
            return [.. _recorded];
        }
    }

    /// <summary>The values of one instrument that have all these tags, together.</summary>
    public double Sum(string instrument, params string[] tags) => Of(instrument, tags).Sum(sample => sample.Value);

    public IReadOnlyList<Sample> Of(string instrument, params string[] tags) =>
        [.. Read().Where(sample => sample.Instrument == instrument && tags.All(sample.Tags.Contains))];

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var words = new List<string>();
        foreach (var tag in tags)
        {
            words.Add($"{tag.Key}={tag.Value}");
        }

        lock (_lock)
        {
            _recorded.Add(new(instrument.Name, value, words));
        }
    }
}
