// SPDX-License-Identifier: MIT
// Finding the library and refusing one that does not fit.

using Xunit;

namespace Winshm.Tests;

public class LibraryTests
{
    [Fact]
    public void TheLoadedVersionFits()
    {
        Assert.Null(Library.Refusal(Library.Version, typeof(Region).Assembly.GetName().Version!));
        Assert.Equal(Library.Version.ToString(3), Library.VersionString);
    }

    [Fact]
    public void TheAssemblyAndTheNativeLibraryCanBeInOneFolder() =>
        Assert.NotEqual("winshm", typeof(Region).Assembly.GetName().Name!.ToLowerInvariant());

    [Theory]
    [InlineData("1.4.2", "1.4.2.0", true)]
    [InlineData("1.4.0", "1.4.2.0", true)]
    [InlineData("1.5.0", "1.4.2.0", true)]
    [InlineData("1.3.9", "1.4.2.0", false)]
    [InlineData("2.4.2", "1.4.2.0", false)]
    [InlineData("0.9.0", "1.0.0.0", false)]
    public void AnotherMajorOrAnOlderMinorVersionIsRefused(string loaded, string needed, bool fits)
    {
        string? refusal = Library.Refusal(Version.Parse(loaded), Version.Parse(needed));
        Assert.Equal(fits, refusal is null);
        if (refusal is not null)
        {
            Assert.Contains(loaded, refusal);
            Assert.Contains("WINSHM_LIBRARY", refusal);
        }
    }

    [Fact]
    public void AVersionNumberIsTakenApart() => Assert.Equal(new Version(3, 17, 250), Library.Decode(0x0311FA));

    [Fact]
    public void StatusesHaveNamesAndTexts()
    {
        foreach (WinshmStatus status in Enum.GetValues<WinshmStatus>())
        {
            Assert.StartsWith("WINSHM_", Library.GetStatusName(status));
            Assert.NotEmpty(Library.GetStatusText(status));
        }
        Assert.Equal("WINSHM_E_NOT_FOUND", Library.GetStatusName(WinshmStatus.NotFound));
        Assert.Equal("WINSHM_E_UNKNOWN", Library.GetStatusName((WinshmStatus)(-9999)));
    }

    [Fact]
    public void APathThatLeadsNowhereIsReported()
    {
        string message = FirstUse("/nowhere/winshm");
        Assert.Contains("/nowhere/winshm, from WINSHM_LIBRARY, could not be loaded", message);
        Assert.Contains(AppContext.BaseDirectory, message);
    }

    [Fact]
    public void AnotherLibraryIsReported() =>
        Assert.Contains("is not winshm", FirstUse(OperatingSystem.IsWindows() ? "kernel32.dll" : "libc.so.6"));

    [Fact]
    public void AFileThatIsNoLibraryIsReported() =>
        Assert.Contains("Install a ", FirstUse(typeof(LibraryTests).Assembly.Location.Replace(".dll", ".deps.json")));

    [Fact(Skip = "there is no C compiler beside a Windows program",
        SkipType = typeof(TableTests), SkipWhen = nameof(TableTests.IsWindows))]
    public void AnotherMajorVersionIsReported()
    {
        string directory = Directory.CreateTempSubdirectory("winshm").FullName;
        try
        {
            string library = Path.Combine(directory, "libother.so");
            File.WriteAllText(library + ".c", "unsigned winshm_version(void) { return 0x630102; }");
            TableTests.Run("gcc", "-shared", "-fPIC", "-o", library, library + ".c");
            Assert.Contains("has version 99.1.2, but this binding needs", FirstUse(library));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string FirstUse(string library)
    {
        using Child child = new("version", ("WINSHM_LIBRARY", library));
        return child.Read();
    }
}
