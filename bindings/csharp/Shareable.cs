// SPDX-License-Identifier: MIT
// Which structures mean the same in every process.

using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Winshm;

/// <summary>A type whose values may lie in shared memory, which is found out once.</summary>
internal static unsafe class Shareable<T>
    where T : unmanaged
{
    private static readonly string? s_refusal = Shareable.Refusal(typeof(T), typeof(T).Name, alone: true);

    /// <summary>Tells why it cannot be shared, or null if it can.</summary>
    public static string? Refusal => s_refusal;

    /// <summary>Bytes.</summary>
    /// <exception cref="ArgumentException">It has pointers, or no fixed layout.</exception>
    public static int Size
    {
        get
        {
            if (s_refusal is not null)
            {
                Refuse();
            }
            return sizeof(T);
        }
    }

    // Apart, so that the rest is inlined and costs nothing.
    [DoesNotReturn]
    private static void Refuse() => throw new ArgumentException(s_refusal, nameof(T));
}

internal static class Shareable
{
    /// <summary>Tells why a type cannot be shared, or null if it can.</summary>
    /// <param name="type">A type without references.</param>
    /// <param name="path">Where it is.</param>
    /// <param name="alone">Whether nothing lies beside it, so that it has one place wherever the runtime would
    /// rather have it.</param>
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "What was trimmed away is not refused.")]
    public static string? Refusal(Type type, string path, bool alone)
    {
        string? sort = type.IsPointer || type.IsFunctionPointer ? "a pointer"
            : type == typeof(nint) || type == typeof(nuint) ? "as wide as a pointer"
            : type == typeof(GCHandle) ? "a GCHandle"
            : null;
        if (sort is not null)
        {
            return $"{path} is {sort}, which means nothing to another process: share an offset into the region, or a " +
                "number of a fixed width such as long.";
        }
        if (type.IsPrimitive || type.IsEnum)
        {
            return null;
        }
        FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        alone &= fields.Length < 2 || type.IsExplicitLayout;
        if (type.IsAutoLayout && !alone)
        {
            return $"{path} is laid out as the runtime likes (LayoutKind.Auto), as are all tuples and dates: share a struct " +
                "of your own with numbers in it.";
        }
        foreach (FieldInfo field in fields)
        {
            if (Refusal(field.FieldType, $"{path}.{field.Name}", alone) is string refusal)
            {
                return refusal;
            }
        }
        return null;
    }
}
