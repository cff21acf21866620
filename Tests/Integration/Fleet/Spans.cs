using System.Collections.Concurrent;
using System.Diagnostics;
using Tenancy;

namespace Tests.Integration.Fleet;

/// <summary>
/// The library's spans that end while this exists, of the test that made it and of no other that runs at the same time.
/// </summary>
internal sealed class Spans : IDisposable
{
    private readonly Activity _test = new Activity("test").Start();
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    public Spans()
    {
        _listener = new()
        {
            ShouldListenTo = source => source.Name == TenancyTelemetry.Name,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                if (span.TraceId == _test.TraceId)
                {
                    _ended.Enqueue(span);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public IEnumerable<Activity> Of(string operation) => _ended.Where(span => span.OperationName == operation);

    public void Dispose()
    {
        _listener.Dispose();
        _test.Dispose();
    }
}
