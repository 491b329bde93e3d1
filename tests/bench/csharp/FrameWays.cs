// Frames through winshm, as its example has it and as one would begin, and through what .NET has.

using System.IO.MemoryMappedFiles;
using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;
using NetMQ;
using NetMQ.Sockets;
using Winshm;

/// <summary>The example.</summary>
internal sealed class Boxes(Job job) : Way(job)
{
    private FrameGiver? _giver;
    private FrameTaker? _taker;

    public override string Make()
    {
        _giver = new FrameGiver(Job.Name, Job.Bytes, Job.Boxes);
        return Job.Name;
    }

    public override void Meet()
    {
        while (_giver!.Takers() < Job.Consumers)
        {
            Thread.Sleep(1);
        }
    }

    public override void Give(byte[] frame)
    {
        frame.CopyTo(_giver!.Room());
        _giver.Give();
    }

    public override void End()
    {
        _giver!.End();
        _giver.Dispose();
    }

    public override void Join() => _taker = FrameTaker.Open(Job.Name);

    public override ReadOnlySpan<byte> Take()
    {
        _taker!.Next(out ReadOnlySpan<byte> frame);
        return frame;
    }

    public override void Taken() => _taker!.Done();

    public override void Leave() => _taker!.Dispose();
}

/// <summary>One frame, which all copy under the lock. Before it there are numbers: of frames given, and of
/// those that each consumer has taken.</summary>
internal sealed class Locked(Job job) : Way(job)
{
    private readonly byte[] _frame = new byte[job.Bytes];
    private Region? _region;
    private ulong _count;

    public override string Make()
    {
        _region = Region.Create(Job.Name, Job.Page + Job.Bytes);
        return Job.Name;
    }

    private void AllTaken()
    {
        Span<ulong> taken = stackalloc ulong[Job.Consumers];
        while (true)
        {
            uint seen = _region!.ChangeCount;
            _region.Read(8, System.Runtime.InteropServices.MemoryMarshal.AsBytes(taken));
            if (!taken.ContainsAnyExcept(_count))
            {
                return;
            }
            _region.Wait(seen);
        }
    }

    public override void Give(byte[] frame)
    {
        AllTaken();
        using (_region!.Lock())
        {
            _region.Write(Job.Page, frame);
            _region.Write(0, ++_count);
        }
    }

    public override void End()
    {
        AllTaken();
        _region!.Dispose();
    }

    public override void Join() => _region = Region.Open(Job.Name);

    public override ReadOnlySpan<byte> Take()
    {
        while (true)
        {
            uint seen = _region!.ChangeCount;
            if (_region.Read<ulong>() != _count)
            {
                break;
            }
            _region.Wait(seen);
        }
        _region.Read(Job.Page, _frame);
        _region.Write(8 + 8 * Job.Number, ++_count);
        return _frame;
    }

    public override void Leave() => _region!.Dispose();
}

internal abstract class Streams(Job job) : Way(job)
{
    private readonly byte[] _frame = new byte[job.Bytes];

    protected List<Stream> All { get; } = [];

    public override void Give(byte[] frame)
    {
        foreach (Stream stream in All)
        {
            stream.Write(frame);
        }
    }

    public override ReadOnlySpan<byte> Take()
    {
        All[0].ReadExactly(_frame);
        return _frame;
    }

    public override void Leave() => All[0].Dispose();
}

internal abstract class Sockets(Job job) : Streams(job)
{
    private Socket? _listener;

    protected abstract Socket Open(out EndPoint end);

    public override string Make()
    {
        _listener = Open(out EndPoint end);
        _listener.Bind(end);
        _listener.Listen(Job.MostConsumers);
        return _listener.LocalEndPoint is IPEndPoint bound ? $"{bound.Port}" : Job.Name;
    }

    public override void Meet()
    {
        for (int i = 0; i < Job.Consumers; i++)
        {
            Socket socket = _listener!.Accept();
            if (socket.ProtocolType == ProtocolType.Tcp)
            {
                socket.NoDelay = true;
            }
            All.Add(new NetworkStream(socket, ownsSocket: true));
        }
        _listener!.Dispose();
    }

    public override void End()
    {
        foreach (Stream stream in All)
        {
            // Until the consumer has closed its end.
            stream.ReadByte();
            stream.Dispose();
        }
    }

    public override void Join()
    {
        Socket socket = Open(out EndPoint end);
        socket.Connect(end);
        All.Add(new NetworkStream(socket, ownsSocket: true));
    }
}

internal sealed class Tcp(Job job) : Sockets(job)
{
    protected override Socket Open(out EndPoint end)
    {
        end = new IPEndPoint(IPAddress.Loopback, int.TryParse(Job.Name, out int port) ? port : 0);
        return new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    }
}

