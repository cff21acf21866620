using System.Diagnostics;

namespace Tenancy;

/// <summary>Work that no trace shows: what a timer or a probe asks every few seconds.</summary>
internal static class Unrecorded
{
    /// <summary>Runs it below a span that isn't recorded. OpenTelemetry's default sampler then records none of its children.</summary>
    public static T Run<T>(Func<T> work)
    {
        using var none = new Activity("unrecorded").SetParentId(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.None).Start();
        return work();
    }
}
