// SPDX-License-Identifier: MIT
// Saving a region in a file and loading it.

using System.Runtime.CompilerServices;
using static Winshm.NativeMethods;

namespace Winshm;

public unsafe partial class Region
{
    /// <inheritdoc cref="Save(string, TimeSpan)"/>
    public void Save(string path) => Save(path, Timeout.InfiniteTimeSpan);

    /// <summary>Saves a consistent copy of the region in a file.</summary>
    /// <remarks>
    /// <para>Whatever happens, the file is the old one or the new one, and whole. It has the layout, too. The lock is
    /// taken shared for the copy, unless this thread holds it already; then others who save there are waited for.</para>
    /// <para>With <see cref="RegionFlags.Task"/> the lock is no thread's: whoever holds it releases it before. Here one
    /// who has it from <see cref="Lock()"/> is refused, and a task would wait for itself.</para>
    /// </remarks>
    /// <param name="path">The file. Beside it there is one with <c>.winshm-part</c> appended meanwhile.</param>
    /// <param name="timeout">How long to wait for the lock and for others who save there.</param>
    /// <exception cref="ArgumentException">The path is empty or too long.</exception>
    /// <exception cref="TimeoutException">The lock or the file was not free in time.</exception>
    /// <exception cref="OwnerDeadException">The data are not repaired; nothing is saved.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write there.</exception>
    /// <exception cref="RegionNotFoundException">The region of one who may only observe has ended.</exception>
    /// <exception cref="RegionMismatchException">Size: more than the file system takes as one file.</exception>
    /// <exception cref="WinshmException">Deadlock: with Task, this thread has the lock by Lock(). Kind: the path leads to
    /// a folder or the like. System: a full disk, no such folder, or else; see the message. NoMemory, Fault.</exception>
    public void Save(string path, TimeSpan timeout) => Carry(&winshm_save, path, timeout);

    /// <inheritdoc cref="Load(string, TimeSpan)"/>
    public void Load(string path) => Load(path, Timeout.InfiniteTimeSpan);

    /// <summary>Replaces the region's bytes by a saved copy, and notifies those who wait for a change.</summary>
    /// <remarks>
    /// <para>The file is checked wholly before a byte changes. The lock is taken exclusively, unless this thread holds it
    /// so; with <see cref="RegionFlags.Task"/> it is as for <see cref="Save(string, TimeSpan)"/>. The region grows as far
    /// as it has room. What it has beyond the copy becomes zero.</para>
    /// <para>Loading repairs: if an owner has died in its section, the data are whole again afterwards. If this process
    /// dies meanwhile, or the file is changed, it is as if an owner had died.</para>
    /// </remarks>
    /// <param name="path">The file.</param>
    /// <param name="timeout">How long to wait for the lock.</param>
    /// <exception cref="ArgumentException">The path is empty or too long.</exception>
    /// <exception cref="RegionNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no saved region, was cut short or changed, or has a newer
    /// format.</exception>
    /// <exception cref="RegionMismatchException">Size: more bytes than the region has room for, or fewer than it was
    /// created with. Tag: another layout or layout tag.</exception>
    /// <exception cref="TimeoutException">The lock was not free in time.</exception>
    /// <exception cref="UnauthorizedAccessException">The region is read-only, or this user may not read the
    /// file.</exception>
    /// <exception cref="WinshmException">Deadlock: this thread holds the lock shared, or with Task by Lock(). Kind: the
    /// path leads to a folder or the like. NoMemory, System, Fault: see the message.</exception>
    public void Load(string path, TimeSpan timeout) => Carry(&winshm_load, path, timeout);

    private void Carry(delegate*<nint, byte*, uint, int> call, string path, TimeSpan timeout,
        [CallerMemberName] string name = "")
    {
        if (_tasks && (_filling || _holder == Environment.CurrentManagedThreadId))
        {
            throw WinshmException.Make(WinshmStatus.Deadlock,
                $"Region.{name}() '{Name}': with RegionFlags.Task the lock is the object's, and this call would wait for the " +
                "one that it has", "Release the lock before, and load what is new after it was opened.");
        }
        uint milliseconds = Milliseconds(timeout);
        Remaining left = new(milliseconds);
        fixed (byte* utf8 = Encode(path))
        {
            int status = call(Native, utf8, milliseconds);
            while (GoesOn(status))
            {
                status = call(Native, utf8, left.Milliseconds);
            }
            Check(status);
        }
    }
}
