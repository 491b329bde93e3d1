// SPDX-License-Identifier: MIT
// Wait for messages: run the first in one terminal, and then the second in another.
//
//     dotnet run --project bindings/csharp/examples Notify
//     dotnet run --project bindings/csharp/examples Notify some words

using System.Text;
using Winshm;

internal static class Notify
{
    private const string Name = "example-notify";
    private const int Size = 200;

    public static void Main(string[] words)
    {
        if (words.Length > 0)
        {
            Send(string.Join(' ', words));
        }
        else
        {
            Show();
        }
    }

    private static void Send(string text)
    {
        // Only who waits for messages creates the region. If nobody does, this throws a
        // RegionNotFoundException at once, and its message says what to do.
        using Region region = Region.Open(Name);

        // Cut off or filled up with zeros, so that nothing of an earlier message is left.
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Array.Resize(ref bytes, Size);

        // Write() takes the lock, copies the bytes, and wakes all who wait for a change.
        region.Write(0, bytes);
    }

    private static void Show()
    {
        using Region region = Region.Create(Name, Size);
        uint seen = region.ChangeCount;
        Console.WriteLine("Waiting for messages; bye ends it.");

        byte[] bytes = new byte[Size];
        string text = "";
        while (text != "bye")
        {
            // The counter first, the data after it: what is written while we look at the data makes the
            // counter differ from what was seen, and ends the next wait at once.
            seen = region.Wait(seen);
            region.Read(0, bytes);
            text = Encoding.UTF8.GetString(bytes).TrimEnd('\0');
            Console.WriteLine(text);
        }
    }
}
