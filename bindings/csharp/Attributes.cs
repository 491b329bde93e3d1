// SPDX-License-Identifier: MIT
// What a structure says of its fields to those who describe it.

using System.Diagnostics.CodeAnalysis;

namespace Winshm;

/// <summary>Says that bytes are text: <c>[Utf8] public fixed byte Name[16];</c></summary>
/// <remarks>For a byte, a <c>fixed</c> buffer or an inline array of them, which other programs see as text of that
/// many bytes, padded with NUL. A <c>fixed</c> buffer of <see cref="char"/> is UTF-16 without it.</remarks>
[AttributeUsage(AttributeTargets.Field)]
public sealed class Utf8Attribute : Attribute
{
}

/// <summary>Keeps a nested structure's fields known when the program is trimmed or compiled ahead of time:
/// <c>[Nested(typeof(Box))] public Box Box;</c></summary>
/// <remarks>Without it such a program may no longer know how the structure looks from inside, and
/// <see cref="RegionLayout"/> refuses it. Others can do without.</remarks>
/// <param name="type">The type of the field; for an inline array, that of the array, whose own field is marked, too.</param>
[AttributeUsage(AttributeTargets.Field)]
public sealed class NestedAttribute([DynamicallyAccessedMembers(RegionLayout.Fields)] Type type) : Attribute
{
    /// <summary>The type of the field.</summary>
    [DynamicallyAccessedMembers(RegionLayout.Fields)]
    public Type Type { get; } = type;
}
