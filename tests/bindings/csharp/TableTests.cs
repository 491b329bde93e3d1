// SPDX-License-Identifier: MIT
// The raw table against the header: names, values, signatures and layouts.

using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Xunit;

namespace Winshm.Tests;

public class TableTests
{
    private static readonly string s_header = ReadHeader();

    private static readonly Dictionary<string, Type> s_types = new()
    {
        ["void"] = typeof(void),
        ["void *"] = typeof(void*),
        ["void **"] = typeof(void**),
        ["char *"] = typeof(byte*),
        ["int32_t"] = typeof(int),
        ["int32_t *"] = typeof(int*),
        ["int64_t"] = typeof(long),
        ["uint32_t"] = typeof(uint),
        ["uint32_t *"] = typeof(uint*),
        ["uint64_t"] = typeof(ulong),
        ["winshm_status"] = typeof(int),
        ["winshm_region *"] = typeof(nint),
        ["winshm_region **"] = typeof(nint*),
        ["winshm_view *"] = typeof(nint),
        ["winshm_view **"] = typeof(nint*),
        ["winshm_options *"] = typeof(winshm_options*),
        ["winshm_info *"] = typeof(winshm_info*),
        ["winshm_participant *"] = typeof(winshm_participant*),
        ["winshm_field *"] = typeof(winshm_field*),
        ["struct winshm_field *"] = typeof(winshm_field*),
    };

    public static bool IsWindows => OperatingSystem.IsWindows();

    [Fact]
    public void ConstantsAreThoseOfTheHeader()
    {
        SortedDictionary<string, long> expected = [];
        foreach (Match m in Regex.Matches(s_header, @"^#define (WINSHM_\w+) (0x)?([0-9A-Fa-f]+)u?$", RegexOptions.Multiline))
        {
            expected[m.Groups[1].Value] = Convert.ToInt64(m.Groups[3].Value, m.Groups[2].Success ? 16 : 10);
        }
        // What the header's macros for fields go by.
        expected.Remove("WINSHM_CPP");
        expected.Remove("WINSHM_C11");
        foreach (Match m in Regex.Matches(s_header, @"XX\((WINSHM_\w+), (-?\d+),"))
        {
            expected[m.Groups[1].Value] = long.Parse(m.Groups[2].Value);
        }
        // The version is the assembly's.
        Version version = new(
            (int)Take("WINSHM_VERSION_MAJOR"), (int)Take("WINSHM_VERSION_MINOR"), (int)Take("WINSHM_VERSION_PATCH"), 0);
        Assert.Equal(version, typeof(Region).Assembly.GetName().Version);

        SortedDictionary<string, long> actual = [];
        foreach (FieldInfo field in typeof(NativeMethods).GetFields(BindingFlags.Static | BindingFlags.NonPublic))
        {
            if (field.Name.StartsWith("WINSHM_", StringComparison.Ordinal))
            {
                actual[field.Name] = Convert.ToInt64(field.GetRawConstantValue());
            }
        }
        Assert.True(expected.Count > 50);
        Assert.Equal(expected, actual);

        long Take(string name)
        {
            Assert.True(expected.Remove(name, out long value));
            return value;
        }
    }

    [Fact]
    public void EveryStatusHasAnEnumerationValue()
    {
        foreach (Match m in Regex.Matches(s_header, @"XX\(WINSHM_(?:E_)?(\w+), (-?\d+),"))
        {
            var status = (WinshmStatus)int.Parse(m.Groups[2].Value);
            Assert.Equal(m.Groups[1].Value.Replace("_", ""), status.ToString().ToUpperInvariant());
        }
    }

