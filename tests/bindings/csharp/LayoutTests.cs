// SPDX-License-Identifier: MIT
// The words for structures, against what lies where in memory.

using System.Numerics;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;
using Winshm.Interop;
using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public class LayoutTests
{
#pragma warning disable CS0649, CS0169 // Only the types matter.
    private enum Sort : ushort
    {
        One,
    }

    private record struct Player(int Score, Sort Sort)
    {
        public bool IsReady { get; set; }
        private readonly char _letter;
    }

    private struct Known
    {
        public byte A;
        public Guid Id;
        public byte B;
        public decimal Money;
        public byte C;
        public Int128 Big;
        public byte D;
        public UInt128 Bigger;
        public byte E;
        public TimeSpan Time;
        public byte F;
        public TimeOnly Hour;
        public byte G;
        public DateOnly Day;
        public byte H;
        public Half Half;
        public byte I;
        public Rune Rune;
        public byte J;
        public int? Maybe;
        public byte K;
        public Vector3 Place;
    }

    [InlineArray(2)]
    private struct Row
    {
        private int _cell;
    }

    [InlineArray(3)]
    private struct Grid
    {
        private Row _row;
    }

    private struct Board
    {
        public byte A;
        public Grid Cells;
        public byte B;
    }

    [InlineArray(5)]
    private struct Text5
    {
        [Utf8]
        private byte _first;
    }

    private struct Texts
    {
        [Utf8]
        public byte One;
        public Text5 Five;

        [field: Utf8]
        public byte Property { get; set; }
    }

    [StructLayout(LayoutKind.Explicit)]
    private struct Placed
    {
        [FieldOffset(3)]
        public long Long;

        [FieldOffset(2)]
        public byte Byte;

        [FieldOffset(12)]
        public int Int;
    }

    [StructLayout(LayoutKind.Explicit, Size = 21)]
    private struct PlacedInMore
    {
        [FieldOffset(2)]
        public byte Byte;

        [FieldOffset(8)]
        public long Long;
    }

    [StructLayout(LayoutKind.Sequential, Size = 13)]
    private struct Longer
    {
        public int Int;
        public byte Byte;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 2)]
    private struct Tight
    {
        public byte A;
        public long B;
        public byte C;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1, Size = 64)]
    private struct Padded
    {
        public byte A;
        public Tight B;
    }

    private struct Around
    {
        public byte A;
        public Placed Placed;
        public byte B;
        public PlacedInMore More;
        public byte C;
        public Longer Longer;
        public byte D;
        public Tight Tight;
        public byte E;
        public Padded Padded;
        public byte F;
    }

    private struct Outer<T>
        where T : unmanaged
    {
        public byte Byte;
        public T Inner;
        public byte Last;
    }

    private struct Umlaut
    {
        public int Größe;
    }

    private struct Empty
    {
    }

    private struct Misplaced
    {
        [Utf8]
        public int Number;
    }

    private struct Mistaken
    {
        [Nested(typeof(Row))]
        public Longer Longer;
    }

    private struct Twins
    {
        public int MaxSpeed;
        public int max_speed;
    }

    // Each has the size that it would have if vectors were aligned as their halves are.
    [StructLayout(LayoutKind.Sequential, Size = 48)]
    private struct Vectors
    {
        public long Number;
        public Vector128<float> Vector;
    }

    private struct MoreVectors
    {
        public long Number;
        public Vector128<float> Vector;
        public Int128 Big;
    }

    [StructLayout(LayoutKind.Sequential, Size = 48, Pack = 8)]
    private struct Sized
    {
        public long Number;
        public Int128 Big;
    }
