// SPDX-License-Identifier: MIT
// Give frames of one size, such as pictures, to several programs; none is lost or copied. Run the first in
// one terminal, and the second in as many others as you like:
//
//     dotnet run --project bindings/csharp/examples Frames NAME
//     dotnet run --project bindings/csharp/examples Frames NAME take
//
// The other program may be in any language: each has an example called frames. Take FrameGiver and
// FrameTaker into your own program as they are.
//
// The region has a head, and then two boxes or more, a frame in each. The giver fills the next box while the
// takers look at those before, so nobody waits for anybody who is not slower. A box is filled again when each
// taker has done with it. No lock is held meanwhile: it is for the numbers in the head alone, which Write()
// and Read() take for the time of a few bytes.
//
// A taker that dies is forgotten within two seconds, and a giver that dies while it fills a box has given
// nothing. Who dies with the lock had only numbers of its own to write, so whoever locks next takes it off
// the list and goes on. A taker that wants the newest frame, and not every one, needs no more than Write() and
// Read().

using System.Diagnostics;
using System.Runtime.InteropServices;
using Winshm;

/// <summary>What both sides have.</summary>
internal abstract class FrameBoxes(Region region, long bytes, long boxes) : IDisposable
{
    protected const int Page = 4096;
    protected const int Places = 8;
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // The first bytes of the region. Each box begins at a whole page.
    [StructLayout(LayoutKind.Sequential)]
    protected unsafe struct Head
    {
        public ulong Given; // Frames so far.
        public ulong Over; // 1: there will be no more.
        public ulong Bytes; // Of a frame.
        public ulong Boxes;

        // For each taker its number as a participant, or 0 for a free place, and the frames it has done with.
        public fixed ulong Takers[2 * Places];
    }

    protected const int OverAt = 8;
    protected const int TakersAt = 32;

    protected Region Region => region;

    protected ulong Boxes => (ulong)boxes;

    private long _looked = Stopwatch.GetTimestamp();

    /// <summary>Frames that this side has given or done with.</summary>
    public ulong Count { get; protected set; }

    // Of the giver: what the slowest had taken. Of a taker: what was given.
    protected ulong Known { get; set; }

    protected Span<byte> Box =>
        region.AsSpan<byte>(Page + (long)(Count % Boxes) * Stride(bytes), (int)bytes);

    protected static long Stride(long bytes) => (bytes + Page - 1) / Page * Page;

    // Under the lock: frees the places of takers that are no participants any more. Nothing else has to be
    // mended when somebody has died with the lock.
    protected unsafe void Mend()
    {
        HashSet<ulong> there = region.GetParticipants().Select(each => each.Member).ToHashSet();
        ref Head head = ref region.As<Head>();
        for (int i = 0; i < Places; i++)
        {
            head.Takers[2 * i] = there.Contains(head.Takers[2 * i]) ? head.Takers[2 * i] : 0;
        }
        region.MakeConsistent();
    }

    protected void ForgetTheDead()
    {
        using (region.LockForRepair())
        {
            Mend();
        }
    }

    // Writes one of the numbers down and wakes those who wait for it.
    protected void Tell(long offset, ulong number)
    {
        while (true)
        {
            try
            {
                region.Write(offset, number);
                return;
            }
            catch (OwnerDeadException)
            {
                ForgetTheDead();
            }
        }
    }

    // The change counter, and then the numbers: so no change is missed.
    protected Head Look(out uint seen)
    {
        seen = region.ChangeCount;
        while (true)
        {
            try
            {
                return region.Read<Head>();
            }
            catch (OwnerDeadException)
            {
                ForgetTheDead();
            }
        }
    }

    // How many frames: the numbers are somebody else's, and never further apart than that.
    protected ulong Ahead(ulong first, ulong second) => first - second <= Boxes
        ? first - second
        : throw new InvalidDataException("Another program has written over the numbers of the frames.");

    // Waits for a change. False: whatever it was, it is time to look who has died.
    protected bool Wait(uint seen)
    {
        region.Wait(seen, Patience, out _);
        if (Stopwatch.GetElapsedTime(_looked) < Patience)
        {
            return true;
        }
        _looked = Stopwatch.GetTimestamp();
        return false;
    }

    public virtual void Dispose() => region.Dispose();
}

