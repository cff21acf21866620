namespace Web.Shell;

/// <summary>A form that knows its own rules. It is shaped like the request it becomes.</summary>
public interface IForm
{
    /// <summary>What is wrong at the moment.</summary>
    IEnumerable<FieldError> Check();
}

/// <param name="Path">The field, as problem details name it, for example <c>lines[0].quantity</c>.</param>
/// <param name="Message">What is wrong, in words.</param>
public readonly record struct FieldError(string Path, string Message);
