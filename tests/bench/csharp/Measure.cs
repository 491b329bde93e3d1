using System.Diagnostics;
using System.Globalization;

/// <summary>What is repeated. A structure, so that the compiler puts it into the loop.</summary>
internal interface IOperation
{
    void Once();
}

internal static class Measure
{
    /// <summary>Nanoseconds and processor's nanoseconds of one operation: the median of chunks.</summary>
    public static string Run<T>(long budget, T operation)
        where T : struct, IOperation
    {
        // The compiler optimises a loop when it has run for a while.
        Chunk(ref operation, 64);
        int chunk = 1;
        while (Nanoseconds(Chunk(ref operation, chunk)) < 50_000 && chunk < 4096)
        {
            chunk *= 2;
        }
        var samples = new List<double>(1 << 16);
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long began = Stopwatch.GetTimestamp();
        do
        {
            samples.Add(Nanoseconds(Chunk(ref operation, chunk)) / chunk);
        }
        while (Nanoseconds(Stopwatch.GetTimestamp() - began) < budget);
        double spent = (Environment.CpuUsage.TotalTime - cpu).TotalNanoseconds / ((double)chunk * samples.Count);
        samples.Sort();
        return string.Create(CultureInfo.InvariantCulture, $"{samples[samples.Count / 2]:g6} {spent:g6}");
    }

    private static long Chunk<T>(ref T operation, int count)
        where T : struct, IOperation
    {
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            operation.Once();
        }
        return Stopwatch.GetTimestamp() - began;
    }

    private static double Nanoseconds(long ticks) => ticks * (1e9 / Stopwatch.Frequency);
}
