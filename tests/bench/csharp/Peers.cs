// What .NET itself has.

using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

internal struct MutexPair(Mutex mutex) : IOperation
{
    public readonly void Once()
    {
        mutex.WaitOne();
        mutex.ReleaseMutex();
    }
}

/// <summary>The library as a program calls it that has only P/Invoke.</summary>
internal unsafe struct BareNotify : IOperation
{
    private readonly delegate* unmanaged[Cdecl]<nint, int> _notify;
    private readonly delegate* unmanaged[Cdecl]<nint, int> _close;
    private readonly nint _region;

    public BareNotify(string name, ulong size)
    {
        nint library = NativeLibrary.Load(Environment.GetEnvironmentVariable("WINSHM_LIBRARY")!);
        var create = (delegate* unmanaged[Cdecl]<byte*, ulong, uint, nint*, int>)
            NativeLibrary.GetExport(library, "winshm_create");
        _notify = (delegate* unmanaged[Cdecl]<nint, int>)NativeLibrary.GetExport(library, "winshm_notify");
        _close = (delegate* unmanaged[Cdecl]<nint, int>)NativeLibrary.GetExport(library, "winshm_close");
        byte* utf8 = (byte*)Marshal.StringToCoTaskMemUTF8(name);
        nint region;
        Require(create(utf8, size, 0, &region));
        Marshal.FreeCoTaskMem((nint)utf8);
        _region = region;
    }

    public readonly void Once() => Require(_notify(_region));

    public readonly void Close() => Require(_close(_region));

    private static void Require(int status)
    {
        if (status != 0)
        {
            throw new InvalidOperationException($"status {status}");
        }
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
