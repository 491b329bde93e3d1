// SPDX-License-Identifier: MIT
// A participant that is driven over text lines: one command in, one reply out. It uses the
// idiomatic layer, so that the tests between languages go through what programs use.

using System.Globalization;

namespace Winshm.Interop;

internal static class Peer
{
    public static void Run(TextReader commands, TextWriter replies)
    {
        Region? region = null;
        while (commands.ReadLine() is string line && line != "quit")
        {
            string reply;
            try
            {
                reply = Execute(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), ref region);
            }
            catch (WinshmException e)
            {
                reply = $"error {e.StatusName}";
            }
            catch (ObjectDisposedException)
            {
                reply = "error WINSHM_E_CLOSED";
            }
            catch (TimeoutException)
            {
                reply = "error WINSHM_E_TIMEOUT";
            }
            catch (ArgumentOutOfRangeException)
            {
                reply = "error WINSHM_E_RANGE";
            }
            catch (ArgumentException)
            {
                reply = "error WINSHM_E_INVALID";
            }
            replies.WriteLine(reply);
            replies.Flush();
        }
    }

    private static string Execute(string[] words, ref Region? region)
    {
        switch (words)
        {
            case ["create", string name, string size, string flags]:
                region = Region.Create(name, Number(size), Flags(flags));
                return "ok";
            case ["open", string name, string flags, string timeout]:
                region = Region.Open(name, new RegionOptions { Flags = Flags(flags), Timeout = Time(timeout) });
                return "ok";
            case ["open_or_create", string name, string size, string flags]:
                region = Region.OpenOrCreate(name, Number(size), Flags(flags));
                return "ok";
            case ["pid"]:
                return $"ok {Environment.ProcessId}";
            default:
                return Use(words, region ?? throw new ObjectDisposedException(nameof(region)));
        }
    }

    private static string Use(string[] words, Region region)
    {
        switch (words)
        {
            case ["close"]:
                region.Close();
                return "ok";
            case ["lock", "1", string timeout]:
                region.LockShared(Time(timeout));
                return "ok";
            case ["lock", "2", string timeout]:
                return region.LockForRepair(Time(timeout)).OwnerDied ? "error WINSHM_E_OWNER_DEAD" : "ok";
            case ["unlock", string mode]:
                region.Unlock((LockMode)Number(mode));
                return "ok";
            case ["repair"]:
                region.MakeConsistent();
                return "ok";
            case ["write", string offset, string hex, string timeout]:
                region.Write(Number(offset), Convert.FromHexString(hex), Time(timeout));
                return "ok";
            case ["read", string offset, string length, string timeout]:
                byte[] bytes = new byte[Number(length)];
                region.Read(Number(offset), bytes, Time(timeout));
                return $"ok {Hex(bytes)}";
            case ["poke", string offset, string hex]:
                byte[] source = Convert.FromHexString(hex);
                source.CopyTo(region.AsSpan<byte>(Number(offset), source.Length));
                return "ok";
            case ["peek", string offset, string length]:
                return $"ok {Hex(region.AsReadOnlySpan<byte>(Number(offset), (int)Number(length)))}";
            case ["notify"]:
                region.Notify();
                return "ok";
            case ["changes"]:
                return $"ok {region.ChangeCount}";
            case ["wait", string seen, string timeout]:
                return region.Wait((uint)Number(seen), Time(timeout), out uint now) ? $"ok {now}" : "error WINSHM_E_TIMEOUT";
            case ["size"]:
                return $"ok {region.Size}";
            case ["participants"]:
                return $"ok {region.GetParticipants().Count}";
            default:
                return "error WINSHM_E_INVALID";
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static RegionFlags Flags(string text) => (RegionFlags)Number(text);

    private static TimeSpan Time(string milliseconds) => Number(milliseconds) is var number && number == uint.MaxValue
        ? Timeout.InfiniteTimeSpan
        : TimeSpan.FromMilliseconds(number);

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes).ToLowerInvariant();
}