    [Fact]
    public void FunctionsAreThoseOfTheHeader()
    {
        SortedDictionary<string, string> expected = [];
        foreach (Match m in Regex.Matches(s_header, @"WINSHM_API\s+([\w\s*]+?)\s*WINSHM_CALL\s+(winshm_\w+)\(([^)]*)\)"))
        {
            string parameters = m.Groups[3].Value.Trim() == "void" ? "" : string.Join(", ",
                m.Groups[3].Value.Split(',').Select(p => TypeOf(Regex.Replace(p, @"\w+\s*$", "")).ToString()));
            expected[m.Groups[2].Value] = $"{TypeOf(m.Groups[1].Value)} ({parameters})";
        }
        Assert.Equal(Regex.Count(s_header, @"WINSHM_CALL\s*winshm_"), expected.Count);

        SortedDictionary<string, string> actual = [];
        foreach (MethodInfo method in typeof(NativeMethods).GetMethods(BindingFlags.Static | BindingFlags.NonPublic))
        {
            if (method.Name.StartsWith("winshm_", StringComparison.Ordinal))
            {
                actual[method.Name] = $"{method.ReturnType} ({string.Join(", ", method.GetParameters().Select(p => p.ParameterType.ToString()))})";
            }
        }
        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData(typeof(winshm_options))]
    [InlineData(typeof(winshm_info))]
    [InlineData(typeof(winshm_participant))]
    [InlineData(typeof(winshm_field))]
    public void MembersAreThoseOfTheHeader(Type type)
    {
        List<string> actual = [];
        foreach (FieldInfo field in type.GetFields())
        {
            actual.Add(field.GetCustomAttribute<System.Runtime.CompilerServices.FixedBufferAttribute>() is { } buffer
                ? $"{buffer.ElementType}[{buffer.Length}] {field.Name}"
                : $"{field.FieldType} {field.Name}");
        }
        List<string> expected = [];
        foreach ((string member, string declared) in Members(type.Name))
        {
            expected.Add(declared == "uint8_t[16]" ? $"{typeof(byte)}[16] {member}" : $"{TypeOf(declared)} {member}");
        }
        Assert.True(expected.Count > 5);
        Assert.Equal(expected, actual);
    }

    [Fact(Skip = "there is no C compiler beside a Windows program", SkipWhen = nameof(IsWindows))]
    public void LayoutsAreThoseOfTheCompiler()
    {
        string directory = Directory.CreateTempSubdirectory("winshm").FullName;
        try
        {
            File.WriteAllText(Path.Combine(directory, "winshm.h"), s_header);
            List<string> lines = ["#include <stddef.h>", "#include <stdio.h>", "#include \"winshm.h\"", "int main(void) {"];
            List<string> expected = [];
            foreach (Type type in new[] { typeof(winshm_options), typeof(winshm_info), typeof(winshm_participant), typeof(winshm_field) })
            {
                lines.Add($"printf(\"{type.Name} %zu\\n\", sizeof({type.Name}));");
                expected.Add($"{type.Name} {Marshal.SizeOf(type)}");
                foreach (FieldInfo field in type.GetFields())
                {
                    lines.Add($"printf(\"{field.Name} %zu\\n\", offsetof({type.Name}, {field.Name}));");
                    expected.Add($"{field.Name} {Marshal.OffsetOf(type, field.Name)}");
                }
            }
            File.WriteAllLines(Path.Combine(directory, "probe.c"), [.. lines, "return 0; }"]);
            Run("gcc", "-o", Path.Combine(directory, "probe"), Path.Combine(directory, "probe.c"));
            string actual = Run(Path.Combine(directory, "probe"));
            Assert.Equal(expected, actual.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    internal static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    private static IEnumerable<(string Name, string Type)> Members(string type)
    {
        string body = Regex.Match(s_header, $@"typedef struct {type} \{{(.*?)\}} {type};", RegexOptions.Singleline).Groups[1].Value;
        body = Regex.Replace(body, @"/\*.*?\*/", "", RegexOptions.Singleline);
        foreach (Match m in Regex.Matches(body, @"^\s*([\w\s]+[\s*])(\w+)(\[\d+\])?;", RegexOptions.Multiline))
        {
            yield return (m.Groups[2].Value, m.Groups[1].Value.Trim() + m.Groups[3].Value);
        }
    }

    private static Type TypeOf(string declared) =>
        s_types[Regex.Replace(declared.Replace("const ", ""), @"\s+", " ").Trim()];

    private static string ReadHeader()
    {
        using StreamReader reader = new(typeof(TableTests).Assembly.GetManifestResourceStream("winshm.h")!);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
