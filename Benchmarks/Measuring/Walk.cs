namespace Benchmarks.Measuring;

/// <summary>
/// The order in which tenants are served: each as often as the others, far from its neighbours (the stride has no
/// divisor in common with their number), and after each lap one place on: the pool hands out its connections in turn,
/// and a lap whose length its size divides would give each backend the same few tenants for ever.
/// </summary>
internal struct Walk(int places, int start)
{
    private readonly int _places = places;
    private readonly int _stride = Stride(places);
    private int _at = start % places;
    private int _left = places;

    public int Next()
    {
        var at = _at;
        _at = (_at + _stride) % _places;
        if (--_left == 0)
        {
            _left = _places;
            _at = (_at + 1) % _places;
        }

        return at;
    }

    private static int Stride(int places)
    {
        // Near the golden section, so that short stretches are spread evenly too.
        var stride = Math.Max(1, (int)(places * 0.618));
        while (Divisor(stride, places) != 1)
        {
            stride++;
        }

        return stride;
    }

    private static int Divisor(int a, int b) => b == 0 ? a : Divisor(b, a % b);
}
