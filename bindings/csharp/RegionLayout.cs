// SPDX-License-Identifier: MIT
// The layout text of a structure: which field lies where, for programs in any language.

using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace Winshm;

/// <summary>Describes structures as regions do: <c>score:u32@0; lives:u8@4; size 8</c>.</summary>
/// <remarks>
/// <para>What counts is where the fields lie in memory, whether public or private: in order, with
/// <see cref="StructLayoutAttribute.Pack"/>, or at their <see cref="FieldOffsetAttribute"/>. Nested structures,
/// <c>fixed</c> buffers and <see cref="InlineArrayAttribute"/> are described, too. An enumeration is its number, a
/// <see cref="char"/> is UTF-16, and bytes are numbers unless they are marked with <see cref="Utf8Attribute"/>.</para>
/// <para>A field has the name of the source, of which case and underscores do not matter, so that <c>MaxSpeed</c>
/// here is <c>max_speed</c> elsewhere. The field of an automatic property has the property's name.</para>
/// <para>Of .NET's own structures <see cref="Guid"/>, <see cref="decimal"/>, <see cref="Int128"/> and
/// <see cref="UInt128"/> are 16 bytes, and <see cref="TimeSpan"/>, <see cref="TimeOnly"/>, <see cref="DateOnly"/>,
/// <see cref="Half"/> and <see cref="Rune"/> the number that they consist of.</para>
/// </remarks>
public static class RegionLayout
{
    internal const DynamicallyAccessedMemberTypes Fields =
        DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.NonPublicFields;

    /// <summary>Describes a structure.</summary>
    /// <typeparam name="T">A structure that is laid out alike in all programs. Where the program is trimmed, its
    /// nested structures are marked with <see cref="NestedAttribute"/>.</typeparam>
    /// <returns>The text for <see cref="RegionOptions.Layout"/>; null for a plain number, which has no fields.</returns>
    /// <exception cref="ArgumentException">It has pointers or no fixed layout, or a field whose name is none in other
    /// languages.</exception>
    public static string? Of<[DynamicallyAccessedMembers(Fields)] T>()
        where T : unmanaged => RegionLayout<T>.Text;
}

/// <summary>The description of a type, which is made once.</summary>
internal static class RegionLayout<[DynamicallyAccessedMembers(RegionLayout.Fields)] T>
    where T : unmanaged
{
    private static readonly string? s_text;
    private static readonly string? s_refusal;

    static unsafe RegionLayout()
    {
        try
        {
            s_text = Shareable<T>.Refusal is null ? LayoutWriter.Write(typeof(T), sizeof(T)) : null;
        }
        catch (ArgumentException e)
        {
            s_refusal = e.Message;
        }
    }

    /// <exception cref="ArgumentException">It cannot be shared or described.</exception>
    public static string? Text =>
        Shareable<T>.Size > 0 && s_refusal is null ? s_text : throw new ArgumentException(s_refusal, nameof(T));
}

/// <summary>Finds out how the runtime lays a type out, and writes it down.</summary>
/// <remarks>The runtime tells the size of a type and where an explicit field is; all else follows its rules, which are
/// those of C with the alignment limited by Pack. <see cref="Marshal"/> would tell of the copies that it makes for C,
/// where a bool has four bytes.</remarks>
internal static class LayoutWriter
{
    private static readonly Dictionary<Type, Shape> s_known = new()
    {
        [typeof(byte)] = new("u8", 1),
        [typeof(sbyte)] = new("i8", 1),
        [typeof(ushort)] = new("u16", 2),
        [typeof(short)] = new("i16", 2),
        [typeof(uint)] = new("u32", 4),
        [typeof(int)] = new("i32", 4),
        [typeof(ulong)] = new("u64", 8),
        [typeof(long)] = new("i64", 8),
        [typeof(float)] = new("f32", 4),
        [typeof(double)] = new("f64", 8),
        [typeof(bool)] = new("bool", 1),
        [typeof(char)] = new("char16", 2),
        [typeof(TimeSpan)] = new("i64", 8),
        [typeof(TimeOnly)] = new("u64", 8),
        [typeof(DateOnly)] = new("i32", 4),
        [typeof(Half)] = new("u16", 2),
        [typeof(Rune)] = new("u32", 4),
        [typeof(Guid)] = new("u8", 1, 4, 16),
        [typeof(decimal)] = new("u8", 1, 8, 16),
        [typeof(Int128)] = new("u8", 1, 16, 16),
        [typeof(UInt128)] = new("u8", 1, 16, 16),
    };

    /// <summary>One element as text, its bytes and its alignment, and how many of them there are; 0: no array.</summary>
    private readonly record struct Shape(string Kind, long Element, long Alignment, long Count = 0)
    {
        public Shape(string kind, int size)
            : this(kind, size, size)
        {
        }

        public long Size => Element * Math.Max(Count, 1);

        public override string ToString() => Count == 0 ? Kind : $"{Kind}[{Count}]";
    }

    /// <summary>Describes a type without references or pointers.</summary>
    /// <param name="type">The type, whose fields have a place of their own.</param>
    /// <param name="size">Its bytes, as the runtime says.</param>
    /// <returns>Null if it has no fields but is a number.</returns>
    /// <exception cref="ArgumentException">It cannot be described.</exception>
    public static string? Write([DynamicallyAccessedMembers(RegionLayout.Fields)] Type type, int size)
    {
        if (type.IsEnum || s_known.ContainsKey(type))
        {
            return null;
        }
        (string text, long found, _) = type.IsDefined(typeof(InlineArrayAttribute))
            ? Only(Fields(type, type.Name)[0], ShapeOf(type, type.Name), type.Name)
            : Struct(type, type.Name);
        return found == size
            ? text
            : throw new ArgumentException($"{type.Name} has {size} bytes, of which its fields explain {found}: give it a layout " +
                "without gaps that only the runtime knows, or set RegionOptions.Layout and use a Region.");
    }

