// SPDX-License-Identifier: MIT
// Regions in files.

using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public sealed class SaveTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("winshm").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Saved => Path.Combine(_folder, "a sävéd.region");

    [Fact]
    public void WhatIsSavedIsLoaded()
    {
        using Region<Interop.S1> region = Region.Create<Interop.S1>(null);
        region.Value.score = 5;
        region.Save(Saved);
        region.Value.score = 6;
        uint seen = region.ChangeCount;
        region.Load(Saved);
        Assert.Equal(5u, region.Value.score);
        Assert.NotEqual(seen, region.ChangeCount);
        region.Value.score = 7;
        region.Save(Saved, TimeSpan.Zero);
        using Region<Interop.S1> other = Region.Create<Interop.S1>(null, fill: created => created.Load(Saved, TimeSpan.Zero));
        Assert.Equal(7u, other.Value.score);
        Assert.Equal([Saved], Directory.GetFiles(_folder));
    }

    [Fact]
    public void LoadingGrowsTheRegion()
    {
        using (Region region = Region.Create(null, 9000))
        {
            region.Span.Fill(3);
            region.Save(Saved);
        }
        using Region growing = Region.Open(null, new RegionOptions
            { Disposition = RegionDisposition.CreateNew, Size = 100, Capacity = 10_000 });
        growing.Load(Saved);
        Assert.Equal(9000, growing.Size);
        Assert.Equal(3, growing.Span[8999]);
        using Region small = Region.Create(null, 8999);
        Fails(WinshmStatus.Size, () => small.Load(Saved));
        using Region large = Region.Create(null, 9001);
        Fails(WinshmStatus.Size, () => large.Load(Saved));
    }

    [Fact]
    public void TheLockIsTakenUnlessItIsHeld()
    {
        using Region region = Region.Create(NewName(), 10);
        using (region.Lock())
        {
            region.Span[0] = 1;
            region.Save(Saved);
            region.Span[0] = 2;
            region.Load(Saved);
            Assert.Equal(1, region.Span[0]);
            Apart(() =>
            {
                using Region other = Region.Open(region.Name);
                Fails(WinshmStatus.Timeout, () => other.Save(Saved, TimeSpan.FromMilliseconds(10)));
                Fails(WinshmStatus.Timeout, () => other.Load(Saved, TimeSpan.FromMilliseconds(10)));
            });
        }
        using (region.LockShared())
        {
            region.Save(Saved);
            Fails(WinshmStatus.Deadlock, () => region.Load(Saved));
        }
    }

    [Fact]
    public void ATaskIsNotLeftWaitingForItself()
    {
        using Region region = CreateForTasks();
        region.Save(Saved);
        region.Load(Saved);
        using (region.Lock())
        {
            Assert.StartsWith("Region.Save() ", Fails(WinshmStatus.Deadlock, () => region.Save(Saved)).Message);
            Assert.StartsWith("Region.Load() ", Fails(WinshmStatus.Deadlock, () => region.Load(Saved)).Message);
        }
        Fails(WinshmStatus.Deadlock, () => Region.Create(NewName(), 64, RegionFlags.Task, filled => filled.Load(Saved)));
    }

    [Fact]
    public void LoadingRepairsWhatAnOwnerHasLeft()
    {
        using Region region = Region.Create(NewName(), 1000);
        region.Span.Fill(4);
        region.Save(Saved);
        using (Child child = new())
        {
            Assert.Equal("ok", child.Ask($"open {region.Name} 0 10000"));
            Assert.Equal("ok", child.Ask("lock 2 1000"));
            Assert.Equal("ok", child.Ask("poke 10 0a0b0c"));
            child.Kill();
        }
        Fails(WinshmStatus.OwnerDead, () => region.Save(Saved));
        region.Load(Saved);
        using (region.Lock())
        {
            Assert.Equal(4, region.Span[10]);
        }
    }

    [Fact]
    public void WhatCannotBeLoadedChangesNothing()
    {
        using Region<Interop.S1> region = Region.Create<Interop.S1>(null);
        Assert.StartsWith("Region.Load() ", Fails(WinshmStatus.NotFound, () => region.Load(Saved)).Message);
        File.WriteAllText(Saved, "something else");
        Fails(WinshmStatus.Format, () => region.Load(Saved));
        region.Save(Saved);
        byte[] bytes = File.ReadAllBytes(Saved);
        File.WriteAllBytes(Saved, bytes[..^1]);
        Fails(WinshmStatus.Format, () => region.Load(Saved));
        bytes[^1] ^= 1;
        File.WriteAllBytes(Saved, bytes);
        Fails(WinshmStatus.Format, () => region.Load(Saved));
        Assert.Equal(0, region.Value.ratio);

        using Region<Interop.S7> another = Region.Open<Interop.S7>(null, new RegionOptions
            { Disposition = RegionDisposition.CreateNew, Size = 32 });
        another.Save(Saved);
        using Region<Interop.S5> fifth = Region.Create<Interop.S5>(null);
        Fails(WinshmStatus.Tag, () => fifth.Load(Saved));
        using Region reader = Region.Open(another.Name, RegionFlags.Read);
        Fails(WinshmStatus.Access, () => reader.Load(Saved));
        reader.Save(Saved);
        Assert.ThrowsAny<Exception>(() => region.Save(Path.Combine(_folder, "no", "such")));
        Fails(WinshmStatus.Kind, () => region.Save(_folder));
        Fails(WinshmStatus.Invalid, () => region.Save(""));
        Assert.Throws<ArgumentNullException>("path", () => region.Save(null!));
        Assert.Throws<ArgumentException>("path", () => region.Load("a\0"));
        region.Dispose();
        Assert.Throws<ObjectDisposedException>(() => region.Save(Saved));
    }
}
