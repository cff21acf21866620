namespace Tests;

/// <summary>How far a test goes: the environment variable TEST_DEPTH=full asks for the long way.</summary>
internal static class TestDepth
{
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable("TEST_DEPTH") == "full";

    public static int Of(int normal, int full) => IsFull ? full : normal;
}
