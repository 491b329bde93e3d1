// The C# side of what is measured with frames on the move; for the protocol see frames/main.c.

using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;

internal sealed record Job(string Name, int Bytes, int Boxes, int Consumers)
{
    public const int Page = 4096;
    public const int MostConsumers = 4;

    /// <summary>Of a consumer.</summary>
    public int Number => Consumers;
}

/// <summary>How frames get from one to others.</summary>
internal abstract class Way(Job job)
{
    protected Job Job => job;

    /// <summary>The producer's objects, and what leads to them.</summary>
    public abstract string Make();

    /// <summary>Wait for the consumers, where that takes a call.</summary>
    public virtual void Meet()
    {
    }

    public abstract void Give(byte[] frame);

    /// <summary>Wait until all is taken, where nothing else does, and let go.</summary>
    public virtual void End()
    {
    }

    public abstract void Join();

    public abstract ReadOnlySpan<byte> Take();

    public virtual void Taken()
    {
    }

    public virtual void Leave()
    {
    }

    public static Way Of(string name, Job job) => name switch
    {
        "boxes" => new Boxes(job),
        "locked" => new Locked(job),
        "tcp" => new Tcp(job),
        "local" => OperatingSystem.IsWindows() ? new Pipes(job) : new UnixSockets(job),
        "zmq" => new Zmq(job),
        "events" => new Events(job),
        _ => throw new ArgumentException($"no such way: {name}"),
    };
}

internal static class FrameWorker
{
    private const ulong Mix = 0x9E3779B97F4A7C15;
    private const ulong End = ulong.MaxValue;

    public static void Run()
    {
        Console.WriteLine("ready");
        while (Console.ReadLine() is string line)
        {
            string[] words = line.Split(' ');
            int[] numbers = Array.ConvertAll(words[3..6], word => int.Parse(word, CultureInfo.InvariantCulture));
            long budget = long.Parse(words[6], CultureInfo.InvariantCulture);
            var job = new Job(words[2], numbers[0], numbers[1], numbers[2]);
            Console.WriteLine(words[0] switch
            {
                "produce" => Produce(Way.Of(words[1], job), job, budget),
                "consume" => Consume(Way.Of(words[1], job), job),
                string alone => Alone(job, budget, alone == "fill"),
            });
        }
    }

    private static long Now => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));

    private static long Cpu => (long)Environment.CpuUsage.TotalTime.TotalNanoseconds;

    private static Span<ulong> Words(byte[] frame) => MemoryMarshal.Cast<byte, ulong>(frame.AsSpan());

    private static void Paint(byte[] frame)
    {
        Span<ulong> words = Words(frame);
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = (ulong)i * Mix;
        }
    }

    private static void Stamp(byte[] frame, ulong number)
    {
        Span<ulong> words = Words(frame);
        for (int i = 0; i < words.Length; i += Job.Page / 8)
        {
            words[i] = number;
        }
        words[1] = (ulong)Now;
    }

    private static ulong Sum(ReadOnlySpan<ulong> words)
    {
        ReadOnlySpan<Vector<ulong>> vectors = MemoryMarshal.Cast<ulong, Vector<ulong>>(words);
        Vector<ulong> a = default, b = default;
        for (int i = 0; i < vectors.Length; i += 2)
        {
            a += vectors[i];
            b += vectors[i + 1];
        }
        return Vector.Sum(a + b);
    }

    private static (ulong Number, ulong Time) Check(ReadOnlySpan<byte> frame)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(frame);
        ulong count = (ulong)words.Length, pages = (ulong)frame.Length / Job.Page;
        ulong painted = count * (count - 1) / 2 - 1 - Job.Page / 8 * (pages * (pages - 1) / 2);
        (ulong number, ulong time) = (words[0], words[1]);
        return Sum(words) == Mix * painted + pages * number + time
            ? (number, time)
            : throw new InvalidDataException($"frame {number} is not whole");
    }

    private static string Produce(Way way, Job job, long budget)
    {
        byte[] frame = new byte[job.Bytes];
        ulong frames = 0;
        Paint(frame);
        Console.WriteLine(way.Make());
        way.Meet();
        // The first frame waits for connections, and is not counted.
        Stamp(frame, 0);
        way.Give(frame);
        long began = Now, cpu = Cpu;
        do
        {
            Stamp(frame, ++frames);
            way.Give(frame);
        }
        while (Now - began < budget);
        Stamp(frame, End);
        way.Give(frame);
        way.End();
        return string.Create(CultureInfo.InvariantCulture, $"{frames} {Now - began} {Cpu - cpu}");
    }

    private static string Consume(Way way, Job job)
    {
        var samples = new List<long>(1 << 16);
        ulong frames = 0, lost = 0;
        long began = 0, ended = 0, cpu = 0;
        way.Join();
        while (true)
        {
            (ulong number, ulong time) = Check(way.Take());
            way.Taken();
            if (number == End)
            {
                break;
            }
            ended = Now;
            if (began == 0)
            {
                (began, cpu) = (ended, Cpu);
                continue;
            }
            lost = number - ++frames;
            samples.Add(ended - (long)time);
        }
        cpu = Cpu - cpu;
        way.Leave();
        samples.Sort();
        int last = samples.Count - 1;
        return string.Create(CultureInfo.InvariantCulture,
            $"{frames} {lost} {ended - began} {cpu} {samples[last / 2]} {samples[(int)(last * 99L / 100)]} {samples[last]}");
    }

    // The limits: copies into boxes that nobody looks at, or looks without copies.
    private static string Alone(Job job, long budget, bool copies)
    {
        byte[] frame = new byte[job.Bytes];
        long frames = 0;
        Paint(frame);
        Stamp(frame, 1);
        byte[][] boxes = Enumerable.Range(0, job.Boxes).Select(_ => (byte[])frame.Clone()).ToArray();
        long began = Now;
        do
        {
            byte[] box = boxes[frames % job.Boxes];
            if (copies)
            {
                Stamp(frame, (ulong)frames);
                frame.CopyTo(box, 0);
            }
            else
            {
                Check(box);
            }
            frames++;
        }
        while (Now - began < budget);
        return string.Create(CultureInfo.InvariantCulture, $"{frames} {Now - began}");
    }
}
