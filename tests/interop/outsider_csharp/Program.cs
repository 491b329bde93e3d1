// SPDX-License-Identifier: MIT
// A program that knows nothing of winshm and shares a block by MemoryMappedFile. It answers
// one command a line with "ok [HEX]" or "error NAME".

using System.IO.MemoryMappedFiles;

MemoryMappedFile? file = null;
MemoryMappedViewAccessor? view = null;
while (Console.ReadLine() is string line && line != "quit")
{
    string reply;
    try
    {
        reply = Answer(line.Split(' '));
    }
    catch (Exception e)
    {
        reply = $"error {e.GetType().Name}";
    }
    Console.WriteLine(reply);
}

string Answer(string[] words)
{
    switch (words)
    {
        case ["create", string name, string size]:
            file = MemoryMappedFile.CreateNew(name, long.Parse(size));
            view = file.CreateViewAccessor(0, long.Parse(size));
            return "ok";
        case ["open", string name, string size]:
            file = MemoryMappedFile.OpenExisting(name);
            view = file.CreateViewAccessor(0, long.Parse(size));
            return "ok";
        case ["poke", string offset, string hex]:
            byte[] source = Convert.FromHexString(hex);
            view!.WriteArray(long.Parse(offset), source, 0, source.Length);
            return "ok";
        case ["peek", string offset, string length]:
            byte[] target = new byte[int.Parse(length)];
            view!.ReadArray(long.Parse(offset), target, 0, target.Length);
            return $"ok {Convert.ToHexString(target).ToLowerInvariant()}";
        case ["close"]:
            view!.Dispose();
            file!.Dispose();
            return "ok";
        default:
            return "error usage";
    }
}
