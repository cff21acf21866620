using System.Buffers.Binary;
using System.Text;

namespace Tests.Integration.Telemetry;

/// <summary>
/// One protobuf message, as far as OTLP's traces and logs need it: its fields by their numbers, numbers and bytes.
/// </summary>
internal sealed class OtlpMessage
{
    private readonly ILookup<int, object> _fields;

    public OtlpMessage(ReadOnlyMemory<byte> bytes) =>
        _fields = Read(bytes).ToLookup(field => field.Number, field => field.Value);

    public IEnumerable<OtlpMessage> Messages(int field) =>
        _fields[field].Select(value => new OtlpMessage((ReadOnlyMemory<byte>)value));

    public OtlpMessage? Message(int field) => Messages(field).FirstOrDefault();

    public string Text(int field) =>
        _fields[field].FirstOrDefault() is ReadOnlyMemory<byte> bytes ? Encoding.UTF8.GetString(bytes.Span) : "";

    public string Hex(int field) =>
        _fields[field].FirstOrDefault() is ReadOnlyMemory<byte> bytes ? Convert.ToHexStringLower(bytes.Span) : "";

    public ulong Number(int field) => _fields[field].FirstOrDefault() is ulong number ? number : 0;

    /// <summary>Key and value pairs; of the values, what isn't text is written as .NET writes it.</summary>
    public Dictionary<string, string> Attributes(int field) =>
        Messages(field).GroupBy(pair => pair.Text(1))
            .ToDictionary(pair => pair.Key, pair => pair.First().Message(2)?.Value() ?? "");

    /// <summary>An AnyValue's.</summary>
    public string Value() => _fields.FirstOrDefault() switch
    {
        { Key: 1 } => Text(1),
        { Key: 2 } => Number(2) == 1 ? "True" : "False",
        { Key: 3 } => ((long)Number(3)).ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => "",
    };

    private static IEnumerable<(int Number, object Value)> Read(ReadOnlyMemory<byte> bytes)
    {
        var at = 0;
        while (at < bytes.Length)
        {
            var key = (int)Varint(bytes.Span, ref at);
            switch (key & 7)
            {
                case 0:
                    yield return (key >> 3, Varint(bytes.Span, ref at));
                    break;
                case 1:
                    yield return (key >> 3, BinaryPrimitives.ReadUInt64LittleEndian(bytes.Span[at..]));
                    at += 8;
                    break;
                case 2:
                    var length = (int)Varint(bytes.Span, ref at);
                    yield return (key >> 3, bytes.Slice(at, length));
                    at += length;
                    break;
                case 5:
                    yield return (key >> 3, (ulong)BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span[at..]));
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"Protobuf has no wire type {key & 7}.");
            }
        }
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var part = bytes[at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
    }
}
