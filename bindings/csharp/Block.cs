// SPDX-License-Identifier: MIT
// Access to mapped bytes, which regions and views have in common.

using System.Buffers;
using System.Runtime.InteropServices;
using static Winshm.NativeMethods;

namespace Winshm;

/// <summary>Mapped bytes that are shared with other processes.</summary>
/// <remarks>
/// <para>Access through spans and references costs nothing, and is not synchronised: hold the lock
/// where others may write.</para>
/// <para>Every member refuses a block that was disposed of. What cannot be guarded is a span, a
/// reference or an address that was taken before: use it only while the block is open and reachable,
/// which <c>using</c> sees to. A later access ends the process. <see cref="Memory"/> is checked
/// whenever it is turned into a span, and pinning it keeps the bytes mapped.</para>
/// <para>A region may grow: see <see cref="Region.Resize(long)"/>. What gives all bytes gives as many as there are at
/// that time. It stays valid when there are more, since the address never changes: to see them, ask again.</para>
/// </remarks>
public abstract unsafe class Block : IDisposable
{
    private readonly nint _native;
    private readonly bool _grows;

    // What is known to be there. A region that grows may have more.
    private long _size;

    // Frees what nobody has disposed of. It is also the gate of the fields for closing.
    private readonly SafeHandle _handle;
    private BlockMemory? _memory;

    // Null when there is nothing to access, so that one comparison guards the fast path.
    private byte* _readable;
    private byte* _writable;

    private readonly byte* _kept;
    private volatile State _state;
    private int _pins;
    private bool _freeing;
    private bool _again;
    private bool _freed;

    private enum State
    {
        Open,

        /// <summary>Whether it can be closed is not decided yet. Whoever asks waits for that.</summary>
        Closing,
        Disposed,
    }

    private protected Block(SafeHandle handle, void* data, ulong size, bool writable, bool grows)
    {
        _handle = handle;
        _native = handle.DangerousGetHandle();
        _readable = _kept = (byte*)data;
        _writable = writable ? _readable : null;
        _size = (long)size;
        _grows = grows;
        CanWrite = writable;
    }

    /// <summary>Bytes at present, exactly as asked for; a raw region has what the system tells.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    public long Size
    {
        get
        {
            ThrowIfDisposed();
            return Present;
        }
    }

    /// <summary>False if it was opened or mapped for reading only.</summary>
    public bool CanWrite { get; }

    /// <summary>The address of the first byte, or 0 for a region with <see cref="RegionFlags.NoMap"/>.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    public nint Address
    {
        get
        {
            ThrowIfDisposed();
            return (nint)_kept;
        }
    }

    /// <summary>All bytes that there are at present.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    /// <exception cref="NotSupportedException">It is read-only, or not mapped.</exception>
    /// <exception cref="InvalidOperationException">A span cannot be as long: see <see cref="AsSpan{T}"/>.</exception>
    public Span<byte> Span => AllAt(_writable, writes: true);

    /// <summary>All bytes that there are at present, to be read.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    /// <exception cref="NotSupportedException">It is not mapped.</exception>
    /// <exception cref="InvalidOperationException">
    /// A span cannot be as long: see <see cref="AsReadOnlySpan{T}"/>.</exception>
    public ReadOnlySpan<byte> ReadOnlySpan => AllAt(_readable, writes: false);

    /// <summary>All bytes that there are at present, in a form that may be kept and passed to asynchronous code.</summary>
    /// <inheritdoc cref="Span" path="/exception"/>
    public Memory<byte> Memory
    {
        get
        {
            At(0, 0, _writable, writes: true);
            return (_memory ??= new BlockMemory(this)).Memory;
        }
    }

    /// <summary>All bytes that there are at present, to be read, in a form that may be kept and passed to asynchronous
    /// code.</summary>
    /// <inheritdoc cref="ReadOnlySpan" path="/exception"/>
    public ReadOnlyMemory<byte> ReadOnlyMemory => (_memory ??= new BlockMemory(this)).Memory;

    /// <summary>The value at <paramref name="offset"/>, in place.</summary>
    /// <remarks>For <see cref="Volatile"/> and <see cref="Interlocked"/> the offset must be a multiple of
    /// the size. The structure must be laid out alike in all programs.</remarks>
    /// <param name="offset">Its first byte.</param>
    /// <exception cref="ArgumentException">The type has pointers, or no fixed layout.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Not all of it is inside.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    /// <exception cref="NotSupportedException">It is read-only, or not mapped.</exception>
    public ref T As<T>(long offset = 0)
        where T : unmanaged => ref *(T*)At(offset, Shareable<T>.Size, _writable, writes: true);

