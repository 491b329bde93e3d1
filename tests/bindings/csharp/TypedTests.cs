// SPDX-License-Identifier: MIT
// Regions of a structure.

using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public unsafe class TypedTests
{
#pragma warning disable CS0649 // Some are only compared.
    private struct Game
    {
        public uint Score;
        public byte Lives;

        [Utf8]
        public fixed byte Player[11];
        public double MaxSpeed;
    }

    // As another language spells it.
    private struct game_of_c
    {
        public uint score;
        public sbyte lives;
        public fixed byte player[11];
        public double max_speed;
    }

    private struct Drifted
    {
        public uint Score;
        public uint Lives;
        public fixed byte Player[8];
        public double MaxSpeed;
    }

    private struct Longer
    {
        public Game Game;
        public long More;
    }
#pragma warning restore CS0649

    private const string Text = "Score:u32@0; Lives:u8@4; Player:char[11]@5; MaxSpeed:f64@16; size 24";

    [Fact]
    public void TheStructureIsSharedInPlaceAndInCopies()
    {
        using Region<Game> region = Region.Create<Game>(NewName());
        using Region<Game> other = Region.Open<Game>(region.Name);
        using Region<Game> third = Region.OpenOrCreate<Game>(region.Name);
        Assert.Equal(sizeof(Game), region.Size);
        Assert.Equal(Text, region.Layout);
        Assert.Equal(Text, RegionLayout.Of<Game>());
        region.Value.Score = 5;
        Assert.Equal(5u, other.Value.Score);
        Assert.Equal(5u, third.ReadOnlyValue.Score);
        uint seen = other.ChangeCount;
        Game copy = other.Read();
        copy.Lives = 3;
        other.Write(copy);
        Assert.Equal(seen + 1, region.ChangeCount);
        Assert.Equal(3, region.Read(TimeSpan.Zero).Lives);
        region.Write(default, TimeSpan.Zero);
        Assert.Equal(0u, other.Value.Score);
        using (region.Lock())
        {
            Assert.Equal(0u, region.Read().Score);
            Apart(() => Assert.Throws<TimeoutException>(() => other.Write(copy, TimeSpan.Zero)));
        }
    }

    [Fact]
    public void AccessIsAsTheFlagsSay()
    {
        using Region<Game> region = Region.Create<Game>(NewName());
        using Region<Game> reader = Region.Open<Game>(region.Name, RegionFlags.Read);
        Assert.False(reader.CanWrite);
        Assert.Equal(0u, reader.ReadOnlyValue.Score);
        Assert.Throws<NotSupportedException>(() => reader.Value.Score = 1);
        Assert.Throws<UnauthorizedAccessException>(() => reader.Write(default));
        using Region<Game> unmapped = Region.Open<Game>(region.Name, RegionFlags.NoMap);
        Assert.Throws<NotSupportedException>(() => unmapped.ReadOnlyValue.Score);
        unmapped.Write(new Game { Score = 2 });
        Assert.Equal(2u, unmapped.Read().Score);
    }

    [Fact]
    public void OneThatHasDriftedApartHearsWhereItDiffers()
    {
        using Region<Game> region = Region.Create<Game>(NewName());
        foreach (Action open in new Action[]
            { () => Region.Open<Drifted>(region.Name), () => Region.OpenOrCreate<Drifted>(region.Name) })
        {
            string message = Fails(WinshmStatus.Tag, open).Message;
            Assert.Contains("Lives", message);
            Assert.Contains("u32 @4", message);
            Assert.Contains("u8 @4", message);
        }
        Assert.StartsWith($"Region.OpenOrCreate() '{region.Name}': ",
            Fails(WinshmStatus.Tag, () => Region.OpenOrCreate<Drifted>(region.Name)).Message);
        Assert.StartsWith($"Region.Create() '{region.Name}': ",
            Fails(WinshmStatus.Exists, () => Region.Create<Game>(region.Name)).Message);
        Assert.Contains("'Game'", Fails(WinshmStatus.Tag, () => Region.Open<Longer>(region.Name)).Message);
        Fails(WinshmStatus.NotFound, () => Region.Open<Game>(NewName()));
    }

    [Fact]
    public void SpellingsOfOtherLanguagesMeet()
    {
        using Region<Game> region = Region.Create<Game>(NewName());
        using Region<game_of_c> other = Region.Open<game_of_c>(region.Name);
        region.Value.MaxSpeed = 1.5;
        Assert.Equal(1.5, other.Value.max_speed);
    }

    [Fact]
    public void OneWithoutALayoutIsNotCompared()
    {
        using Region region = Region.Create(NewName(), sizeof(Game));
        Assert.Null(region.Layout);
        using Region<Drifted> other = Region.Open<Drifted>(region.Name);
        Assert.Null(other.Layout);
        using Region<long> number = Region.Create<long>(NewName());
        Assert.Null(number.Layout);
        using Region any = Region.Open(number.Name, new RegionOptions { Layout = "a:u64@0; size 8" });
        number.Value = 7;
        Assert.Equal(7, any.Read<long>());
    }

    [Fact]
    public void LayoutsAreGivenAsTextToo()
    {
        using Region region = Region.Open(NewName(), new RegionOptions
        {
            Disposition = RegionDisposition.CreateNew, Size = 100,
            Layout = " score : u32 @ 0 ;lives:u8@4;player:char[11]@5;\nmax_speed:f64@16;size 24",
        });
        Assert.Equal("score:u32@0; lives:u8@4; player:char[11]@5; max_speed:f64@16; size 24", region.Layout);
        using Region<Game> other = Region.Open<Game>(region.Name, new RegionOptions { Size = 100 });
        Assert.Equal(100, other.Size);
        Fails(WinshmStatus.Tag, () => Region.Open<Drifted>(region.Name, new RegionOptions { Size = 100 }));
        Fails(WinshmStatus.Tag, () => Region.Open(region.Name, new RegionOptions { Layout = RegionLayout.Of<Drifted>() }));
        Fails(WinshmStatus.Size, () => Region.Open<Game>(region.Name));
        using Region<Drifted> own = Region.Open<Drifted>(region.Name, new RegionOptions { Size = 100, Layout = Text });
        Assert.Contains("byte", Fails(WinshmStatus.Invalid, () =>
            Region.Open(region.Name, new RegionOptions { Layout = "score:u33@0; size 4" })).Message);
        Assert.Throws<ArgumentException>("options", () => Region.Open<Game>(region.Name, new RegionOptions { Size = 23 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Region.Open<Game>(region.Name, new RegionOptions { Size = -1 }));
        Assert.Throws<ArgumentNullException>("options", () => Region.Open<Game>(region.Name, (RegionOptions)null!));
    }

    [Fact]
    public void ARawRegionHasASizeOnly()
    {
        using Region<Game> raw = Region.Create<Game>(NewName(), RegionFlags.Raw);
        using Region<Drifted> other = Region.Open<Drifted>(raw.Name, RegionFlags.Raw);
        raw.Value.Score = 4;
        Assert.Equal(4u, other.Value.Score);
        Fails(WinshmStatus.Unsupported, () => _ = raw.Layout);
    }

    [Fact]
    public void ANewOneIsFilled()
    {
        string name = NewName();
        using Region<Game> region = Region.OpenOrCreate<Game>(name, fill: created => created.Value.Lives = 3);
        using Region<Game> other = Region.OpenOrCreate<Game>(name, fill: created => created.Value.Lives = 4);
        Assert.Equal(3, other.Value.Lives);
        Action<Region> any = created => created.Span[0] = 9;
        using Region<Game> third = Region.Create<Game>(null, fill: any);
        Assert.Equal(9u, third.Value.Score);
        using Region<Game> fourth = Region.Open<Game>(NewName(), new RegionOptions
            { Disposition = RegionDisposition.OpenOrCreate, Fill = any });
        Assert.Equal(9u, fourth.Value.Score);
    }

    [Fact]
    public void ATypedRegionGrowsBehindItsStructure()
    {
        using Region<Game> region = Region.Open<Game>(NewName(), new RegionOptions
            { Disposition = RegionDisposition.CreateNew, Capacity = 1000 });
        region.Resize(1000);
        region.AsSpan<byte>(sizeof(Game), 1000 - sizeof(Game)).Fill(1);
        using Region<Game> other = Region.Open<Game>(region.Name);
        Assert.Equal(1, other.Span[999]);
        Assert.Equal(0u, other.Value.Score);
    }
}
