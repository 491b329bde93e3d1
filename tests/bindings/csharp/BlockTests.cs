// SPDX-License-Identifier: MIT
// Spans, memory, references and mapped parts.

using System.Buffers;
using System.Runtime.InteropServices;
using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public class BlockTests
{
    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private unsafe struct Record
    {
        public byte Kind;
        public double Value;
        public fixed byte Name[7];
    }

    [Fact]
    public unsafe void TypedAccessIsInPlace()
    {
        using Region region = Region.Create(NewName(), 100);
        ref Record record = ref region.As<Record>(84);
        record.Kind = 3;
        record.Value = 2.5;
        record.Name[6] = 9;
        Assert.Equal(3, region.Span[84]);
        Assert.Equal(9, region.Span[99]);
        Assert.Equal(2.5, region.AsReadOnly<double>(85));
        region.AsSpan<ushort>(0, 50).Fill(0x0102);
        Assert.Equal(0x02, region.ReadOnlySpan[98]);
        Assert.Equal(50, region.AsReadOnlySpan<ushort>(0, 50).Count<ushort>(0x0102));
        Assert.Equal(0x0102, *(ushort*)region.Address);
        Interlocked.Add(ref region.As<long>(8), 5);
    }

    [Theory]
    [InlineData(97)]
    [InlineData(100)]
    [InlineData(101)]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void AccessOutsideIsRefused(long offset)
    {
        using Region region = Region.Create(NewName(), 100);
        Assert.Throws<ArgumentOutOfRangeException>(() => region.As<int>(offset) = 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = region.AsReadOnly<int>(offset));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.AsSpan<int>(offset, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.AsReadOnlySpan<byte>(offset, 4));
        Assert.Throws<ArgumentOutOfRangeException>("offset", () => region.Read<int>(offset));
        Assert.Throws<ArgumentOutOfRangeException>("offset", () => region.Write(offset, 1));
        using View view = region.Map(0, 100);
        Assert.Throws<ArgumentOutOfRangeException>(() => view.As<int>(offset) = 1);
    }

    [Fact]
    public void LengthsOutsideAreRefused()
    {
        using Region region = Region.Create(NewName(), 100);
        Assert.Throws<ArgumentOutOfRangeException>(() => region.AsSpan<long>(0, 13));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.AsSpan<long>(0, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.AsReadOnlySpan<long>(8, int.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.AsReadOnlySpan<Record>(100, int.MinValue));
        Assert.Equal(0, region.AsSpan<long>(100, 0).Length);
    }

    [Fact]
    public void MemoryIsRefusedAfterDispose()
    {
        Region region = Region.Create(NewName(), 100);
        Memory<byte> memory = region.Memory;
        ReadOnlyMemory<byte> part = region.ReadOnlyMemory.Slice(10, 5);
        memory.Span[10] = 42;
        Assert.Equal(100, memory.Length);
        Assert.Equal(42, part.Span[0]);
        region.Dispose();
        Assert.Throws<ObjectDisposedException>(() => memory.Span[10]);
        Assert.Throws<ObjectDisposedException>(() => part.Span[0]);
        Assert.Throws<ObjectDisposedException>(() => memory.Pin());
        Assert.Throws<ObjectDisposedException>(() => memory.ToArray());
    }

    [Fact]
    public unsafe void APinKeepsTheBytesMapped()
    {
        Region region = Region.Create(NewName(), 100);
        region.Span[20] = 42;
        MemoryHandle whole = region.Memory.Pin();
        MemoryHandle part = region.ReadOnlyMemory[20..].Pin();
        region.Dispose();
        Assert.Throws<ObjectDisposedException>(() => region.Span.Length);
        Assert.Equal(42, *(byte*)part.Pointer);
        part.Dispose();
        Assert.Equal(42, ((byte*)whole.Pointer)[20]);
        using (Region still = Region.Open(region.Name))
        {
            Assert.Equal(2, still.GetParticipants().Count);
            whole.Dispose();
            Assert.Single(still.GetParticipants());
        }
        Fails(WinshmStatus.NotFound, () => Region.Open(region.Name));
    }

    [Fact]
    public unsafe void APinEndsOnceWhateverCopiesThereAre()
    {
        using Region other = Region.Create(NewName(), 100);
        Region region = Region.Open(other.Name);
        MemoryHandle pin = region.Memory.Pin();
        MemoryHandle copy = pin;
        pin.Dispose();
        copy.Dispose();
        // The region is as open as before.
        region.Write(0, 7);
        Assert.Equal(7, region.As<int>(0));
        Assert.Equal(2, other.GetParticipants().Count);

        MemoryHandle another = region.Memory.Pin();
        copy.Dispose();
        region.Dispose();
        copy.Dispose();
        Assert.Equal(7, *(int*)another.Pointer);
        Assert.Equal(2, other.GetParticipants().Count);
        another.Dispose();
        Assert.Single(other.GetParticipants());
    }

    [Fact]
    public async Task MemoryServesAsynchronousStreams()
    {
        using Region region = Region.Create(NewName(), 100_000);
        Random.Shared.NextBytes(region.Span);
        using MemoryStream stream = new();
        await stream.WriteAsync(region.ReadOnlyMemory);
        Assert.True(region.Span.SequenceEqual(stream.ToArray()));
        stream.Position = 50_000;
        await stream.ReadExactlyAsync(region.Memory[..50_000]);
        Assert.True(region.Span[..50_000].SequenceEqual(region.Span[50_000..]));
    }

    [Fact]
    public void AViewIsAPart()
    {
        using Region region = Region.Create(NewName(), 200_000);
        using View view = region.Map(70_001, 1000);
        Assert.Equal(1000, view.Size);
        Assert.True(view.CanWrite);
        view.Span[0] = 11;
        view.As<long>(992) = 12;
        view.Memory.Span[8] = 13;
        Assert.Equal(11, region.Span[70_001]);
        Assert.Equal(12, region.As<long>(70_993));
        Assert.Equal(13, region.Span[70_009]);
        using View reading = region.Map(70_001, 1000, RegionFlags.Read);
        Assert.False(reading.CanWrite);
        Assert.Equal(11, reading.ReadOnlySpan[0]);
        Assert.Throws<NotSupportedException>(() => reading.Span[0] = 1);

        Fails(WinshmStatus.Range, () => region.Map(199_999, 2));
        Fails(WinshmStatus.Invalid, () => region.Map(0, 0));
        Fails(WinshmStatus.Invalid, () => region.Map(0, 1, RegionFlags.Raw));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Map(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Map(0, -1));
    }

    [Fact]
    public void AViewOutlivesItsRegion()
    {
        Region region = Region.Create(NewName(), 100);
        View view = region.Map(50, 50);
        region.Dispose();
        view.Span[0] = 1;
        using (Region joined = Region.Open(region.Name))
        {
            Assert.Equal(1, joined.Span[50]);
        }
        Memory<byte> memory = view.Memory;
        view.Dispose();
        view.Dispose();
        Assert.Throws<ObjectDisposedException>(() => view.Size);
        Assert.Throws<ObjectDisposedException>(() => view.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => memory.Span.Length);
        Fails(WinshmStatus.NotFound, () => Region.Open(region.Name));
    }

    [Fact]
    public void ARegionNeedNotBeMappedAsAWhole()
    {
        using Region region = Region.Create(NewName(), 100_000, RegionFlags.NoMap);
        Assert.Equal(0, region.Address);
        Assert.Equal(100_000, region.Size);
        Assert.Throws<NotSupportedException>(() => region.Span.Length);
        Assert.Throws<NotSupportedException>(() => region.ReadOnlyMemory.Length);
        Assert.Throws<NotSupportedException>(() => region.As<int>(0) = 1);
        using View view = region.Map(99_996, 4);
        Assert.True(view.CanWrite);
        view.As<int>(0) = 5;
        Assert.Equal(5, region.Read<int>(99_996));
    }

    [Fact]
    public void WhatIsTooLongForASpanIsReachedInParts()
    {
        long size = int.MaxValue + 10L;
        string name = NewName();
        // Linux gives a region its memory at once; the file of another program may have holes.
        using FileStream? sparse = OperatingSystem.IsWindows() ? null : new($"/dev/shm/{name}", FileMode.CreateNew,
            FileAccess.ReadWrite, FileShare.ReadWrite, 1, FileOptions.DeleteOnClose);
        sparse?.SetLength(size);
        using Region region = sparse is null ? Region.Create(name, size) : Region.Open(name, RegionFlags.Raw);
        Assert.Throws<InvalidOperationException>(() => region.Span.Length);
        Assert.Throws<InvalidOperationException>(() => region.ReadOnlySpan.Length);
        Assert.Throws<InvalidOperationException>(() => region.Memory.Length);
        region.As<byte>(size - 1) = 6;
        Assert.Equal(6, region.AsReadOnlySpan<byte>(size - 10, 10)[9]);
        Assert.Throws<ArgumentOutOfRangeException>(() => region.As<short>(size - 1) = 1);
    }

    [DllImport("kernel32.dll")]
    private static extern int VirtualProtect(nint address, nint length, uint protection, out uint before);

    [Fact(Skip = "Linux has this for files that are cut short only",
        SkipType = typeof(TableTests), SkipUnless = nameof(TableTests.IsWindows))]
    public void PagesThatAreGoneAreAnError()
    {
        const uint PAGE_NOACCESS = 1;
        using Region region = Region.Create(NewName(), 100);
        region.Write<int>(0, 7);
        Assert.NotEqual(0, VirtualProtect(region.Address, 1, PAGE_NOACCESS, out uint before));
        Fails(WinshmStatus.Fault, () => region.Read<int>(0));
        Fails(WinshmStatus.Fault, () => region.Write<int>(0, 8));
        Assert.NotEqual(0, VirtualProtect(region.Address, 1, before, out _));
        Assert.Equal(7, region.Read<int>(0));
    }
}