    private static (string Text, long Size, long Alignment) Struct(Type type, string path)
    {
        if (type.Namespace == typeof(Vector128).Namespace || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Vector<>)))
        {
            throw new ArgumentException($"{path} is a {type.Name}, the place of which depends on the processor: share an inline " +
                "array of numbers.");
        }
        StructLayoutAttribute layout = type.StructLayoutAttribute!;
        // What is left to the runtime is told as 8, and means no limit.
        long limit = layout.Pack is 0 or 8 ? long.MaxValue : layout.Pack;
        long end = 0, largest = 1;
        StringBuilder text = new();
        HashSet<string> names = new(StringComparer.OrdinalIgnoreCase);
        foreach (FieldInfo field in Fields(type, path))
        {
            string name = Name(field, path);
            if (!names.Add(name.Replace("_", "")))
            {
                throw new ArgumentException($"{path}.{name} has the name of a field before it, but for case and underscores, which " +
                    "do not matter elsewhere: rename one.");
            }
            Shape shape = Field(field, $"{path}.{field.Name}");
            long alignment = Math.Min(shape.Alignment, limit);
            long offset = type.IsExplicitLayout
                ? field.GetCustomAttribute<FieldOffsetAttribute>()!.Value
                : Align(end, alignment);
            text.Append($"{name}:{shape}@{offset}; ");
            end = Math.Max(end, offset + shape.Size);
            largest = Math.Max(largest, alignment);
        }
        if (layout.Size > 0 && largest > 8 && limit > 8 && !type.IsExplicitLayout)
        {
            // With a Pack of 8 they would lie elsewhere, and the size would not betray it.
            throw new ArgumentException($"{path} has a Size and numbers of 128 bits, which may lie at one of two places: leave the " +
                "Size out, or use LayoutKind.Explicit.");
        }
        long size = layout.Size > 0 ? Math.Max(layout.Size, end) : Align(end, largest);
        return (text.Append($"size {size}").ToString(), size, largest);
    }

    private static Shape Field(FieldInfo field, string path)
    {
        Shape shape = field.GetCustomAttribute<FixedBufferAttribute>() is { } buffer
            ? ShapeOf(buffer.ElementType, path) with { Count = buffer.Length }
            : ShapeOf(Marked(field, path) ?? field.FieldType, path);
        if (!field.IsDefined(typeof(Utf8Attribute)))
        {
            return shape;
        }
        return shape.Kind is "u8"
            ? shape with { Kind = "char" }
            : throw new ArgumentException($"{path} is marked with [Utf8], which is for bytes, but is {shape}.");
    }

    /// <summary>The type of a nested structure whose fields are there even if the program is trimmed.</summary>
    private static Type? Marked(FieldInfo field, string path)
    {
        Type? marked = field.GetCustomAttribute<NestedAttribute>()?.Type;
        return marked is null || marked == field.FieldType
            ? marked
            : throw new ArgumentException($"{path} is marked with [Nested(typeof({marked.Name}))], but is a {field.FieldType.Name}.");
    }

    private static Shape ShapeOf(Type type, string path)
    {
        type = type.IsEnum ? Enum.GetUnderlyingType(type) : type;
        if (s_known.TryGetValue(type, out Shape known))
        {
            return known;
        }
        if (type.GetCustomAttribute<InlineArrayAttribute>() is not { } inline)
        {
            return Nested(Struct(type, path));
        }
        FieldInfo first = Fields(type, path)[0];
        Shape element = Field(first, $"{path}.{first.Name}");
        if (element.Count > 0)
        {
            // There are no arrays of arrays, but of structures that have one.
            element = Nested(Only(first, element, path));
        }
        return element with { Count = inline.Length };
    }

    private static Shape Nested((string Text, long Size, long Alignment) described) =>
        new($"{{{described.Text}}}", described.Size, described.Alignment);

    /// <summary>A structure with one field.</summary>
    private static (string Text, long Size, long Alignment) Only(FieldInfo field, Shape shape, string path) =>
        ($"{Name(field, path)}:{shape}@0; size {shape.Size}", shape.Size, shape.Alignment);

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "What was trimmed away is missed and refused.")]
    private static FieldInfo[] Fields(Type type, string path)
    {
        FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        if (fields.Length == 0)
        {
            throw new ArgumentException($"{path} has no fields that could be described. If the program is trimmed they have been " +
                $"taken away, unless {path} is marked with [Nested(typeof({type.Name}))].");
        }
        if (fields[0].HasMetadataToken())
        {
            // The order is promised of the tokens only.
            Array.Sort(fields, (one, other) => one.MetadataToken.CompareTo(other.MetadataToken));
        }
        return fields;
    }

    /// <summary>The name of the source, if other languages can have it, too.</summary>
    private static string Name(FieldInfo field, string path)
    {
        // The compiler calls the field of a property <Score>k__BackingField.
        string name = field.Name is ['<', ..] hidden && hidden.IndexOf('>') is > 1 and int end ? hidden[1..end] : field.Name;
        bool fits = name.Length <= 63 && !char.IsAsciiDigit(name[0]) &&
            name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_');
        return fits
            ? name
            : throw new ArgumentException($"{path}.{name} has a name that other languages do not have: it needs at most 63 " +
                "letters of A to Z, digits and underscores.");
    }

    private static long Align(long offset, long alignment) => (offset + alignment - 1) / alignment * alignment;
}
