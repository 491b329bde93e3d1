// SPDX-License-Identifier: MIT
// A lock of one's own, in the data: where one lock for the whole region is too much. Run the first in one terminal, the
// second in another, and end the first by closing its terminal, or with kill -9:
//
//     dotnet run --project bindings/csharp/examples OwnLock
//     dotnet run --project bindings/csharp/examples OwnLock

using Winshm;

internal static class OwnLock
{
    private struct Table
    {
        // Who holds the lock: the number of a participant, or 0.
        public ulong Owner;
        public long Count;
    }

    public static void Main()
    {
        using Region<Table> region = Region.OpenOrCreate<Table>("example-ownlock");
        // Each participant has a number that no other gets as long as the region exists.
        ulong me = region.GetInfo().Member;

        Console.WriteLine("Waiting for the lock.");
        bool ownerDied = Lock(region, ref region.Value.Owner, me);
        Console.WriteLine(ownerDied ? "The owner has died: look at the data." : "The lock was free.");
        region.Value.Count++;
        Console.WriteLine($"Counted to {region.Value.Count}. Enter unlocks.");
        Console.ReadLine();
        Unlock(region, ref region.Value.Owner, me);
    }

    /// <summary>Takes the lock.</summary>
    /// <returns>True if the owner before has died, or left without unlocking.</returns>
    private static bool Lock(Region region, ref ulong owner, ulong me)
    {
        for (;;)
        {
            // The counter first, then the lock: an Unlock in between ends the wait at once.
            uint seen = region.ChangeCount;
            ulong found = Interlocked.CompareExchange(ref owner, me, 0);
            if (found == 0)
            {
                return false;
            }
            // It was a participant when it took the lock, and numbers are not used again: if it is none now, it
            // is gone. Of all who notice only one takes its place.
            if (region.GetParticipants().All(participant => participant.Member != found))
            {
                if (Interlocked.CompareExchange(ref owner, me, found) == found)
                {
                    return true;
                }
            }
            else
            {
                // A death notifies nobody, so look for it from time to time.
                region.Wait(seen, TimeSpan.FromMilliseconds(200), out _);
            }
        }
    }

    private static void Unlock(Region region, ref ulong owner, ulong me)
    {
        if (Interlocked.CompareExchange(ref owner, 0, me) != me)
        {
            throw new SynchronizationLockException("Another one has the lock.");
        }
        region.Notify();
    }
}