    /// <summary>The value at <paramref name="offset"/>, in place, to be read.</summary>
    /// <param name="offset">Its first byte.</param>
    /// <inheritdoc cref="ReadOnlySpan" path="/exception"/>
    /// <exception cref="ArgumentException">The type has pointers, or no fixed layout.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Not all of it is inside.</exception>
    public ref readonly T AsReadOnly<T>(long offset = 0)
        where T : unmanaged => ref *(T*)At(offset, Shareable<T>.Size, _readable, writes: false);

    /// <summary><paramref name="count"/> values from <paramref name="offset"/> on, in place.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="count">Values, not bytes.</param>
    /// <inheritdoc cref="As{T}" path="/exception"/>
    public Span<T> AsSpan<T>(long offset, int count)
        where T : unmanaged => new(At(offset, (long)count * Shareable<T>.Size, _writable, writes: true), count);

    /// <summary><paramref name="count"/> values from <paramref name="offset"/> on, in place, to be read.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="count">Values, not bytes.</param>
    /// <inheritdoc cref="AsReadOnly{T}" path="/exception"/>
    public ReadOnlySpan<T> AsReadOnlySpan<T>(long offset, int count)
        where T : unmanaged => new(At(offset, (long)count * Shareable<T>.Size, _readable, writes: false), count);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>The native handle. The library refuses it if another thread closes it meanwhile.</summary>
    private protected nint Native
    {
        get
        {
            ThrowIfDisposed();
            return _native;
        }
    }

    /// <summary>The native handle, for what is to be finished even after <see cref="Dispose"/>.</summary>
    private protected nint NativeOrStale => _native;

    /// <summary>Whether it was disposed of for good, which it is not while somebody tries to close it.</summary>
    private protected bool IsDisposed => _state == State.Disposed;

    /// <summary>Whether somebody has disposed of it or tries to close it.</summary>
    private protected bool IsLeaving => _state != State.Open;

    /// <summary>Whether it is still open when somebody who tries to close it has come to an end. Asks the library
    /// nothing, so that the message of the call before stays.</summary>
    private protected bool StaysOpen()
    {
        AwaitDecision();
        return _state != State.Disposed;
    }

    private protected void ThrowIfDisposed()
    {
        if (_state != State.Open)
        {
            AwaitDecision();
            ObjectDisposedException.ThrowIf(_state == State.Disposed, this);
        }
    }

    /// <summary>Throws if the call that has just been made failed.</summary>
    private protected void Check(int status)
    {
        // Without this the handle's finaliser might have closed it during the call.
        GC.KeepAlive(this);
        WinshmException.Check(status);
    }

    /// <summary>Frees the native handle; Busy if that cannot be done yet.</summary>
    private protected abstract int Free(nint native);

    /// <summary>Lets every member refuse from now on, whatever <see cref="TryFree"/> comes to.</summary>
    /// <returns>False if that was so before.</returns>
    private protected bool Retire()
    {
        lock (_handle)
        {
            if (_state == State.Disposed)
            {
                return false;
            }
            Leave(State.Disposed);
            return true;
        }
    }

    /// <summary>Frees the native handle, or leaves everything as it is. Members that are called meanwhile wait
    /// for the outcome. What is pinned is freed by the last one who unpins it.</summary>
    /// <returns>Busy if it stays open.</returns>
    private protected int TryClose()
    {
        for (;;)
        {
            AwaitDecision();
            lock (_handle)
            {
                if (_state == State.Disposed)
                {
                    return WINSHM_OK;
                }
                if (_state == State.Closing)
                {
                    continue;
                }
                if (_pins > 0)
                {
                    Leave(State.Disposed);
                    return WINSHM_OK;
                }
                Leave(State.Closing);
                _freeing = true;
            }
            return FreeNow();
        }
    }

    /// <summary>Frees the native handle of a block that is being left, unless memory is pinned or another
    /// thread is at it. Whoever removes what was in the way, a pin or a lock, calls this again.</summary>
    private protected void TryFree()
    {
        lock (_handle)
        {
            if (_state == State.Open || _freed || _pins > 0)
            {
                return;
            }
            if (_freeing)
            {
                // What the other thread has seen may be out of date.
                _again = true;
                return;
            }
            _freeing = true;
        }
        FreeNow();
    }

