// SPDX-License-Identifier: MIT
// Ten structures that every language describes with the same words.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Winshm.Interop;

#pragma warning disable CS0169, CS0649 // Only the types matter.
#pragma warning disable IDE1006 // The names are the same in all languages.

internal struct S1
{
    public uint score;
    public byte lives;
    public bool ready;
    public double ratio;
}

internal struct S2
{
    public byte a;
    public sbyte b;
    public ushort c;
    public short d;
    public uint e;
    public int f;
    public ulong g;
    public long h;
    public float i;
    public double j;
    public bool k;
}

internal struct Box
{
    public uint full;
    public uint length;
}

internal struct S3
{
    public byte tag;

    [Nested(typeof(Box))]
    public Box box;
}

[InlineArray(3)]
internal struct Boxes
{
    [Nested(typeof(Box))]
    private Box _first;
}

internal struct S4
{
    public uint score;

    [Nested(typeof(Boxes))]
    public Boxes boxes;
}

internal unsafe struct S5
{
    public fixed ushort ids[5];
    public fixed double values[2];
}

internal unsafe struct S6
{
    [Utf8]
    public fixed byte name[16];
    public uint id;

    [Utf8]
    public fixed byte note[7];
}

internal struct S7
{
    public uint a;
    public long b;
    public byte c;
    public double d;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct S8
{
    public byte a;
    public uint b;
    public ushort c;
    public ulong d;
}

[StructLayout(LayoutKind.Explicit)]
internal unsafe struct S9
{
    [FieldOffset(0)]
    public uint word;

    [FieldOffset(0)]
    public float real;

    [FieldOffset(0)]
    public fixed ushort halves[2];
}

internal struct Inner
{
    public short x;
    public short y;
}

[InlineArray(2)]
internal struct Inners
{
    [Nested(typeof(Inner))]
    private Inner _first;
}

internal unsafe struct Outer
{
    [Nested(typeof(Box))]
    public Box box;
    public fixed byte flags[3];

    [Nested(typeof(Inners))]
    public Inners inner;
}

[InlineArray(2)]
internal struct Outers
{
    [Nested(typeof(Outer))]
    private Outer _first;
}

internal unsafe struct S10
{
    [Nested(typeof(Outers))]
    public Outers items;
    public fixed char title[8];
}

internal static class Layouts
{
    /// <summary>Each name with its text.</summary>
    public static IEnumerable<string> Lines =>
    [
        $"S1: {RegionLayout.Of<S1>()}",
        $"S2: {RegionLayout.Of<S2>()}",
        $"S3: {RegionLayout.Of<S3>()}",
        $"S4: {RegionLayout.Of<S4>()}",
        $"S5: {RegionLayout.Of<S5>()}",
        $"S6: {RegionLayout.Of<S6>()}",
        $"S7: {RegionLayout.Of<S7>()}",
        $"S8: {RegionLayout.Of<S8>()}",
        $"S9: {RegionLayout.Of<S9>()}",
        $"S10: {RegionLayout.Of<S10>()}",
    ];
}
