// SPDX-License-Identifier: MIT
// Says how ten structures look. With the word "typed" it also uses a region of one, which a program that was trimmed or
// compiled ahead of time must do as well as any.

using Winshm;
using Winshm.Interop;

foreach (string line in Layouts.Lines)
{
    Console.WriteLine(line);
}
if (args is ["typed"])
{
    using Region<S10> region = Region.Create<S10>(null, fill: created => created.Value.items[1].inner[1].y = 7);
    using Region<S10> other = Region.Import<S10>(region.Export());
    Console.WriteLine($"7 is {other.Read().items[1].inner[1].y}");
    Console.WriteLine($"S10: {other.Layout}");
    try
    {
        Region.Open<S4>(region.Name);
    }
    catch (RegionMismatchException e)
    {
        Console.WriteLine(e.StatusName);
    }
}
