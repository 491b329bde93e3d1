// SPDX-License-Identifier: MIT
// Keep what a region holds when all have left it:
//
//     dotnet run --project bindings/csharp/examples Saving

using Winshm;

internal static class Saving
{
    private struct Settings
    {
        public int Volume;
        public bool Muted;
    }

    public static void Main()
    {
        string file = Path.Combine(Path.GetTempPath(), $"example-saving-{Environment.ProcessId}");
        using (Region<Settings> region = Region.Create<Settings>("example-saving"))
        {
            region.Write(new Settings { Volume = 11, Muted = true });
            // A copy that nobody writes to meanwhile. The file is the old one or the new one, whatever happens.
            region.Save(file);
        }

        // Whoever creates the region next fills it with what was saved; those who join find it so.
        using (Region<Settings> region = Region.OpenOrCreate<Settings>("example-saving", fill: created =>
        {
            if (File.Exists(file))
            {
                created.Load(file);
            }
        }))
        {
            Console.WriteLine($"The volume is {region.Read().Volume}.");
        }
        File.Delete(file);
    }
}
