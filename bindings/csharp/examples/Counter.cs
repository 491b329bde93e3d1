// SPDX-License-Identifier: MIT
// Count together: run this in two terminals at once.
//
//     dotnet run --project bindings/csharp/examples Counter

using Winshm;

internal static class Counter
{
    public static void Main()
    {
        // Whoever comes first creates the region, as large as one long, and the others join it. It exists
        // as long as somebody has it open, so the count begins anew when all have left.
        using Region region = Region.OpenOrCreate<long>("example-counter");

        // The shared memory itself, seen as one number.
        ref long counter = ref region.As<long>();

        Console.Write("Enter adds one, q leaves: ");
        while (Console.ReadLine() is not (null or "q"))
        {
            // To add one is to read and then to write. Under the lock no other process comes in between,
            // so that no addition is lost.
            long now;
            using (region.Lock())
            {
                now = ++counter;
            }
            Console.WriteLine($"That makes {now}.");
            Console.Write("Enter adds one, q leaves: ");
        }
    }
}