    private int FreeNow()
    {
        for (bool fenced = false; ; fenced = true)
        {
            int status = Free(_native);
            if (status == WINSHM_E_BUSY && !fenced)
            {
                // A plain store releases a lock. From here on whoever releases one sees that the block is
                // being left, or its lock is seen to be free.
                Interlocked.MemoryBarrierProcessWide();
                continue;
            }
            lock (_handle)
            {
                if (status != WINSHM_E_BUSY)
                {
                    _freed = true;
                    _state = State.Disposed;
                    _handle.SetHandleAsInvalid();
                }
                else if (_again)
                {
                    _again = false;
                    continue;
                }
                _freeing = false;
                if (_state == State.Closing)
                {
                    _readable = _kept;
                    _writable = CanWrite ? _kept : null;
                    _state = State.Open;
                }
                return status;
            }
        }
    }

    private void Leave(State state)
    {
        _state = state;
        _readable = _writable = null;
    }

    private void AwaitDecision()
    {
        SpinWait spin = default;
        while (_state == State.Closing)
        {
            spin.SpinOnce();
        }
    }

    private void Pin()
    {
        for (;;)
        {
            ThrowIfDisposed();
            lock (_handle)
            {
                if (_state == State.Open)
                {
                    // The address may be all that is left of the pin, so the finaliser waits for its end, too.
                    bool added = false;
                    _handle.DangerousAddRef(ref added);
                    _pins++;
                    return;
                }
            }
        }
    }

    private void Unpin()
    {
        lock (_handle)
        {
            _handle.DangerousRelease();
            _pins--;
        }
        TryFree();
    }

    /// <summary>Asks the library for the bytes that there are at present.</summary>
    private protected virtual long Measure() => _size;

    private long Present => _grows ? _size = Math.Max(_size, Measure()) : _size;

    private Span<byte> AllAt(byte* data, bool writes)
    {
        long size = Present;
        byte* first = At(0, size, data, writes);
        return size <= int.MaxValue
            ? new(first, (int)size)
            : throw new InvalidOperationException($"{size} bytes are too many for one span: take parts.");
    }

    private byte* At(long offset, long length, byte* data, bool writes)
    {
        if (data == null)
        {
            data = Access(writes);
        }
        if (((ulong)offset | (ulong)length) > long.MaxValue || length > _size - offset)
        {
            CheckGrown(offset, length);
        }
        return data + offset;
    }

    /// <summary>The first byte, or why there is none.</summary>
    private byte* Access(bool writes)
    {
        ThrowIfDisposed();
        if (_kept == null || (writes && !CanWrite))
        {
            throw new NotSupportedException(_kept == null
                ? "The region was opened with NoMap: map a part of it."
                : "It was opened for reading only.");
        }
        return _kept;
    }

    /// <summary>Throws unless the region has grown since its size was known.</summary>
    private void CheckGrown(long offset, long length)
    {
        long size = Present;
        if (((ulong)offset | (ulong)length) > long.MaxValue || length > size - offset)
        {
            throw new ArgumentOutOfRangeException(nameof(offset),
                $"{length} bytes at offset {offset} are not inside the {size} bytes.");
        }
    }

    private sealed class BlockMemory(Block block) : MemoryManager<byte>
    {
        // Whether it may be written is decided where the Memory or ReadOnlyMemory is handed out.
        public override Span<byte> GetSpan() => block.AllAt(block._readable, writes: false);

        public override MemoryHandle Pin(int elementIndex = 0)
        {
            block.Pin();
            try
            {
                return new MemoryHandle(block.At(elementIndex, 0, block._kept, writes: false), default, new BlockPin(block));
            }
            catch
            {
                block.Unpin();
                throw;
            }
        }

        // Which of the pins is meant only its handle can tell.
        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }

    /// <summary>What the copies of a <see cref="MemoryHandle"/> have in common: one pin, which ends once.</summary>
    private sealed class BlockPin(Block block) : IPinnable
    {
        private int _ended;

        public MemoryHandle Pin(int elementIndex) => block._memory!.Pin(elementIndex);

        public void Unpin()
        {
            if (Interlocked.Exchange(ref _ended, 1) == 0)
            {
                block.Unpin();
            }
        }
    }
}
