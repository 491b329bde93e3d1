// SPDX-License-Identifier: MIT
// Survive a crash: run the first in one terminal, and while it waits for Enter the second in another.
//
//     dotnet run --project bindings/csharp/examples Recover
//     dotnet run --project bindings/csharp/examples Recover crash

using System.Diagnostics;
using Winshm;

internal static class Recover
{
    // Money goes from one account to the other, and together they always have 100.
    private struct Accounts
    {
        public long Mine;
        public long Yours;
    }

    public static void Main(string[] words)
    {
        // Who creates the region fills it, and nobody else gets the lock before that is done.
        using Region region = Region.OpenOrCreate<Accounts>("example-recover",
            fill: created => created.As<Accounts>().Mine = 100);
        ref Accounts accounts = ref region.As<Accounts>();

        if (words is ["crash"])
        {
            using (region.Lock())
            {
                accounts.Mine -= 30;
                // The process ends in the midst of its work. It can tell nobody, but the lock is not lost.
                Process.GetCurrentProcess().Kill();
            }
        }

        Console.Write("Crash in another terminal, then press Enter here: ");
        Console.ReadLine();

        // Lock() would throw an OwnerDeadException, so nobody works with data that are half written and
        // does not notice it. This is for those who can repair them.
        using (RegionLock held = region.LockForRepair())
        {
            if (held.OwnerDied)
            {
                Console.WriteLine($"The owner of the lock has died and left {accounts.Mine} and {accounts.Yours}.");
                accounts.Yours = 100 - accounts.Mine;
                // From here on the data are whole again, for everybody.
                held.MakeConsistent();
            }
            Console.WriteLine($"The accounts have {accounts.Mine} and {accounts.Yours}.");
        }
    }
}