internal sealed class UnixSockets(Job job) : Sockets(job)
{
    protected override Socket Open(out EndPoint end)
    {
        // In the abstract name space, so that nothing is left behind.
        end = new UnixDomainSocketEndPoint($"\0{Job.Name}");
        return new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    }
}

internal sealed class Pipes(Job job) : Streams(job)
{
    private const int Buffer = 65536;

    public override string Make()
    {
        for (int i = 0; i < Job.Consumers; i++)
        {
            All.Add(new NamedPipeServerStream(Job.Name, PipeDirection.Out, Job.MostConsumers,
                PipeTransmissionMode.Byte, PipeOptions.None, Buffer, Buffer));
        }
        return Job.Name;
    }

    public override void Meet()
    {
        foreach (Stream stream in All)
        {
            ((NamedPipeServerStream)stream).WaitForConnection();
        }
    }

    public override void End()
    {
        foreach (Stream stream in All)
        {
            if (OperatingSystem.IsWindows())
            {
                ((NamedPipeServerStream)stream).WaitForPipeDrain();
            }
            stream.Dispose();
        }
    }

    public override void Join()
    {
        NamedPipeClientStream stream = new(".", Job.Name, PipeDirection.In);
        stream.Connect();
        All.Add(stream);
    }
}

/// <summary>A queue for each consumer, since none may lose a frame. NetMQ has no faster transport.</summary>
internal sealed class Zmq(Job job) : Way(job)
{
    // Sockets that close take along what a receiver with a full queue has not read yet. So those of a producer
    // stay until it makes the next ones, when all has been taken.
    private static readonly List<PushSocket> Pushes = [];
    private PullSocket? _pull;
    private Msg _message;

    public override string Make()
    {
        List<string> addresses = [];
        Pushes.ForEach(push => push.Dispose());
        Pushes.Clear();
        for (int i = 0; i < Job.Consumers; i++)
        {
            PushSocket push = new();
            push.Options.SendHighWatermark = Job.Boxes;
            addresses.Add($"tcp://127.0.0.1:{push.BindRandomPort("tcp://127.0.0.1")}");
            Pushes.Add(push);
        }
        return string.Join(',', addresses);
    }

    public override void Give(byte[] frame)
    {
        foreach (PushSocket push in Pushes)
        {
            Msg message = default;
            message.InitPool(frame.Length);
            frame.CopyTo(message.Slice());
            push.Send(ref message, more: false);
            message.Close();
        }
    }

    public override void Join()
    {
        _pull = new PullSocket();
        _pull.Options.ReceiveHighWatermark = Job.Boxes;
        _pull.Connect(Job.Name.Split(',')[Job.Number]);
    }

    public override ReadOnlySpan<byte> Take()
    {
        _message.InitEmpty();
        _pull!.Receive(ref _message);
        return _message.Slice();
    }

    public override void Taken() => _message.Close();

    public override void Leave() => _pull!.Dispose();
}

/// <summary>One frame in a named map, an event for each consumer, and one back. Windows only.</summary>
internal sealed class Events(Job job) : Way(job)
{
    private readonly byte[] _frame = new byte[job.Bytes];
    private readonly List<EventWaitHandle> _given = [];
    private readonly List<EventWaitHandle> _taken = [];
    private MemoryMappedFile? _map;
    private MemoryMappedViewAccessor? _view;
    private bool _first = true;

    private void Open(int consumer)
    {
        _given.Add(new EventWaitHandle(false, EventResetMode.AutoReset, $"{Job.Name}-given-{consumer}"));
        _taken.Add(new EventWaitHandle(false, EventResetMode.AutoReset, $"{Job.Name}-taken-{consumer}"));
        _map ??= MemoryMappedFile.CreateOrOpen(Job.Name, Job.Bytes);
        _view ??= _map.CreateViewAccessor();
    }

    public override string Make()
    {
        for (int i = 0; i < Job.Consumers; i++)
        {
            Open(i);
        }
        return Job.Name;
    }

    private void AllTaken()
    {
        if (!_first)
        {
            _taken.ForEach(each => each.WaitOne());
        }
        _first = false;
    }

    public override void Give(byte[] frame)
    {
        AllTaken();
        _view!.WriteArray(0, frame, 0, frame.Length);
        _given.ForEach(each => each.Set());
    }

    public override void End()
    {
        AllTaken();
        Leave();
    }

    public override void Join() => Open(Job.Number);

    public override ReadOnlySpan<byte> Take()
    {
        _given[0].WaitOne();
        _view!.ReadArray(0, _frame, 0, _frame.Length);
        _taken[0].Set();
        return _frame;
    }

    public override void Leave()
    {
        _view!.Dispose();
        _map!.Dispose();
        _given.ForEach(each => each.Dispose());
        _taken.ForEach(each => each.Dispose());
    }
}