#pragma warning restore CS0649, CS0169

    [Fact]
    public void TheTenStructuresReadAsInAllLanguages()
    {
        using StreamReader expected = new(typeof(LayoutTests).Assembly.GetManifestResourceStream("layouts.txt")!);
        Assert.Equal(expected.ReadToEnd().ReplaceLineEndings("\n").TrimEnd('\n').Split('\n'), Layouts.Lines);
    }

    [Fact]
    public void FieldsAreWhereTheTextSays()
    {
        LiesAsDescribed<S1>();
        LiesAsDescribed<S2>();
        LiesAsDescribed<S3>();
        LiesAsDescribed<S4>();
        LiesAsDescribed<S5>();
        LiesAsDescribed<S6>();
        LiesAsDescribed<S7>();
        LiesAsDescribed<S8>();
        LiesAsDescribed<S9>();
        LiesAsDescribed<S10>();
        LiesAsDescribed<Player>();
        LiesAsDescribed<Known>();
        LiesAsDescribed<Board>();
        LiesAsDescribed<Texts>();
        LiesAsDescribed<Around>();
        LiesAsDescribed<Outer<Around>>();
        LiesAsDescribed<Outer<Outer<S8>>>();
        LiesAsDescribed<Outer<bool>>();
    }

    [Fact]
    public void NamesAndKindsAreThoseOfTheSource()
    {
        Assert.Equal("Score:i32@0; Sort:u16@4; IsReady:bool@6; _letter:char16@8; size 12", RegionLayout.Of<Player>());
        Assert.Equal("One:char@0; Five:char[5]@1; Property:char@6; size 7", RegionLayout.Of<Texts>());
        Assert.Equal("A:u8@0; Cells:{_row:i32[2]@0; size 8}[3]@4; B:u8@28; size 32", RegionLayout.Of<Board>());
        Assert.Equal("_row:{_row:i32[2]@0; size 8}[3]@0; size 24", RegionLayout.Of<Grid>());
        Assert.StartsWith("A:u8@0; Id:u8[16]@4; B:u8@20; Money:u8[16]@24; C:u8@40; Big:u8[16]@48; ", RegionLayout.Of<Known>());
        Assert.Contains("Time:i64@", RegionLayout.Of<Known>());
        Assert.Equal("Long:i64@3; Byte:u8@2; Int:i32@12; size 16", RegionLayout.Of<Placed>());
    }

    [Fact]
    public void NumbersHaveNoFields()
    {
        Assert.Null(RegionLayout.Of<long>());
        Assert.Null(RegionLayout.Of<Sort>());
        Assert.Null(RegionLayout.Of<Guid>());
    }

    [Fact]
    public void WhatOtherLanguagesCannotHaveIsRefused()
    {
        Refused<Umlaut>("Umlaut.Größe has a name that other languages do not have");
        Refused<Outer<Umlaut>>("Outer`1.Inner.Größe has a name that");
        Refused<Empty>("Empty has no fields");
        Refused<Misplaced>("Misplaced.Number is marked with [Utf8], which is for bytes, but is i32");
        Refused<Mistaken>("Mistaken.Longer is marked with [Nested(typeof(Row))], but is a Longer");
        Refused<Twins>("Twins.max_speed has the name of a field before it");
        Refused<Vectors>("Vectors.Vector is a Vector128`1, the place of which depends on the processor");
        Refused<MoreVectors>("MoreVectors.Vector is a Vector128`1");
        Refused<Vector<byte>>("Vector`1 is a Vector`1");
        Refused<Sized>("Sized has a Size and numbers of 128 bits");
        Refused<nint>("IntPtr is as wide as a pointer");
        Refused<(byte, long)>("ValueTuple`2 is laid out as the runtime likes");
        Refused<Outer<DateTime>>("Outer`1.Inner is laid out as the runtime likes");

        static void Refused<T>(string why)
            where T : unmanaged
        {
            for (int again = 0; again < 2; again++)
            {
                ArgumentException e = Assert.Throws<ArgumentException>("T", () => RegionLayout.Of<T>());
                Assert.StartsWith(why, e.Message);
                Assert.Equal(e.Message.IndexOf("(Param"), e.Message.LastIndexOf("(Param"));
            }
            string name = NewName();
            Assert.Throws<ArgumentException>("T", () => Region.Create<T>(name));
            Fails(WinshmStatus.NotFound, () => Region.Open(name));
        }
    }

    /// <summary>Compares a text with the addresses that the compiled code computes.</summary>
    private static void LiesAsDescribed<T>()
        where T : unmanaged => LiesAsDescribed(typeof(T));

    private static void LiesAsDescribed(Type type)
    {
        string text = (string)typeof(RegionLayout).GetMethod(nameof(RegionLayout.Of))!.MakeGenericMethod(type).Invoke(null, [])!;
        FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        string[] described = Outermost(text).ToArray();
        Assert.Equal(fields.Select(OffsetOf), described[..^1].Select(field => int.Parse(field[(field.LastIndexOf('@') + 1)..])));
        Assert.Equal($"size {SizeOf(type)}", described[^1]);
        foreach (FieldInfo field in fields.Where(field => field.FieldType.Assembly == type.Assembly && !field.FieldType.IsEnum))
        {
            if (!field.FieldType.IsDefined(typeof(CompilerGeneratedAttribute)) &&
                !field.FieldType.IsDefined(typeof(InlineArrayAttribute)))
            {
                LiesAsDescribed(field.FieldType);
                string inner = (string)typeof(RegionLayout).GetMethod(nameof(RegionLayout.Of))!
                    .MakeGenericMethod(field.FieldType).Invoke(null, [])!;
                Assert.Contains($":{{{inner}}}@{OffsetOf(field)}; ", text);
            }
        }
    }

    /// <summary>The fields of the text and its size, without those of nested structures.</summary>
    private static IEnumerable<string> Outermost(string text)
    {
        int depth = 0, start = 0;
        for (int i = 0; i < text.Length; i++)
        {
            depth += text[i] switch { '{' => 1, '}' => -1, _ => 0 };
            if (text[i] == ';' && depth == 0)
            {
                yield return text[start..i];
                start = i + 2;
            }
        }
        yield return text[start..];
    }

    private static unsafe int OffsetOf(FieldInfo field)
    {
        DynamicMethod method = new("OffsetOf", typeof(int), [typeof(nint)], typeof(LayoutTests).Module, skipVisibility: true);
        ILGenerator code = method.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldflda, field);
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Sub);
        code.Emit(OpCodes.Conv_I4);
        code.Emit(OpCodes.Ret);
        byte* somewhere = stackalloc byte[1000];
        return (int)method.Invoke(null, [(nint)somewhere])!;
    }

    private static int SizeOf(Type type) =>
        (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, [])!;
}
