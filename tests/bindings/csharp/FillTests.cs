// SPDX-License-Identifier: MIT
// Whoever creates a region fills it before others read.

using System.IO.MemoryMappedFiles;
using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public class FillTests
{
    [Theory]
    [InlineData(RegionFlags.None)]
    [InlineData(RegionFlags.Task)]
    [InlineData(RegionFlags.NoMap)]
    public void NobodyReadsBeforeTheRegionIsFilled(RegionFlags flags)
    {
        using Child child = new();
        int thread = 0;
        using Region region = Region.OpenOrCreate(NewName(), 1000, flags, fill: created =>
        {
            thread = Environment.CurrentManagedThreadId;
            Assert.Equal("ok", child.Ask($"open {created.Name} 0 10000"));
            byte[] copy = new byte[4];
            created.Write(0, [10, 11, 12, 13], Patience);
            created.Read(0, copy, Patience);
            Assert.Equal([10, 11, 12, 13], copy);
            Assert.Equal("error WINSHM_E_TIMEOUT", child.Ask("read 0 4 20"));
            Assert.Equal("error WINSHM_E_TIMEOUT", child.Ask("lock 1 20"));
            Fails(WinshmStatus.Busy, created.Close);
        });
        Assert.Equal(Environment.CurrentManagedThreadId, thread);
        Assert.Equal("ok 0a0b0c0d", child.Ask("read 0 4 0"));
        Assert.Equal(LockState.Free, region.GetInfo().LockState);
    }

    [Theory]
    [InlineData(RegionFlags.None)]
    [InlineData(RegionFlags.Task)]
    public void WhoLocksNextFillsWhatWasNotFilled(RegionFlags flags)
    {
        using Child child = new();
        Region? leaving = null;
        FormatException e = Assert.Throws<FormatException>(() => Region.Create(NewName(), 1000, flags, created =>
        {
            leaving = created;
            Assert.Equal("ok", child.Ask($"open {created.Name} 0 10000"));
            throw new FormatException("half of a number");
        }));
        Assert.Equal("half of a number", e.Message);
        Assert.Throws<ObjectDisposedException>(() => leaving!.Size);
        Assert.Equal("ok 1", child.Ask("participants"));

        using Region region = Region.OpenOrCreate(leaving!.Name, 1000, fill: _ => Assert.Fail("it was not created here"));
        Assert.Throws<OwnerDeadException>(() => region.Read<int>());
        using (RegionLock held = region.LockForRepair())
        {
            Assert.True(held.OwnerDied);
            held.Write(0, 0x0D0C0B0A);
            held.MakeConsistent();
        }
        Assert.Equal("ok 0a0b0c0d", child.Ask("read 0 4 0"));
    }

    [Fact]
    public void WhoJoinsFillsNothing()
    {
        using Region region = Region.Create(NewName(), 8);
        using Region joined = Region.OpenOrCreate(region.Name, 8, fill: _ => Assert.Fail("it was not created here"));
        Assert.Equal(LockState.Free, region.GetInfo().LockState);
    }

    [Fact]
    public void OptionsFill()
    {
        RegionOptions options = new()
        {
            Disposition = RegionDisposition.CreateNew,
            Size = 8,
            Fill = created => created.As<long>() = 5,
        };
        using Region region = Region.Open(NewName(), options);
        Assert.Equal(5, region.Read<long>());
        using Region typed = Region.Create<int>(NewName(), fill: created => created.As<int>() = 6);
        Assert.Equal(6, typed.Read<int>());
    }

    [Fact]
    public void WhoTakesOverABlockFillsIt()
    {
        string name = NewName();
        using MemoryMappedFile block = OperatingSystem.IsWindows()
            ? MemoryMappedFile.CreateNew(name, 4096)
            : MemoryMappedFile.CreateFromFile(new FileStream($"/dev/shm/{name}", FileMode.CreateNew, FileAccess.ReadWrite,
                FileShare.ReadWrite, 1, FileOptions.DeleteOnClose), null, 4096, MemoryMappedFileAccess.ReadWrite,
                HandleInheritability.None, leaveOpen: false);
        using MemoryMappedViewAccessor view = block.CreateViewAccessor();
        view.Write(0, 41);
        using Region region = Region.OpenOrCreate(name, 4096, fill: adopted => adopted.As<int>()++);
        Assert.Equal(RegionOrigin.Adopted, region.GetInfo().Origin);
        Assert.Equal(42, view.ReadInt32(0));
    }

    [Theory]
    [InlineData(RegionFlags.Raw)]
    [InlineData(RegionFlags.NoLock)]
    public void WhatHasNoLockCannotBeFilled(RegionFlags flags)
    {
        string name = NewName();
        ArgumentException e = Assert.Throws<ArgumentException>("fill", () => Region.Create(name, 8, flags, _ => { }));
        Assert.Contains("Raw or NoLock", e.Message);
        Assert.Throws<ArgumentException>("fill", () => Region.OpenOrCreate(name, 8, flags, _ => { }));
        Fails(WinshmStatus.NotFound, () => Region.Open(name));
    }

    [Fact]
    public void WhoOnlyOpensCannotFill()
    {
        ArgumentException e = Assert.Throws<ArgumentException>("options",
            () => Region.Open(NewName(), new RegionOptions { Fill = _ => { } }));
        Assert.Contains("OpenOrCreate or CreateNew", e.Message);
    }
}
