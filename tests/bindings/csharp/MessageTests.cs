// SPDX-License-Identifier: MIT
// What people are told: the argument, both values, and the way out.

using System.Text.RegularExpressions;
using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public class MessageTests
{
    private static readonly RegionOptions s_otherTag = new() { LayoutTag = 0xAB };

    /// <summary>Each status that can be provoked from here, what provokes it, and what has to be said, in this
    /// order.</summary>
    private static readonly (string Status, Action<Region> Provoke, string[] Pieces)[] s_table =
    [
        ("NAME", _ => Region.Create("a/b", 1), ["Region.Create() 'a/b'", "byte 1", "slash"]),
        ("NAME", _ => Region.Open(""), ["it is empty"]),
        ("INVALID", _ => Region.Create(NewName(), 0), ["size is 0", "at least 1 byte"]),
        ("INVALID", _ => Region.Open(NewName(), new RegionOptions
            { Disposition = RegionDisposition.CreateNew, Size = 8, Security = "evrybody" }), ["'evrybody'", "\"owner\""]),
        ("NOT_FOUND", _ => Region.Open(NewName()), ["no such region", "creator"]),
        ("EXISTS", region => Region.Create(region.Name, 64),
            [$"process {Environment.ProcessId} (", "has created it", "Region.OpenOrCreate"]),
        ("SIZE", region => Region.OpenOrCreate(region.Name, 65), ["64 bytes", "65 were asked for"]),
        ("TAG", region => Region.Open(region.Name, s_otherTag), ["0x1F", "0xAB", "rebuild"]),
        ("RANGE", region => region.Read<long>(60), ["offset is 60", "length 8", "64 bytes", "Region.Size"]),
        ("ACCESS", ReadOnly(region => region.Write(0, (byte)1)), ["read-only"]),
        ("UNSUPPORTED", Raw(region => region.Notify()), ["plain block", "RegionFlags.Raw"]),
        ("TIMEOUT", Locked(Beside(other => other.Lock(TimeSpan.FromMilliseconds(10)).Dispose())),
            ["this process holds the lock itself", "handle"]),
        ("DEADLOCK", Locked(region => region.Lock().Dispose()), ["in exclusive mode", "using"]),
        ("NOT_OWNER", region => region.MakeConsistent(), ["Lock first"]),
    ];

    public static TheoryData<int> Rows => [.. Enumerable.Range(0, s_table.Length)];

    [Theory]
    [MemberData(nameof(Rows))]
    public void SaysWhatIsWrongAndWhatToDo(int row)
    {
        (string status, Action<Region> provoke, string[] pieces) = s_table[row];
        using Region region = Region.Open(NewName(), new RegionOptions
            { Disposition = RegionDisposition.CreateNew, Size = 64, LayoutTag = 0x1F });
        string message = Record.Exception(() => provoke(region))?.Message ?? "nothing was thrown";
        int at = 0;
        foreach (string piece in pieces)
        {
            int found = message.IndexOf(piece, at, StringComparison.Ordinal);
            Assert.True(found >= 0, $"'{piece}' is not said, or not there: {message}");
            at = found + piece.Length;
        }
        string bracket = $"[WINSHM_E_{status}]";
        Assert.Contains(bracket, message);
        Assert.DoesNotMatch(new Regex("winshm_|WINSHM_"), message.Replace(bracket, ""));
    }

    private static Action<Region> ReadOnly(Action<Region> use) => region =>
    {
        using Region reader = Region.Open(region.Name, RegionFlags.Read);
        use(reader);
    };

    private static Action<Region> Beside(Action<Region> use) => region =>
    {
        using Region other = Region.Open(region.Name);
        use(other);
    };

    private static Action<Region> Raw(Action<Region> use) => _ =>
    {
        using Region raw = Region.Create(NewName(), 8, RegionFlags.Raw);
        use(raw);
    };

    private static Action<Region> Locked(Action<Region> use) => region =>
    {
        using (region.Lock())
        {
            use(region);
        }
    };
}
