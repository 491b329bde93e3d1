// SPDX-License-Identifier: MIT
// Share a region from tasks: run this in two terminals, then press Enter in both.
//
//     dotnet run --project bindings/csharp/examples Tasks

using Winshm;

internal static class Tasks
{
    public static async Task Main()
    {
        // With RegionFlags.Task the lock belongs to the region object and not to a thread, because a task may
        // go on on another thread after each await.
        using Region region = Region.OpenOrCreate<long>("example-tasks", RegionFlags.Task);
        Console.Write("Start it twice, then press Enter: ");
        Console.ReadLine();

        using CancellationTokenSource done = new();
        Task showing = ShowAsync(region, done.Token);
        await Task.WhenAll(AddAsync(region), AddAsync(region), AddAsync(region), AddAsync(region));
        done.Cancel();
        await showing;

        using AsyncRegionLock held = await region.LockSharedAsync();
        Console.WriteLine($"This process has added 20, and the total is {held.Read<long>()}.");
    }

    private static async Task AddAsync(Region region)
    {
        for (int i = 0; i < 5; i++)
        {
            // Only one at a time is inside, of all tasks of all processes. It may await there; the others do
            // something else meanwhile.
            using AsyncRegionLock held = await region.LockAsync();
            long total = held.Read<long>();
            await Task.Delay(10);
            held.Write(0, total + 1); // which wakes those who wait for a change
        }
    }

    private static async Task ShowAsync(Region region, CancellationToken done)
    {
        try
        {
            await foreach (uint _ in region.Changes(done))
            {
                // region.Read() would block this thread until the lock is free. Readers share it.
                using AsyncRegionLock held = await region.LockSharedAsync(done);
                Console.WriteLine($"total {held.Read<long>()}");
            }
        }
        catch (OperationCanceledException)
        {
            // That is how the loop is told to end. No change is lost by it.
        }
    }
}
