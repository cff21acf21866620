using System.Buffers.Binary;
using System.Text;

namespace Tests.Integration.Telemetry;

/// <summary>As much of MessagePack as a circuit's messages consist of.</summary>
internal static class MessagePack
{
    /// <summary>A message as the hub protocol frames it: its length, then an array.</summary>
    public static byte[] Frame(params object?[] message)
    {
        using var body = new MemoryStream();
        Write(body, message);
        using var frame = new MemoryStream();
        var length = body.Length;
        for (; length >= 0x80; length >>= 7)
        {
            frame.WriteByte((byte)(length | 0x80));
        }

        frame.WriteByte((byte)length);
        body.WriteTo(frame);
        return frame.ToArray();
    }

    /// <summary>The messages of some frames: arrays, each.</summary>
    public static IEnumerable<object?[]> Messages(byte[] frames)
    {
        for (var at = 0; at < frames.Length;)
        {
            var shift = 0;
            while ((frames[at] & 0x80) != 0)
            {
                at++;
                shift += 7;
            }

            at++;
            yield return (object?[])Read(frames, ref at)!;
        }
    }

    private static void Write(MemoryStream to, object? value)
    {
        switch (value)
        {
            case null:
                to.WriteByte(0xC0);
                break;
            case bool yes:
                to.WriteByte(yes ? (byte)0xC3 : (byte)0xC2);
                break;
            case long number:
                to.WriteByte(0xD3);
                Span<byte> eight = stackalloc byte[8];
                BinaryPrimitives.WriteInt64BigEndian(eight, number);
                to.Write(eight);
                break;
            case string text:
                var bytes = Encoding.UTF8.GetBytes(text);
                to.WriteByte(0xDB);
                Span<byte> four = stackalloc byte[4];
                BinaryPrimitives.WriteInt32BigEndian(four, bytes.Length);
                to.Write(four);
                to.Write(bytes);
                break;
            case object?[] array:
                to.WriteByte((byte)(0x90 | array.Length));
                Array.ForEach(array, item => Write(to, item));
                break;
            case Dictionary<string, string>:
                to.WriteByte(0x80);
                break;
            default:
                throw new NotSupportedException(value.GetType().Name);
        }
    }

    private static object? Read(byte[] from, ref int at)
    {
        var kind = from[at++];
        switch (kind)
        {
            case < 0x80:
                return (long)kind;
            case < 0x90:
                return Map(from, ref at, kind & 0xF);
            case < 0xA0:
                return Items(from, ref at, kind & 0xF);
            case < 0xC0:
                return Text(from, ref at, kind & 0x1F);
            case 0xC0:
                return null;
            case 0xC2 or 0xC3:
                return kind == 0xC3;
            case 0xC4 or 0xC5 or 0xC6:
                at += (int)Number(from, ref at, 1 << (kind - 0xC4));
                return null;
            case 0xCA or 0xCB:
                at += kind == 0xCA ? 4 : 8;
                return null;
            case 0xCC or 0xCD or 0xCE or 0xCF:
                return Number(from, ref at, 1 << (kind - 0xCC));
            case 0xD0 or 0xD1 or 0xD2 or 0xD3:
                return Number(from, ref at, 1 << (kind - 0xD0));
            case 0xD9 or 0xDA or 0xDB:
                return Text(from, ref at, (int)Number(from, ref at, 1 << (kind - 0xD9)));
            case 0xDC or 0xDD:
                return Items(from, ref at, (int)Number(from, ref at, 2 << (kind - 0xDC)));
            case 0xDE or 0xDF:
                return Map(from, ref at, (int)Number(from, ref at, 2 << (kind - 0xDE)));
            case >= 0xE0:
                return (long)(sbyte)kind;
            default:
                throw new InvalidDataException($"MessagePack's {kind:X2} isn't known here.");
        }
    }

    private static long Number(byte[] from, ref int at, int bytes)
    {
        long number = 0;
        for (var i = 0; i < bytes; i++)
        {
            number = (number << 8) | from[at++];
        }

        return number;
    }

    private static string Text(byte[] from, ref int at, int length)
    {
        at += length;
        return Encoding.UTF8.GetString(from, at - length, length);
    }

    private static object?[] Items(byte[] from, ref int at, int count)
    {
        var items = new object?[count];
        for (var i = 0; i < count; i++)
        {
            items[i] = Read(from, ref at);
        }

        return items;
    }

    private static object? Map(byte[] from, ref int at, int count)
    {
        Items(from, ref at, 2 * count);
        return null;
    }
}
