// SPDX-License-Identifier: MIT
// Begin small and grow, without a reader that has to open the region again:
//
//     dotnet run --project bindings/csharp/examples Growing

using Winshm;

internal static class Growing
{
    public static void Main()
    {
        // Room for a gigabyte, of which 4 KB are there. The rest takes address space, and no memory yet.
        using Region region = Region.Open("example-growing", new RegionOptions
        {
            Disposition = RegionDisposition.CreateNew,
            Size = 4096,
            Capacity = 1 << 30,
        });
        using Region reader = Region.Open("example-growing");
        Span<byte> before = reader.Span;

        region.Resize(1 << 20);
        region.Span[^1] = 7;

        // Nothing has moved: what was taken before is still valid, and as long as it was. Ask again for the rest.
        Span<byte> now = reader.Span;
        Console.WriteLine($"{before.Length} bytes before, {now.Length} now, the last is {now[^1]}");
    }
}
