using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Web.Api;

/// <summary>What the API answered: the value that was asked for, or the problem that prevented it.</summary>
public sealed class Result<T> where T : class
{
    private Result(T? value, Problem? problem) => (Value, Problem) = (value, problem);

    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Problem))]
    public bool Succeeded => Value is not null;

    public T? Value { get; }

    public Problem? Problem { get; }

    public static implicit operator Result<T>(T value) => new(value, null);

    public static implicit operator Result<T>(Problem problem) => new(null, problem);
}

/// <summary>One page of a list. Pages count from 1; <paramref name="Total"/> counts the items of all pages.</summary>
public sealed record Page<T>(
    IReadOnlyList<T> Items, [property: JsonPropertyName("page")] int Number, int PageSize, int Total)
{
    public int Count => (int)Math.Ceiling(Total / (double)PageSize);
}
