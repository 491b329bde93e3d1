// SPDX-License-Identifier: MIT
// The tests' entry point, and the second process that some of them need.

using Winshm;
using Winshm.Interop;
using Xunit;
using Xunit.Runner.InProc.SystemConsole;

// Time matters in many tests, and the machine may have few cores.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

switch (args)
{
    case ["peer"]:
        Peer.Run(Console.In, Console.Out);
        return 0;
    case ["example", .. string[] arguments]:
        return AppDomain.CurrentDomain.ExecuteAssemblyByName("Examples", arguments);
    case ["waits", string name]:
        List<Region> regions = [];
        for (int i = 0; i < 50; i++)
        {
            regions.Add(Region.Open(name, RegionFlags.Task));
            _ = regions[i].WaitAsync(0);
            _ = regions[i].LockAsync().AsTask();
        }
        Console.WriteLine($"{regions.Count} waits");
        Console.ReadLine();
        Console.WriteLine("ending");
        return 0;
    case ["version"]:
        try
        {
            Console.WriteLine(Library.VersionString);
        }
        catch (DllNotFoundException e)
        {
            Console.WriteLine(e.Message);
        }
        return 0;
    default:
        return await ConsoleRunner.Run(args);
}