/// <summary>Give frames: fill Room(), then call Give(). More than two boxes let a taker be late now and then,
/// and are worth it for small frames, which otherwise are over before a sleeper has woken.</summary>
internal sealed class FrameGiver(string name, int bytes, int boxes = 2)
    : FrameBoxes(Create(name, bytes, boxes), bytes, boxes)
{
    private static Region Create(string name, int bytes, int boxes) =>
        Region.Create(name, Page + boxes * Stride(bytes),
            fill: region => region.As<Head>() = new Head { Bytes = (ulong)bytes, Boxes = (ulong)boxes });

    /// <summary>Waits until the next box is free.</summary>
    public Span<byte> Room()
    {
        Await(Boxes - 1);
        return Box;
    }

    public void Give() => Tell(0, ++Count);

    public unsafe int Takers()
    {
        Head head = Look(out _);
        int takers = 0;
        for (int i = 0; i < Places; i++)
        {
            takers += head.Takers[2 * i] != 0 ? 1 : 0;
        }
        return takers;
    }

    /// <summary>Waits until all is taken. There will be no more.</summary>
    public void End()
    {
        Tell(OverAt, 1);
        Await(0);
    }

    // Waits until no more than this many frames are left that somebody has to take.
    private unsafe void Await(ulong left)
    {
        while (Count - Known > left)
        {
            Head head = Look(out uint seen);
            ulong most = 0;
            for (int i = 0; i < Places; i++)
            {
                most = head.Takers[2 * i] == 0 ? most : Math.Max(most, Ahead(Count, head.Takers[2 * i + 1]));
            }
            Known = Count - most;
            if (most > left && !Wait(seen))
            {
                ForgetTheDead();
            }
        }
    }
}

/// <summary>Take frames: while Next() gives one, look at it, then call Done().</summary>
internal sealed class FrameTaker : FrameBoxes
{
    private readonly long _place;
    private ulong _told;

    private FrameTaker(Region region, in Head head)
        : base(region, (long)head.Bytes, (long)head.Boxes)
    {
        Mend();
        Count = Known = _told = head.Given;
        _place = TakePlace();
    }

    public static FrameTaker Open(string name)
    {
        var region = Region.Open(name);
        using (region.LockForRepair())
        {
            Head head = region.Size < Page ? default : region.Read<Head>();
            // The numbers are somebody else's, and so may be anything.
            if (head.Bytes == 0 || head.Bytes > (ulong)region.Size || head.Bytes > int.MaxValue
                || head.Boxes == 0 || head.Boxes > (ulong)((region.Size - Page) / Stride((long)head.Bytes)))
            {
                throw new InvalidDataException($"{name} has no frames.");
            }
            return new FrameTaker(region, head);
        }
    }

    private unsafe long TakePlace()
    {
        ref Head head = ref Region.As<Head>();
        for (int i = 0; i < Places; i++)
        {
            if (head.Takers[2 * i] == 0)
            {
                head.Takers[2 * i + 1] = Count;
                head.Takers[2 * i] = Region.GetInfo().Member;
                return TakersAt + 16 * i;
            }
        }
        throw new InvalidOperationException($"There are {Places} takers already.");
    }

    /// <summary>Waits for the next frame, which stays as it is until Done(). False: there will be none.</summary>
    public bool Next(out ReadOnlySpan<byte> frame)
    {
        frame = default;
        while (Known == Count)
        {
            Head head = Look(out uint seen);
            Known = head.Given;
            if (Ahead(Known, Count) == 0
                && (head.Over != 0 || (!Wait(seen) && !Region.GetInfo().CreatorPresent)))
            {
                return false;
            }
        }
        frame = Box;
        return true;
    }

    public void Done()
    {
        Count++;
        // Of many boxes the giver need not hear one by one.
        if (Count == Known || (Count - _told) * 2 >= Boxes)
        {
            Tell(_place + 8, _told = Count);
        }
    }

    public override void Dispose()
    {
        Tell(_place, 0);
        base.Dispose();
    }
}

internal static class Frames
{
    // A picture of 320 by 240 is the same number all over.
    private const int Number = 500;
    private const int Pixels = 320 * 240;

    public static int Main(string[] words)
    {
        try
        {
            switch (words)
            {
                case [string name, "take"]:
                    return Take(name);
                case [string name]:
                    Give(name);
                    return 0;
                default:
                    Console.Error.WriteLine("usage: Frames NAME [take]");
                    return 1;
            }
        }
        catch (Exception failure)
        {
            Console.Error.WriteLine(failure.Message);
            return 1;
        }
    }

    private static void Give(string name)
    {
        using FrameGiver giver = new(name, Pixels * sizeof(int), boxes: 3);
        Console.WriteLine("start the takers in other terminals, then press Enter here");
        Console.ReadLine();
        for (int number = 0; number < Number; number++)
        {
            MemoryMarshal.Cast<byte, int>(giver.Room()).Fill(number);
            giver.Give();
        }
        giver.End();
        Console.WriteLine($"gave {Number} frames");
    }

    private static int Take(string name)
    {
        int count = 0, whole = 0;
        using (var taker = FrameTaker.Open(name))
        {
            Console.WriteLine("taking");
            for (; taker.Next(out ReadOnlySpan<byte> frame); taker.Done())
            {
                bool right = !MemoryMarshal.Cast<byte, int>(frame).ContainsAnyExcept(count++);
                whole += right ? 1 : 0;
            }
        }
        Console.WriteLine($"took {count} frames, {whole} of them whole and in order");
        return whole == count ? 0 : 1;
    }
}
