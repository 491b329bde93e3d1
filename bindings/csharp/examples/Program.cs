// SPDX-License-Identifier: MIT
// Runs one of the examples.

internal static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["Counter"]:
                Counter.Main();
                return 0;
            case ["Notify", .. string[] words]:
                Notify.Main(words);
                return 0;
            case ["Recover", .. string[] words]:
                Recover.Main(words);
                return 0;
            case ["Parts"]:
                Parts.Main();
                return 0;
            case ["Typed"]:
                Typed.Main();
                return 0;
            case ["Growing"]:
                Growing.Main();
                return 0;
            case ["Handover", .. string[] words]:
                Handover.Main(words);
                return 0;
            case ["Frames", .. string[] words]:
                return Frames.Main(words);
            case ["Saving"]:
                Saving.Main();
                return 0;
            case ["OwnLock"]:
                OwnLock.Main();
                return 0;
            case ["Tasks"]:
                await Tasks.Main();
                return 0;
            default:
                Console.Error.WriteLine(
                    "Name one of Counter, Notify, Recover, Parts, Typed, Growing, Handover, Frames, Saving, OwnLock and "
                    + "Tasks.");
                return 1;
        }
    }
}
