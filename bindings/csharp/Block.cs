// SPDX-License-Identifier: MIT
// Access to mapped bytes, which regions and views have in common.

using System.Buffers;
using System.Diagnostics.CodeAnalysis;
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
/// </remarks>
public abstract unsafe class Block : IDisposable
{
    private readonly long _size;
    private readonly nint _native;

    // Frees what nobody has disposed of. It is also the gate of the fields for closing.
    private readonly SafeHandle _handle;
    private BlockMemory? _memory;

    // Null when there is nothing to access, so that one comparison guards the fast path.
    private byte* _readable;
    private byte* _writable;

    private volatile bool _disposed;
    private byte* _kept;
    private int _pins;
    private bool _final;
    private bool _freeing;
    private bool _again;
    private bool _freed;

    private protected Block(SafeHandle handle, void* data, ulong size, bool writable)
    {
        _handle = handle;
        _native = handle.DangerousGetHandle();
        _readable = _kept = (byte*)data;
        _writable = writable ? _readable : null;
        _size = (long)size;
        CanWrite = writable;
    }

    /// <summary>Bytes, exactly as asked for; a raw region has what the system tells.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    public long Size
    {
        get
        {
            ThrowIfDisposed();
            return _size;
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
            return (nint)_readable;
        }
    }

    /// <summary>All bytes.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    /// <exception cref="NotSupportedException">It is read-only, or not mapped.</exception>
    /// <exception cref="InvalidOperationException">A span cannot be as long: see <see cref="AsSpan{T}"/>.</exception>
    public Span<byte> Span => new(At(0, _size, _writable), SpanLength);

    /// <summary>All bytes, to be read.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    /// <exception cref="NotSupportedException">It is not mapped.</exception>
    /// <exception cref="InvalidOperationException">
    /// A span cannot be as long: see <see cref="AsReadOnlySpan{T}"/>.</exception>
    public ReadOnlySpan<byte> ReadOnlySpan => new(At(0, _size, _readable), SpanLength);

    /// <summary>All bytes, in a form that may be kept and passed to asynchronous code.</summary>
    /// <inheritdoc cref="Span" path="/exception"/>
    public Memory<byte> Memory
    {
        get
        {
            At(0, _size, _writable);
            return (_memory ??= new BlockMemory(this)).Memory;
        }
    }

    /// <summary>All bytes to be read, in a form that may be kept and passed to asynchronous code.</summary>
    /// <inheritdoc cref="ReadOnlySpan" path="/exception"/>
    public ReadOnlyMemory<byte> ReadOnlyMemory => (_memory ??= new BlockMemory(this)).Memory;

    /// <summary>The value at <paramref name="offset"/>, in place.</summary>
    /// <remarks>For <see cref="Volatile"/> and <see cref="Interlocked"/> the offset must be a multiple of
    /// the size. The structure must be laid out alike in all programs.</remarks>
    /// <param name="offset">Its first byte.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not all of it is inside.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    /// <exception cref="NotSupportedException">It is read-only, or not mapped.</exception>
    public ref T As<T>(long offset)
        where T : unmanaged => ref *(T*)At(offset, sizeof(T), _writable);

    /// <summary>The value at <paramref name="offset"/>, in place, to be read.</summary>
    /// <param name="offset">Its first byte.</param>
    /// <inheritdoc cref="ReadOnlySpan" path="/exception"/>
    /// <exception cref="ArgumentOutOfRangeException">Not all of it is inside.</exception>
    public ref readonly T AsReadOnly<T>(long offset)
        where T : unmanaged => ref *(T*)At(offset, sizeof(T), _readable);

    /// <summary><paramref name="count"/> values from <paramref name="offset"/> on, in place.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="count">Values, not bytes.</param>
    /// <inheritdoc cref="As{T}" path="/exception"/>
    public Span<T> AsSpan<T>(long offset, int count)
        where T : unmanaged => new(At(offset, (long)count * sizeof(T), _writable), count);

    /// <summary><paramref name="count"/> values from <paramref name="offset"/> on, in place, to be read.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="count">Values, not bytes.</param>
    /// <inheritdoc cref="AsReadOnly{T}" path="/exception"/>
    public ReadOnlySpan<T> AsReadOnlySpan<T>(long offset, int count)
        where T : unmanaged => new(At(offset, (long)count * sizeof(T), _readable), count);

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

