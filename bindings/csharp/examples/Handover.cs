// SPDX-License-Identifier: MIT
// Hand a region over to another process, which needs to know nothing but a token:
//
//     dotnet run --project bindings/csharp/examples Handover give python3 bindings/python/examples/handover.py
//
// Or both know the path of a file:
//
//     dotnet run --project bindings/csharp/examples Handover link state.link
//     dotnet run --project bindings/csharp/examples Handover open state.link

using System.Diagnostics;
using System.Text;
using Winshm;

internal static class Handover
{
    // Other languages have the same structure in their own words. What opens the region is compared with it.
    private unsafe struct State
    {
        public uint Count;
        public uint Done;

        [Utf8]
        public fixed byte Text[56];
    }

    public static void Main(string[] words)
    {
        switch (words)
        {
            case ["give", .. string[] command]:
                Give(command);
                break;
            case ["link", string path]:
                Link(path);
                break;
            case ["open", string path]:
                // The other one may come later, so there may be no file yet.
                Take(Region.OpenLink<State>(path, timeout: TimeSpan.FromSeconds(30)));
                break;
            default:
                // A token is text, so it can come in any way.
                string? token = Environment.GetEnvironmentVariable("WINSHM_TOKEN");
                token ??= words is [string word] ? word : Console.ReadLine();
                Take(Region.Import<State>(token ?? ""));
                break;
        }
    }

    private static void Give(string[] command)
    {
        // Nobody comes upon this region by accident: the library draws its name.
        using Region<State> region = Region.Create<State>(null);
        ProcessStartInfo start = new(command[0], command[1..]);
        start.Environment["WINSHM_TOKEN"] = region.Export();
        Say(region);
        using Process child = Process.Start(start)!;
        Await(region);
        child.WaitForExit();
    }

    private static void Link(string path)
    {
        using Region<State> region = Region.Create<State>(null);
        Say(region);
        // The file is there as long as the region is open here.
        region.Link(path);
        Await(region);
    }

    private static unsafe void Say(Region<State> region)
    {
        using (region.Lock())
        {
            ref State state = ref region.Value;
            state.Count = 1;
            fixed (byte* text = state.Text)
            {
                "handed over by C#"u8.CopyTo(new Span<byte>(text, 56));
            }
        }
    }

    private static void Await(Region<State> region)
    {
        // The counter first, then the data: so no change is missed.
        for (uint seen = region.ChangeCount; region.Read().Done == 0;)
        {
            if (!region.Wait(seen, TimeSpan.FromSeconds(30), out seen))
            {
                throw new TimeoutException("The other process does not answer.");
            }
        }
        Console.WriteLine($"handed over: count {region.Read().Count}");
    }

    private static unsafe void Take(Region<State> taken)
    {
        using Region<State> region = taken;
        State state = region.Read();
        string text = Encoding.UTF8.GetString(state.Text, 56).TrimEnd('\0');
        if (state.Count != 1 || text == "")
        {
            throw new InvalidDataException($"What was handed over is {state.Count} and \"{text}\".");
        }
        using (region.Lock())
        {
            region.Value.Count = 2;
            region.Value.Done = 1;
        }
        region.Notify();
    }
}
