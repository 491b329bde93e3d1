// What the binding does.

using Winshm;

internal struct LockPair(Region region) : IOperation
{
    public readonly void Once()
    {
        using (region.Lock())
        {
        }
    }
}

internal struct Notify(Region region) : IOperation
{
    public readonly void Once() => region.Notify();
}

internal struct OpenRegion(string name) : IOperation
{
    public readonly void Once() => Region.Open(name).Dispose();
}

internal struct ReadRegion(Region region, byte[] buffer) : IOperation
{
    public readonly void Once() => region.Read(0, buffer);
}

internal struct WriteRegion(Region region, byte[] buffer) : IOperation
{
    public readonly void Once() => region.Write(0, buffer);
}

/// <summary>64 bytes there and back, until the first one is 0.</summary>
internal struct AskRegion(Region there, Region back) : IOperation
{
    private uint _seen;

    public void Once()
    {
        Span<byte> message = stackalloc byte[64];
        message.Fill(1);
        message.CopyTo(there.Span);
        there.Notify();
        _seen = back.Wait(_seen);
        back.Span[..64].CopyTo(message);
    }

    public static void Answer(Region there, Region back)
    {
        Span<byte> message = stackalloc byte[64];
        uint seen = 0;
        while (true)
        {
            seen = there.Wait(seen);
            there.Span[..64].CopyTo(message);
            if (message[0] == 0)
            {
                return;
            }
            message.CopyTo(back.Span);
            back.Notify();
        }
    }
}
