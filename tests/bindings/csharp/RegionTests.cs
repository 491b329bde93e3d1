// SPDX-License-Identifier: MIT
// Opening and closing, options, copies, and what is known of a region.

using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public class RegionTests
{
    [Fact]
    public void TwoParticipantsShareTheBytes()
    {
        string name = NewName();
        using Region first = Region.Create(name, 12345);
        using Region second = Region.Open(name);
        Assert.Equal(12345, second.Size);
        Assert.Equal(name, second.Name);
        Assert.Equal(name, $"{second}");
        Assert.True(second.CanWrite);
        Assert.Equal(new byte[12345], second.Span.ToArray());
        first.Span[12344] = 7;
        Assert.Equal(7, second.Span[12344]);
    }

    [Fact]
    public void CreatingAndOpeningFailAsTheHeaderSays()
    {
        string name = NewName();
        RegionNotFoundException e = Assert.Throws<RegionNotFoundException>(() => Region.Open(name));
        Assert.Equal(WinshmStatus.NotFound, e.Status);
        Assert.Equal("WINSHM_E_NOT_FOUND", e.StatusName);
        Assert.Contains(name, e.Message);
        Assert.NotEqual(0, e.OSCode);
        Fails(WinshmStatus.NotFound, () => Region.OpenOrCreate(name, 0));
        Fails(WinshmStatus.Invalid, () => Region.Create(name, 0));
        Fails(WinshmStatus.Invalid, () => Region.Create(name, 10, RegionFlags.Read));
        Fails(WinshmStatus.Invalid, () => Region.Create(name, 10, (RegionFlags)0x8000));
        Fails(WinshmStatus.Name, () => Region.Create("", 10));
        Fails(WinshmStatus.Name, () => Region.Create("a/b", 10));
        Fails(WinshmStatus.Name, () => Region.Create(new string('x', 201), 10));
        using Region region = Region.Create(name, 10);
        Fails(WinshmStatus.Exists, () => Region.Create(name, 10));
        Fails(WinshmStatus.Size, () => Region.OpenOrCreate(name, 11));
        using Region joined = Region.OpenOrCreate(name, 10);
        using Region any = Region.OpenOrCreate(name, 0);
        Assert.Equal(10, any.Size);
    }

    [Fact]
    public void ArgumentsThatCannotBeHandedOverAreRefused()
    {
        string name = NewName();
        Assert.Throws<ArgumentNullException>("name", () => Region.Open(null!));
        Assert.Throws<ArgumentNullException>("name", () => Region.OpenOrCreate(null!, 10));
        Assert.Throws<ArgumentNullException>("name", () => Region.Open(null!, new RegionOptions()));
        Assert.Throws<ArgumentNullException>(() => Region.Open(name, (RegionOptions)null!));
        Assert.Throws<ArgumentException>("name", () => Region.Create("a\0b", 10));
        Assert.Throws<ArgumentException>("name", () => Region.Create("a\uD800", 10));
        Assert.Throws<ArgumentException>("name", () => Region.Create("a/b", 10));
        Assert.Throws<ArgumentException>("options.Security", () => Region.Open(name, new RegionOptions { Security = "\0" }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Region.Create(name, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Region.OpenOrCreate(name, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Region.Open(name, new RegionOptions { Size = -1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Region.Open(name, new RegionOptions { Capacity = -1 }));
        Assert.Throws<ArgumentOutOfRangeException>("options.Timeout",
            () => Region.Open(name, new RegionOptions { Timeout = TimeSpan.FromMilliseconds(-2) }));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => Region.Open(name, new RegionOptions { Timeout = TimeSpan.FromDays(50) }));
    }

    private struct Sample
    {
        public long Time;
        public double Value;
    }

    [Fact]
    public void AStructureSaysTheSize()
    {
        string name = NewName();
        using Region first = Region.Create<Sample>(name);
        using Region second = Region.OpenOrCreate<Sample>(name, RegionFlags.Task);
        Assert.Equal(16, first.Size);
        first.As<Sample>().Value = 2.5;
        first.As<Sample>().Time = 7;
        Assert.Equal(2.5, second.AsReadOnly<Sample>().Value);
        Assert.Equal(7, second.Read<long>());
        Fails(WinshmStatus.Size, () => Region.OpenOrCreate<long>(name));
        using Region other = Region.OpenOrCreate<long>(NewName());
        Assert.Equal(8, other.Size);
    }

    [Fact]
    public void NamesMayHaveLettersOfAnyScript()
    {
        string name = $"Local\\{NewName()} Größe 日本 😀";
        using Region first = Region.Create(name, 10);
        first.Span[0] = 1;
        using Region second = Region.Open(name["Local\\".Length..]);
        Assert.Equal(1, second.Span[0]);
    }

    [Theory]
    [InlineData(0, 0u)]
    [InlineData(1, 1u)]
    [InlineData(15_000, 2u)] // 1.5 ms: a wait is never shorter than asked for.
    [InlineData(-10_000, 0xFFFFFFFFu)]
    public void TimeOutsBecomeMilliseconds(long ticks, uint milliseconds) =>
        Assert.Equal(milliseconds, Region.Milliseconds(TimeSpan.FromTicks(ticks)));

    [Fact]
    public async Task OpeningWaitsForTheRegionToAppear()
    {
        string name = NewName();
        Fails(WinshmStatus.NotFound, () => Region.Open(name, new RegionOptions { Timeout = TimeSpan.FromMilliseconds(50) }));
        Task<Region> opening = Task.Run(() => Region.Open(name, new RegionOptions { Timeout = Patience }));
        await Task.Delay(100);
        Assert.False(opening.IsCompleted);
        using Region created = Region.Create(name, 10);
        using Region opened = await opening.WaitAsync(Patience);
        Assert.Equal(10, opened.Size);
    }

    [Fact]
    public void OptionsReachTheLibrary()
    {
        string name = NewName();
        RegionOptions options = new()
        {
            Disposition = RegionDisposition.CreateNew,
            Size = 5000,
            Capacity = 100_000,
            LayoutTag = 0xFEDCBA9876543210,
            Security = "everyone-read",
        };
        using Region region = Region.Open(name, options);
        RegionInfo info = region.GetInfo();
        Assert.Equal(5000, info.Size);
        Assert.InRange(info.Capacity, 100_000, 200_000);
        Assert.Equal(0xFEDCBA9876543210, info.LayoutTag);

        Fails(WinshmStatus.Exists, () => Region.Open(name, options));
        Fails(WinshmStatus.Tag, () => Region.Open(name, new RegionOptions { LayoutTag = 1 }));
        Fails(WinshmStatus.Size, () => Region.Open(name, new RegionOptions { Size = 4999 }));
        using Region joined = Region.Open(name, options with { Disposition = RegionDisposition.OpenOrCreate });
        string other = NewName();
        Fails(WinshmStatus.Invalid, () => Region.Open(other, options with { Capacity = 1 }));
        Fails(WinshmStatus.Invalid, () => Region.Open(other, options with { Security = "nonsense" }));
        Fails(WinshmStatus.Invalid, () => Region.Open(other, options with { Disposition = 0 }));
    }

    [Fact]
    public void InfoTellsWhatIsKnown()
    {
        using Region region = Region.Create(NewName(), 1000);
        using Region joined = Region.Open(region.Name, RegionFlags.Read);
        joined.GetInfo();
        region.Notify();
        RegionInfo info = region.GetInfo();
        Assert.Equal(RegionKind.Managed, info.Kind);
        Assert.Equal(RegionFlags.Read | RegionFlags.Write, info.Access);
        Assert.Equal(LockKind.Robust, info.LockKind);
        Assert.Equal(1000, info.Size);
        Assert.NotEqual(Guid.Empty, info.Id);
        Assert.Equal(Environment.ProcessId, info.CreatorProcessId);
        Assert.InRange(info.CreatorStart, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddMinutes(1));
        Assert.True(info.CreatorPresent);
        Assert.Equal(2, info.Participants);
        Assert.Equal(LockState.Free, info.LockState);
        Assert.Equal(0, info.OwnerProcessId);
        Assert.Equal(1u, info.ChangeCount);
        Assert.Equal(RegionOrigin.Created, info.Origin);
        Assert.False(info.IsObserver);

        RegionInfo other = joined.GetInfo();
        Assert.Equal(info.Id, other.Id);
        Assert.Equal(RegionFlags.Read, other.Access);
        Assert.Equal(RegionOrigin.Opened, other.Origin);
        Assert.NotEqual(info.Member, other.Member);
        using (region.Lock())
        {
            Assert.Equal(LockState.Exclusive, joined.GetInfo().LockState);
            Assert.Equal(Environment.ProcessId, joined.GetInfo().OwnerProcessId);
        }
        using (region.LockShared())
        {
            Assert.Equal(LockState.Shared, joined.GetInfo().LockState);
        }
        region.Dispose();
        Assert.False(joined.GetInfo().CreatorPresent);
    }

    [Fact]
    public void ParticipantsAreListed()
    {
        using Region region = Region.Create(NewName(), 1000);
        using Region joined = Region.Open(region.Name);
        using (region.Lock())
        {
            IReadOnlyList<Participant> participants = joined.GetParticipants();
            Assert.Equal(2, participants.Count);
            Participant self = Assert.Single(participants, p => p.Flags.HasFlag(ParticipantFlags.Self));
            Participant creator = Assert.Single(participants, p => p.Flags.HasFlag(ParticipantFlags.Creator));
            Assert.Equal(joined.GetInfo().Member, self.Member);
            Assert.Equal(ParticipantFlags.Creator | ParticipantFlags.Exclusive, creator.Flags);
            Assert.Equal(Environment.ProcessId, creator.ProcessId);
            Assert.Equal(region.GetInfo().CreatorStart, creator.Start);
            Assert.NotEqual(self.Slot, creator.Slot);
        }
    }

    [Fact]
    public void CopiesGoInAndOutAndNotify()
    {
        using Region region = Region.Create(NewName(), 1000);
        using Region other = Region.Open(region.Name);
        byte[] bytes = new byte[3];
        region.Write(997, [1, 2, 3]);
        other.Read(997, bytes);
        Assert.Equal([1, 2, 3], bytes);
        region.Write(8, 1.5);
        Assert.Equal(1.5, other.Read<double>(8));
        Assert.Equal(2u, other.ChangeCount);
        region.Write(1000, []);
        region.Read(1000, []);

        Fails(WinshmStatus.Range, () => region.Write(998, [1, 2, 3]));
        Fails(WinshmStatus.Range, () => region.Read(998, bytes));
        Fails(WinshmStatus.Range, () => region.Read<long>(long.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Read(-1, bytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Write(-1, bytes));
        using (other.Lock())
        {
            Fails(WinshmStatus.Timeout, () => region.Read(0, bytes, TimeSpan.FromMilliseconds(20)));
            Fails(WinshmStatus.Timeout, () => region.Write(0, bytes, TimeSpan.Zero));
            Fails(WinshmStatus.Timeout, () => region.Read<int>(0, TimeSpan.Zero));
            Fails(WinshmStatus.Timeout, () => region.Write(0, 5, TimeSpan.Zero));
            other.Write(0, 5);
            Assert.Equal(5, other.Read<int>(0));
        }
    }

    [Fact]
    public void AReadOnlyParticipantCannotWrite()
    {
        using Region region = Region.Create(NewName(), 1000);
        using Region reader = Region.Open(region.Name, RegionFlags.Read);
        region.Write(0, 77);
        Assert.False(reader.CanWrite);
        Assert.Equal(77, reader.Read<int>(0));
        Assert.Equal(77, reader.AsReadOnly<int>(0));
        Assert.Equal(77, reader.ReadOnlyMemory.Span[0]);
        Fails(WinshmStatus.Access, () => reader.Write(0, 78));
        Fails(WinshmStatus.Access, () => reader.Map(0, 10, RegionFlags.Write));
        Assert.Throws<NotSupportedException>(() => reader.Span[0] = 1);
        Assert.Throws<NotSupportedException>(() => reader.Memory.Length);
        Assert.Throws<NotSupportedException>(() => reader.As<int>(0) = 1);
        Assert.Throws<NotSupportedException>(() => reader.AsSpan<int>(0, 1)[0] = 1);
        using View view = reader.Map(0, 10);
        Assert.False(view.CanWrite);
    }

    [Fact]
    public void ARawRegionIsJustBytes()
    {
        string name = NewName();
        using Region raw = Region.Create(name, 4096, RegionFlags.Raw);
        Fails(WinshmStatus.NotManaged, () => Region.Open(name));
        using Region other = Region.Open(name, RegionFlags.Raw);
        raw.Write(10, 123L);
        Assert.Equal(123, other.As<long>(10));
        Assert.Equal(RegionKind.Raw, other.GetInfo().Kind);
        Fails(WinshmStatus.Unsupported, () => raw.Lock());
        Fails(WinshmStatus.Unsupported, () => raw.Notify());
        Fails(WinshmStatus.Unsupported, () => raw.GetParticipants());
        Fails(WinshmStatus.Unsupported, () => _ = raw.ChangeCount);
    }

    [Fact]
    public void ARegionMayHaveNoLock()
    {
        using Region region = Region.Create(NewName(), 10, RegionFlags.NoLock);
        Assert.Equal(LockKind.None, region.GetInfo().LockKind);
        Fails(WinshmStatus.Unsupported, () => region.LockShared());
    }

    [Fact]
    public void DotNetsOwnMemoryMappedFileSeesTheSameBytes()
    {
        using Region region = Region.Create(NewName(), 4096);
        region.Write(100, 4242);
        using MemoryMappedFile file = OperatingSystem.IsWindows()
            ? MemoryMappedFile.OpenExisting(region.Name)
            : MemoryMappedFile.CreateFromFile($"/dev/shm/{region.Name}");
        using MemoryMappedViewAccessor accessor = file.CreateViewAccessor();
        Assert.Equal(4242, accessor.ReadInt32(100));
        accessor.Write(104, 4243);
        Assert.Equal(4243, region.Read<int>(104));
    }

    [Fact]
    public void EverythingRefusesARegionThatWasDisposedOf()
    {
        Region region = Region.Create(NewName(), 1000);
        region.Dispose();
        region.Dispose();
        Action[] uses =
        [
            () => _ = region.Size,
            () => _ = region.Address,
            () => _ = region.Span.Length,
            () => _ = region.ReadOnlySpan.Length,
            () => _ = region.Memory,
            () => _ = region.ReadOnlyMemory,
            () => region.As<int>(0) = 1,
            () => _ = region.AsReadOnly<int>(0),
            () => region.AsSpan<int>(0, 1)[0] = 1,
            () => _ = region.AsReadOnlySpan<int>(0, 1)[0],
            () => region.Read<int>(0),
            () => region.Write(0, 1),
            () => region.Map(0, 1),
            () => region.GetInfo(),
            () => region.GetParticipants(),
            () => region.Lock(),
            () => region.TryLock(TimeSpan.Zero, out _),
            () => region.LockForRepair(),
            () => region.LockShared(),
            () => region.TryLockShared(TimeSpan.Zero, out _),
            () => region.Unlock(LockMode.Exclusive),
            () => region.MakeConsistent(),
            () => _ = region.ChangeCount,
            () => region.Notify(),
            () => region.Wait(0),
            () => region.Wait(0, TimeSpan.Zero, out _),
            () => region.WaitAsync(0).GetAwaiter().GetResult(),
        ];
        foreach (Action use in uses)
        {
            Assert.Throws<ObjectDisposedException>(use);
        }
    }

    [Fact]
    public void ARegionThatIsForgottenIsLeft()
    {
        string name = NewName();
        Forget(name);
        Until(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            try
            {
                Region.Open(name).Dispose();
                return false;
            }
            catch (RegionNotFoundException)
            {
                return true;
            }
        });

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Forget(string name) => Region.Create(name, 10);
    }
}
