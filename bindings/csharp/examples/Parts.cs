// SPDX-License-Identifier: MIT
// Work on parts of a large region: run this in two terminals, one after the other.
//
//     dotnet run --project bindings/csharp/examples Parts

using Winshm;

internal static class Parts
{
    // Bytes of a picture, and how many of them there are.
    private const long Picture = 1 << 20;
    private const int Pictures = 16;

    public static void Main()
    {
        // With NoMap nothing of the region is mapped by opening it. That saves address space, and keeps a
        // program from touching what it does not mean to.
        using Region region = Region.OpenOrCreate("example-parts", Pictures * Picture, RegionFlags.NoMap);

        int painted = 0;
        using (region.Lock())
        {
            // What is copied needs no mapping either. The first byte of a picture says whether somebody has
            // painted it.
            while (region.Read<byte>(painted * Picture) != 0)
            {
                painted++;
            }

            // A part may begin and end anywhere. It is mapped until the end of the block, and its Span is the
            // shared memory itself.
            using View picture = region.Map(painted * Picture, Picture);
            picture.Span.Fill((byte)(painted + 1));
        }

        Console.WriteLine($"There were {painted} pictures, and this process has painted one. Enter leaves.");
        Console.ReadLine();
    }
}
