// share count REGION N | relay REGION | hold REGION | repair REGION
// u64 counter at 0; boxes of u32 full, u32 length at 8 + 8 * i, their bytes at 4096 + 262144 * i;
// u32 a, u32 b at 64.
using Winshm;

var patience = TimeSpan.FromSeconds(10);
using var region = Region.Open(args[1], new RegionOptions { Timeout = patience });

switch (args[0])
{
    case "count":
        for (int n = int.Parse(args[2]); n > 0; n--)
            using (region.Lock())
                region.As<ulong>(0)++;
        Console.WriteLine($"C#: added {args[2]}");
        return 0;

    case "relay":
        long bytes = 0;
        for (int length = -1; length != 0; bytes += length, region.Notify())
            for (uint seen = region.ChangeCount; !TryMove(out length);)
                seen = region.Wait(seen);
        Console.WriteLine($"C#: relayed {bytes} bytes");
        return 0;

    case "hold":
        region.Lock();
        region.As<uint>(64)++; // Half of an update: b stays behind.
        Console.WriteLine("C#: holding");
        Thread.Sleep(Timeout.Infinite);
        break;

    case "repair":
        using (var guard = region.LockForRepair(patience))
            if (guard.OwnerDied)
            {
                uint b = region.As<uint>(68) = region.As<uint>(64);
                guard.MakeConsistent();
                Console.WriteLine($"C#: the owner died, repaired, b = {b}");
                return 0;
            }
        Console.WriteLine("C#: nothing to repair");
        return 1;
}
return 2;

bool TryMove(out int length) // Moves box 1 to box 2, if that can be done now.
{
    using var guard = region.Lock();
    ref Box source = ref region.As<Box>(16), target = ref region.As<Box>(24);
    length = (int)source.Length;
    if (source.Full == 0 || target.Full != 0)
        return false;
    region.AsSpan<byte>(4096 + 262144, length).CopyTo(region.AsSpan<byte>(4096 + 2 * 262144, length));
    (target, source) = (source, default);
    return true;
}

struct Box { public uint Full, Length; }
