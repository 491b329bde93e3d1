// The C# side of what is compared between languages; for the protocol see worker.c.

using System.Globalization;
using System.IO.MemoryMappedFiles;
using Winshm;

const int RegionBytes = 4096;

if (args is ["frames"])
{
    FrameWorker.Run();
    return;
}

try
{
    // The library looks at the number of processors before it is pinned.
    Region.Open("winshm-bench-none").Dispose();
}
catch (WinshmException)
{
}
Console.WriteLine("ready");
while (Console.ReadLine() is string line)
{
    string[] words = line.Split(' ');
    string result = Run(words[0], words[1], int.Parse(words[2], CultureInfo.InvariantCulture),
        long.Parse(words[3], CultureInfo.InvariantCulture));
    Console.WriteLine(result);
}

static string Run(string operation, string name, int bytes, long budget)
{
    switch (operation)
    {
        case "lock" or "notify" or "open":
        {
            using Region region = Filled(name, RegionBytes);
            return operation switch
            {
                "lock" => Measure.Run(budget, new LockPair(region)),
                "notify" => Measure.Run(budget, new Notify(region)),
                _ => Measure.Run(budget, new OpenRegion(name)),
            };
        }
        case "read" or "write" or "copy-out" or "copy-in":
            return Copies(operation, name, bytes, budget);
        case "ask":
        {
            using Region there = Filled(name, RegionBytes), back = Filled(name + "-back", RegionBytes);
            Console.WriteLine("started");
            string result = Measure.Run(budget, new AskRegion(there, back));
            there.Span[0] = 0;
            there.Notify();
            return result;
        }
        case "answer":
        {
            using Region there = Region.Open(name), back = Region.Open(name + "-back");
            AskRegion.Answer(there, back);
            return "0 0";
        }
        case "bare-notify":
        {
            var bare = new BareNotify(name, RegionBytes);
            string result = Measure.Run(budget, bare);
            bare.Close();
            return result;
        }
        case "mutex":
        {
            using var mutex = new Mutex(false, name);
            return Measure.Run(budget, new MutexPair(mutex));
        }
        case "event":
        {
            using var handle = new EventWaitHandle(false, EventResetMode.AutoReset, name);
            return Measure.Run(budget, new SetEvent(handle));
        }
        case "map" or "map-mutex" or "write-array":
        {
            using var mutex = new Mutex(false, name + "-mutex");
            using var keeper = MemoryMappedFile.CreateNew(name, Math.Max(bytes, RegionBytes));
            using MemoryMappedViewAccessor view = keeper.CreateViewAccessor();
            return operation switch
            {
                "map" => Measure.Run(budget, new OpenMap(name)),
                "map-mutex" => Measure.Run(budget, new OpenMapAndMutex(name)),
                _ => Measure.Run(budget, new WriteArray(view, new byte[bytes])),
            };
        }
        case "event-ask" or "event-answer":
        {
            using var map = MemoryMappedFile.CreateOrOpen(name, RegionBytes);
            using MemoryMappedViewAccessor view = map.CreateViewAccessor();
            using var there = new EventWaitHandle(false, EventResetMode.AutoReset, name + "-there");
            using var back = new EventWaitHandle(false, EventResetMode.AutoReset, name + "-back");
            if (operation == "event-answer")
            {
                AskEvents.Answer(view, there, back);
                return "0 0";
            }
            Console.WriteLine("started");
            string result = Measure.Run(budget, new AskEvents(view, there, back));
            view.Write(0, (byte)0);
            there.Set();
            return result;
        }
        default:
            throw new ArgumentException($"no such operation: {operation}");
    }
}

// Both sides copy between the same sort of memory, all of it touched.
static unsafe string Copies(string operation, string name, int bytes, long budget)
{
    using Region region = Filled(name, bytes);
    byte[] buffer = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);
    buffer.AsSpan().Fill(1);
    region.Write(0, buffer);
    fixed (byte* mine = buffer)
    {
        byte* shared = (byte*)region.Address;
        return operation switch
        {
            "read" => Measure.Run(budget, new ReadRegion(region, buffer)),
            "write" => Measure.Run(budget, new WriteRegion(region, buffer)),
            "copy-out" => Measure.Run(budget, new Copy(shared, mine, bytes)),
            _ => Measure.Run(budget, new Copy(mine, shared, bytes)),
        };
    }
}

static Region Filled(string name, int bytes)
{
    var region = Region.Create(name, bytes);
    region.Span.Clear();
    return region;
}
