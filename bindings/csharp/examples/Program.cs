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
            case ["Tasks"]:
                await Tasks.Main();
                return 0;
            default:
                Console.Error.WriteLine("Name one of Counter, Notify, Recover, Parts and Tasks.");
                return 1;
        }
    }
}
