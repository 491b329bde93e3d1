// SPDX-License-Identifier: MIT
// Regions that grow while they are used.

using System.Buffers;
using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public class GrowthTests
{
    private const int Start = 5000, Limit = 1 << 20;

    private static Region CreateGrowing(RegionFlags flags = RegionFlags.None) => Region.Open(NewName(), new RegionOptions
        { Disposition = RegionDisposition.CreateNew, Size = Start, Capacity = Limit, Flags = flags });

    [Fact]
    public void WhatIsThereStaysAndWhatIsNewIsZero()
    {
        using Region region = CreateGrowing();
        using Region other = Region.Open(region.Name);
        Assert.Equal(Limit, other.GetInfo().Capacity);
        nint address = region.Address;
        Span<byte> old = region.Span;
        Memory<byte> memory = region.Memory;
        old.Fill(7);
        uint seen = other.ChangeCount;

        region.Resize(Start + 60_000);

        Assert.NotEqual(seen, other.ChangeCount);
        foreach (Region each in new[] { region, other })
        {
            Assert.Equal(Start + 60_000, each.Size);
            Assert.Equal(Start + 60_000, each.Span.Length);
            Assert.Equal(Start + 60_000, each.ReadOnlySpan.Length);
            Assert.Equal(Start + 60_000, each.Memory.Length);
            Assert.Equal(Start + 60_000, each.ReadOnlyMemory.Length);
            Assert.Equal(Start + 60_000, each.GetInfo().Size);
            Assert.Equal(new byte[60_000], each.Span[Start..].ToArray());
        }
        Assert.Equal(address, region.Address);
        Assert.Equal(Start, old.Length);
        Assert.Equal(Start, memory.Length);
        old[0] = 8;
        Assert.Equal(8, memory.Span[0]);
        Assert.Equal(8, other.Span[0]);
        region.Resize(Limit, TimeSpan.Zero);
        region.Resize(Limit);
        Assert.Equal(Limit, other.Size);
    }

    [Fact]
    public unsafe void WhatIsNewIsFoundWithoutAsking()
    {
        using Region region = CreateGrowing();
        using Region other = Region.Open(region.Name);
        using Region parts = Region.Open(region.Name, RegionFlags.NoMap);
        Assert.Throws<ArgumentOutOfRangeException>("offset", () => other.As<long>(Start));
        Fails(WinshmStatus.Range, () => other.Read<long>(Start));
        Fails(WinshmStatus.Range, () => parts.Map(Start, 8));
        region.Resize(Start + 100);
        other.As<long>(Start) = 9;
        Assert.Equal(9, other.AsReadOnly<long>(Start));
        Assert.Equal(9, other.AsSpan<long>(Start, 2)[0]);
        Assert.Equal(9, region.Read<long>(Start));
        using (View view = parts.Map(Start, 100))
        {
            Assert.Equal(9, view.As<long>());
            Assert.Equal(100, view.Size);
        }
        using (MemoryHandle pinned = other.Memory[(Start + 99)..].Pin())
        {
            Assert.Equal(other.Address + Start + 99, (nint)pinned.Pointer);
        }
        Assert.Throws<ArgumentOutOfRangeException>("offset", () => other.As<long>(Start + 93));
        Assert.Throws<ArgumentOutOfRangeException>("offset", () => other.As<long>(-1));
        Assert.Throws<ArgumentOutOfRangeException>("offset", () => other.As<long>(long.MaxValue));
    }

    [Fact]
    public void OneWhoCreatesOrJoinsNamesTheFirstSize()
    {
        using Region region = CreateGrowing();
        region.Resize(Limit);
        using Region other = Region.OpenOrCreate(region.Name, Start);
        Assert.Equal(Limit, other.Size);
        Fails(WinshmStatus.Size, () => Region.OpenOrCreate(region.Name, Limit));
    }

    [Fact]
    public void WhatCannotBeIsRefusedAndChangesNothing()
    {
        using Region region = CreateGrowing();
        Fails(WinshmStatus.Size, () => region.Resize(Start - 1));
        Assert.Contains("5000", Fails(WinshmStatus.Size, () => region.Resize(Limit + 1)).Message.Replace($"{Limit}", "5000"));
        Fails(WinshmStatus.Invalid, () => region.Resize(0));
        Assert.Throws<ArgumentOutOfRangeException>("size", () => region.Resize(-1));
        Assert.Throws<ArgumentOutOfRangeException>("timeout", () => region.Resize(Limit, TimeSpan.FromDays(50)));
        using Region reader = Region.Open(region.Name, RegionFlags.Read);
        Fails(WinshmStatus.Access, () => reader.Resize(Limit));
        using Region raw = Region.Create(NewName(), 10, RegionFlags.Raw);
        Fails(WinshmStatus.Unsupported, () => raw.Resize(20));
        using Region whole = Region.Create(NewName(), 10);
        Fails(WinshmStatus.Size, () => whole.Resize(11));
        whole.Resize(10);
        Assert.Equal(Start, region.Size);
        region.Dispose();
        Assert.Throws<ObjectDisposedException>(() => region.Resize(Limit));
        Assert.Throws<ObjectDisposedException>(() => region.Size);
        Assert.Throws<ObjectDisposedException>(() => region.Span.Length);
    }

    [Fact]
    public void GrowingNeedsNoLock()
    {
        using Region region = CreateGrowing();
        using (region.Lock())
        {
            region.Resize(6000);
            Apart(() =>
            {
                using Region other = Region.Open(region.Name);
                other.Resize(7000, Patience);
            });
        }
        Assert.Equal(7000, region.Size);
    }

    [Fact]
    public void FourGrowTogether()
    {
        using Region region = CreateGrowing();
        Task[] growing = Enumerable.Range(0, 4).Select(_ => OnThread(() =>
        {
            using Region own = Region.Open(region.Name);
            for (long size = Start; size <= Limit; size += 16_384)
            {
                try
                {
                    own.Resize(size, Patience);
                }
                catch (RegionMismatchException)
                {
                    // Another one is further.
                    Assert.True(own.Size > size);
                }
                own.Span[(int)size - 1] = 1;
            }
        })).ToArray();
        Ended(Task.WhenAll(growing));
        Assert.InRange(region.Size, Limit - 16_384, Limit);
    }
}