    private protected bool IsDisposed => _disposed;

    private protected void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, this);

    /// <summary>Throws if the call that has just been made failed.</summary>
    private protected void Check(int status)
    {
        // Without this the handle's finaliser might have closed it during the call.
        GC.KeepAlive(this);
        WinshmException.Check(status);
    }

    /// <summary>Frees the native handle; Busy if that cannot be done yet.</summary>
    private protected abstract int Free(nint native);

    /// <summary>Lets every member refuse from now on.</summary>
    /// <param name="final">Whatever <see cref="TryFree"/> comes to.</param>
    /// <returns>False if that was so before.</returns>
    private protected bool Retire(bool final)
    {
        lock (_handle)
        {
            _final |= final;
            if (_disposed)
            {
                return false;
            }
            _disposed = true;
            _readable = _writable = null;
            return true;
        }
    }

    /// <summary>Frees the native handle of a retired block, unless memory is pinned or another thread is
    /// at it. Whoever removes what was in the way, a pin or a lock, calls this again.</summary>
    /// <returns>Busy if it is still open; then it is as before <see cref="Retire"/>, unless that was final.</returns>
    private protected int TryFree()
    {
        lock (_handle)
        {
            if (!_disposed || _freed)
            {
                return WINSHM_OK;
            }
            if (_pins > 0)
            {
                _final = true;
                return WINSHM_OK;
            }
            if (_freeing)
            {
                // What the other thread has seen may be out of date.
                _again = true;
                return WINSHM_OK;
            }
            _freeing = true;
        }
        for (bool fenced = false; ; fenced = true)
        {
            int status = Free(_native);
            if (status == WINSHM_E_BUSY && !fenced)
            {
                // A plain store releases a lock. From here on whoever releases one sees that the block was
                // retired, or its lock is seen to be free.
                Interlocked.MemoryBarrierProcessWide();
                continue;
            }
            lock (_handle)
            {
                if (status != WINSHM_E_BUSY)
                {
                    _freed = true;
                    _handle.SetHandleAsInvalid();
                }
                else if (_again)
                {
                    _again = false;
                    continue;
                }
                _freeing = false;
                if (status == WINSHM_E_BUSY && !_final)
                {
                    _readable = _kept;
                    _writable = CanWrite ? _kept : null;
                    _disposed = false;
                }
                return status;
            }
        }
    }

    private void Pin()
    {
        lock (_handle)
        {
            ThrowIfDisposed();
            // The address may be all that is left of the pin, so the finaliser waits for its end, too.
            bool added = false;
            _handle.DangerousAddRef(ref added);
            _pins++;
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

    private int SpanLength => _size <= int.MaxValue
        ? (int)_size
        : throw new InvalidOperationException($"{_size} bytes are too many for one span: take parts.");

    private byte* At(long offset, long length, byte* data)
    {
        if (data == null)
        {
            ThrowInaccessible();
        }
        if (((ulong)offset | (ulong)length) > long.MaxValue || length > _size - offset)
        {
            ThrowOutside(offset, length);
        }
        return data + offset;
    }

    [DoesNotReturn]
    private void ThrowInaccessible()
    {
        ThrowIfDisposed();
        throw new NotSupportedException(_readable == null
            ? "The region was opened with NoMap: map a part of it."
            : "It was opened for reading only.");
    }

    [DoesNotReturn]
    private void ThrowOutside(long offset, long length) =>
        throw new ArgumentOutOfRangeException(nameof(offset),
            $"{length} bytes at offset {offset} are not inside the {_size} bytes.");

    private sealed class BlockMemory(Block block) : MemoryManager<byte>
    {
        // Whether it may be written is decided where the Memory or ReadOnlyMemory is handed out.
        public override Span<byte> GetSpan() => new(block.At(0, block._size, block._readable), block.SpanLength);

        public override MemoryHandle Pin(int elementIndex = 0)
        {
            block.Pin();
            try
            {
                return new MemoryHandle(block.At(elementIndex, 0, block._kept), default, this);
            }
            catch
            {
                block.Unpin();
                throw;
            }
        }

        public override void Unpin() => block.Unpin();

        protected override void Dispose(bool disposing)
        {
        }
    }
}
