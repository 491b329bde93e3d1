// SPDX-License-Identifier: MIT
// Share a structure, and be told when two programs disagree on it:
//
//     dotnet run --project bindings/csharp/examples Typed

using Winshm;

internal static class Typed
{
    private unsafe struct Game
    {
        public int Score;
        public byte Lives;

        [Utf8]
        public fixed byte Player[11];
        public double MaxSpeed;
    }

#pragma warning disable CS0649 // It is only compared.
    // How it was before somebody made Lives smaller.
    private unsafe struct OldGame
    {
        public int Score;
        public int Lives;

        [Utf8]
        public fixed byte Player[8];
        public double MaxSpeed;
    }
#pragma warning restore CS0649

    public static void Main()
    {
        // As large as the structure, whose layout everybody can read.
        using Region<Game> region = Region.Create<Game>("example-typed");
        Console.WriteLine(region.Layout);

        // Value is the shared memory itself.
        using (region.Lock())
        {
            region.Value.Score += 10;
            region.Value.Lives = 3;
            region.Value.MaxSpeed = 1.5;
        }

        // Read and Write copy the whole at once, and lock by themselves.
        using Region<Game> other = Region.Open<Game>("example-typed");
        Game game = other.Read();
        game.Lives--;
        other.Write(game);
        Console.WriteLine($"{region.Value.Score} points, {region.Value.Lives} lives");

        try
        {
            using Region<OldGame> old = Region.Open<OldGame>("example-typed");
        }
        catch (RegionMismatchException e)
        {
            Console.WriteLine(e.Message);
        }
    }
}
