namespace Tests.Unit.Web;

/// <summary>A clock that goes on when a test says so. Its timers fire on the thread that moves it.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly List<Timer> _timers = [];
    private DateTimeOffset _now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => _now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        timer.Change(dueTime, period);
        lock (_timers)
        {
            _timers.Add(timer);
        }

        return timer;
    }

    /// <summary>Goes on by that much, second after second.</summary>
    public void Advance(int seconds)
    {
        for (var second = 0; second < seconds; second++)
        {
            _now += TimeSpan.FromSeconds(1);
            Timer[] timers;
            lock (_timers)
            {
                timers = [.. _timers];
            }

            foreach (var timer in timers)
            {
                timer.Tick();
            }
        }
    }

    private sealed class Timer(ManualTime time, Action fire) : ITimer
    {
        private DateTimeOffset? _due;
        private TimeSpan _period;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _due = dueTime == Timeout.InfiniteTimeSpan ? null : time._now + dueTime;
            _period = period;
            return true;
        }

        public void Tick()
        {
            if (_due <= time._now)
            {
                _due = _period > TimeSpan.Zero ? time._now + _period : null;
                fire();
            }
        }

        public void Dispose() => _due = null;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
