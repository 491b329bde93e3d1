// What .NET itself has.

using System.IO.MemoryMappedFiles;

internal struct MutexPair(Mutex mutex) : IOperation
{
    public readonly void Once()
    {
        mutex.WaitOne();
        mutex.ReleaseMutex();
    }
}

internal struct SetEvent(EventWaitHandle handle) : IOperation
{
    public readonly void Once() => handle.Set();
}

internal struct OpenMap(string name) : IOperation
{
    public readonly void Once()
    {
        using var map = MemoryMappedFile.OpenExisting(name);
        using MemoryMappedViewAccessor view = map.CreateViewAccessor();
    }
}

internal struct OpenMapAndMutex(string name) : IOperation
{
    public readonly void Once()
    {
        using var map = MemoryMappedFile.OpenExisting(name);
        using MemoryMappedViewAccessor view = map.CreateViewAccessor();
        using var mutex = Mutex.OpenExisting(name + "-mutex");
    }
}

internal unsafe struct Copy(byte* from, byte* to, int bytes) : IOperation
{
    public readonly void Once() => Buffer.MemoryCopy(from, to, bytes, bytes);
}

internal struct WriteArray(MemoryMappedViewAccessor view, byte[] buffer) : IOperation
{
    public readonly void Once() => view.WriteArray(0, buffer, 0, buffer.Length);
}

/// <summary>A block and two events: 64 bytes there and back, until the first one is 0.</summary>
internal struct AskEvents(MemoryMappedViewAccessor view, EventWaitHandle there, EventWaitHandle back) : IOperation
{
    private readonly byte[] _message = new byte[64];

    public readonly void Once()
    {
        _message.AsSpan().Fill(1);
        view.WriteArray(0, _message, 0, 64);
        there.Set();
        back.WaitOne();
        view.ReadArray(64, _message, 0, 64);
    }

    public static void Answer(MemoryMappedViewAccessor view, EventWaitHandle there, EventWaitHandle back)
    {
        byte[] message = new byte[64];
        while (true)
        {
            there.WaitOne();
            view.ReadArray(0, message, 0, 64);
            if (message[0] == 0)
            {
                return;
            }
            view.WriteArray(64, message, 0, 64);
            back.Set();
        }
    }
}
