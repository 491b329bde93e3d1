// SPDX-License-Identifier: MIT
// Structures that mean the same in every process, and those that do not.

using System.Runtime.InteropServices;
using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public class ShareableTests
{
#pragma warning disable CS0649 // Only the types matter.
    private unsafe struct Pointing
    {
        public long Number;
        public int* Place;
    }

    private unsafe struct Calling
    {
        public delegate*<void> Call;
    }

    private struct Nesting
    {
        public byte Sort;
        public GCHandle Handle;
    }

    private struct Outer<T>
        where T : unmanaged
    {
        public long Number;
        public T Inner;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Wandering
    {
        public byte First;
        public long Second;
    }

    private enum Sort : ushort
    {
        One,
    }

    private unsafe struct Plain
    {
        public bool Yes;
        public char Letter;
        public Sort Sort;
        public decimal Money;
        public Guid Id;
        public TimeSpan Time;
        public int? Maybe;
        public fixed byte Name[7];
    }
#pragma warning restore CS0649

    [Fact]
    public void PointersAreRefused()
    {
        Refused<nint>("IntPtr is as wide as a pointer");
        Refused<nuint>("UIntPtr is as wide as a pointer");
        Refused<GCHandle>("GCHandle is a GCHandle");
        Refused<Pointing>("Pointing.Place is a pointer");
        Refused<Calling>("Calling.Call is a pointer");
        Refused<Nesting>("Nesting.Handle is a GCHandle");
        Refused<Outer<Calling>>("Outer`1.Inner.Call is a pointer");
    }

    [Fact]
    public void LayoutsOfTheRuntimesChoiceAreRefused()
    {
        Refused<Wandering>("Wandering is laid out as the runtime likes");
        Refused<(byte, long)>("ValueTuple`2 is laid out as the runtime likes");
        Refused<Outer<(byte, long)>>("Outer`1.Inner is laid out as the runtime likes");
        Refused<Outer<DateTime>>("Outer`1.Inner is laid out as the runtime likes");
    }

    [Fact]
    public void NumbersAndStructuresOfThemAreShared()
    {
        Shared(new Plain { Money = 5, Maybe = 6 });
        Shared(new Outer<Plain>());
        Shared(Sort.One);
        Shared((Int128)7);
        // One field has one place only.
        Shared(DateTime.UnixEpoch);
    }

    private static void Shared<T>(T value)
        where T : unmanaged
    {
        using Region region = Region.Create<T>(NewName());
        region.As<T>() = value;
        Assert.Equal(value, region.Read<T>());
    }

    private static void Refused<T>(string why)
        where T : unmanaged
    {
        string name = NewName();
        using Region region = Region.Create(name, 64, RegionFlags.Task);
        Action[] uses =
        [
            () => Region.Create<T>($"{name}-2"),
            () => Region.OpenOrCreate<T>($"{name}-2"),
            () => region.As<T>(),
            () => region.AsReadOnly<T>(),
            () => region.AsSpan<T>(0, 1),
            () => region.AsReadOnlySpan<T>(0, 1),
            () => region.Read<T>(),
            () => region.Write<T>(0, default),
            () =>
            {
                using RegionLock held = region.Lock();
                held.Read<T>();
            },
            () =>
            {
                using RegionLock held = region.Lock();
                held.Write<T>(0, default);
            },
            () =>
            {
                using AsyncRegionLock held = region.LockAsync().AsTask().GetAwaiter().GetResult();
                held.Read<T>();
            },
            () =>
            {
                using AsyncRegionLock held = region.LockAsync().AsTask().GetAwaiter().GetResult();
                held.Write<T>(0, default);
            },
        ];
        Assert.All(uses, use => Assert.StartsWith(why, Assert.Throws<ArgumentException>("T", use).Message));
        Fails(WinshmStatus.NotFound, () => Region.Open($"{name}-2"));
    }
}
