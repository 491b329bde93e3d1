// SPDX-License-Identifier: MIT
// Tokens, regions without a name, and link files. Other processes get them in ExamplesTests.

using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public sealed class HandOverTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("winshm").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string NewPath() => Path.Combine(_folder, "a lïnk");

    [Fact]
    public void ARegionWithoutANameHasOneOfItsOwn()
    {
        using Region one = Region.Create(null, 10);
        using Region two = Region.Open(null, new RegionOptions { Disposition = RegionDisposition.CreateNew, Size = 10 });
        using Region<long> three = Region.Create<long>(null);
        using Region raw = Region.Create(null, 10, RegionFlags.Raw);
        string[] names = [one.Name, two.Name, three.Name, raw.Name];
        Assert.Equal(4, names.Distinct().Count());
        Assert.All(names, name => Assert.Matches("^winshm-[0-9a-f]{32}$", name));
        using Region joined = Region.Open(one.Name);
        one.Span[0] = 4;
        Assert.Equal(4, joined.Span[0]);
        using Region block = Region.Open(raw.Name, RegionFlags.Raw);
        Assert.Throws<ArgumentNullException>("name", () => Region.Open(null,
            new RegionOptions { Disposition = RegionDisposition.OpenOrCreate, Size = 10 }));
        Assert.Throws<ArgumentNullException>("name", () => Region.OpenOrCreate<long>(null!));
    }

    [Fact]
    public void ATokenLeadsToTheRegion()
    {
        using Region region = Region.Create(NewName(), 10);
        string token = region.Export();
        Assert.StartsWith("winshm1:n:", token);
        Assert.DoesNotContain(' ', token);
        using Region other = Region.Import(token);
        Assert.Equal(region.Name, other.Name);
        Assert.True(other.CanWrite);
        other.Span[3] = 8;
        Assert.Equal(8, region.Span[3]);
        using Region tasks = Region.Import(token, RegionFlags.Task | RegionFlags.NoMap, Patience);
        Assert.Equal(0, tasks.Address);
        Assert.Equal(region.GetInfo().Id, tasks.GetInfo().Id);
    }

    [Fact]
    public void ATokenToReadIsNotOneToWrite()
    {
        using Region region = Region.Create(NewName(), 10);
        using Region reader = Region.Import(region.Export(RegionFlags.Read));
        Assert.False(reader.CanWrite);
        Assert.Throws<NotSupportedException>(() => reader.Span.Clear());
        Assert.Equal(RegionFlags.Read, reader.GetInfo().Access);
        using Region less = Region.Import(region.Export(), RegionFlags.Read);
        Assert.False(less.CanWrite);
        Fails(WinshmStatus.Access, () => reader.Export(RegionFlags.Write));
        using Region again = Region.Import(reader.Export());
        Assert.False(again.CanWrite);
        Fails(WinshmStatus.Invalid, () => region.Export(RegionFlags.Raw));
    }

    [Fact]
    public void ATypedTokenIsCompared()
    {
        using Region<Interop.S1> region = Region.Create<Interop.S1>(null);
        using Region<Interop.S1> other = Region.Import<Interop.S1>(region.Export());
        region.Value.score = 6;
        Assert.Equal(6u, other.Value.score);
        using Region<Interop.S1> reader = Region.Import<Interop.S1>(region.Export(RegionFlags.Read));
        Assert.False(reader.CanWrite);
        Exception e = Fails(WinshmStatus.Tag, () => Region.Import<Interop.S3>(region.Export()));
        Assert.StartsWith("Region.Import() ", e.Message);
        using Region<Drifted> drifted = Region.Create<Drifted>(null);
        Assert.Contains("ratio", Fails(WinshmStatus.Tag, () => Region.Import<Interop.S1>(drifted.Export())).Message);
        Assert.Equal(3, region.GetInfo().Participants);
    }

#pragma warning disable CS0649 // It is only compared.
    private struct Drifted
    {
        public uint Score;
        public byte Lives;
        public bool Ready;
        public long Ratio;
    }
#pragma warning restore CS0649

    [Fact]
    public void WhatIsNoTokenOrLeadsNowhereIsRefused()
    {
        string name = NewName(), token;
        using (Region region = Region.Create(name, 10))
        {
            token = region.Export();
            Fails(WinshmStatus.Token, () => Region.Import(""));
            Fails(WinshmStatus.Token, () => Region.Import(token[..^1]));
            Fails(WinshmStatus.Token, () => Region.Import(token + " "));
            Fails(WinshmStatus.Token, () => Region.Import(token.Replace(":w:", ":r:")));
            Fails(WinshmStatus.Layout, () => Region.Import(token.Replace("winshm1", "winshm2")));
            Fails(WinshmStatus.Invalid, () => Region.Import(token, RegionFlags.Raw));
        }
        Assert.StartsWith("Region.Import() ", Fails(WinshmStatus.NotFound, () => Region.Import(token)).Message);
        using Region later = Region.Create(name, 10);
        Fails(WinshmStatus.Replaced, () => Region.Import(token));
        Assert.Throws<ArgumentNullException>("token", () => Region.Import(null!));
        Assert.Throws<ArgumentException>("token", () => Region.Import("a\0b"));
        using Region raw = Region.Create(NewName(), 10, RegionFlags.Raw);
        Fails(WinshmStatus.Unsupported, () => raw.Export());
    }

    [Fact]
    public async Task ALinkFileLivesAsLongAsItsRegion()
    {
        string path = NewPath();
        Assert.StartsWith("Region.OpenLink() ", Fails(WinshmStatus.NotFound, () => Region.OpenLink(path)).Message);
        Task waiting = OnThread(() =>
        {
            using Region found = Region.OpenLink(path, timeout: Patience);
            found.Span[0] = 7;
            found.Notify();
        });
        using (Region region = Region.Create(null, 10))
        {
            region.Link(path);
            Assert.True(File.Exists(path));
            await waiting.WaitAsync(Patience);
            Assert.Equal(7, region.Span[0]);
            using Region other = Region.OpenLink(path, RegionFlags.Read);
            Assert.False(other.CanWrite);
            Assert.Equal(region.Name, other.Name);
            Fails(WinshmStatus.Exists, () => region.Link(path));
            Fails(WinshmStatus.Exists, () => other.Link(path));
        }
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void ALinkDoesNotReplaceAFile()
    {
        string path = NewPath();
        File.WriteAllText(path, "something else");
        using Region<Interop.S1> region = Region.Create<Interop.S1>(null);
        Fails(WinshmStatus.Exists, () => region.Link(path));
        Fails(WinshmStatus.Token, () => Region.OpenLink(path));
        Assert.Equal("something else", File.ReadAllText(path));
        File.WriteAllText(path, region.Export() + "\n");
        using Region<Interop.S1> other = Region.OpenLink<Interop.S1>(path);
        region.Value.lives = 9;
        Assert.Equal(9, other.Value.lives);
        Assert.StartsWith("Region.OpenLink() ", Fails(WinshmStatus.Tag, () => Region.OpenLink<Interop.S3>(path)).Message);
        Fails(WinshmStatus.Invalid, () => region.Link(""));
        Assert.Throws<ArgumentNullException>("path", () => region.Link(null!));
        Assert.Throws<ArgumentNullException>("path", () => Region.OpenLink(null!));
    }
}
