"""Builds and runs the programs of the bindings' pages, on Linux and under Wine.

Each language has a function that is given the blocks of a page for one system and yields
the commands that run them: many at once where starting takes long. Such a command prints
a line that begins with MARK before each of them.
"""

import concurrent.futures
import os
import shutil
import subprocess

from docs_blocks import ROOT, whole

PLACE = ROOT / "build" / "docs"
MARK = "program on "
BUILDS = {"Linux": ROOT / "build/linux", "Windows": ROOT / "build/win64"}
LIBRARIES = {"Linux": "libwinshm.so.0", "Windows": "winshm.dll"}
TIMEOUT = 120


class System:
    """Linux or Windows, and where the programs of one language are there."""

    def __init__(self, name, language):
        self.name = name
        self.windows = name == "Windows"
        self.build = BUILDS[name]
        self.place = PLACE / name.lower() / language
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir(parents=True)
        library = self.build / LIBRARIES[name]
        if not library.exists():
            raise FileNotFoundError(f"there is no {library}: build the library first")
        self.environment = {**os.environ, "WINSHM_LIBRARY": self.path(library),
                            "PYTHONPATH": self.path(ROOT / "bindings/python"),
                            "PYTHONDONTWRITEBYTECODE": "1",
                            "PYTHONIOENCODING": "utf-8", "DOTNET_NOLOGO": "1"}

    def path(self, path):
        """A path as programs of this system know it."""
        return "Z:" + str(path).replace("/", "\\") if self.windows else str(path)

    def program(self, *words):
        """A command that runs a program of this system."""
        return [*([os.environ["WINE"]] if self.windows else []), *map(str, words)]

    def run(self, command, **options):
        return subprocess.run(command, cwd=self.place, env=self.environment, text=True,
                              timeout=TIMEOUT, encoding="utf-8", **options)


def built(command, **options):
    """Runs a compiler; its errors are those of the page."""
    done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options)
    if done.returncode:
        raise RuntimeError(done.stdout)


def c_programs(blocks, system):
    unbuffered = system.place / "unbuffered.h"
    # The check looks for what a program in the first terminal has printed so far.
    unbuffered.write_text("#include <stdio.h>\n__attribute__((constructor)) static void "
                          "at_once(void) { setvbuf(stdout, NULL, _IONBF, 0); }\n")
    if system.windows:
        shutil.copy(system.build / "winshm.dll", system.place)
        suffix, prefix, libraries = ".exe", "x86_64-w64-mingw32-", []
    else:
        suffix, prefix, libraries = "", "", [f"-Wl,-rpath,{system.build}"]

    def compile_one(block):
        compiler, end = {"c": ("gcc", ".c"), "cpp": ("g++", ".cpp")}[block.language]
        source = system.place / (block.name + end)
        source.write_text(whole(block), encoding="utf-8")
        program = source.with_suffix(suffix)
        standard = [] if block.language == "c" else [
            "-std=c++17", *(["-static-libgcc", "-static-libstdc++"] if system.windows else [])]
        built([prefix + compiler, "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", *standard,
               "-include", unbuffered, f"-I{ROOT}/include", "-o", program, source,
               f"-L{system.build}", "-lwinshm", *libraries])
        return [block], system.program(program)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(compile_one, blocks)


def python_programs(blocks, system):
    python = os.environ.get("WINSHM_WINDOWS_PYTHON") if system.windows else "/usr/bin/python3"
    if python is None:
        raise FileNotFoundError("WINSHM_WINDOWS_PYTHON names no Python for Windows")
    together = []
    for block in blocks:
        path = system.place / f"{block.name}.py"
        path.write_text(whole(block), encoding="utf-8")
        if block.second is None:
            together.append((block, path.name))
        else:
            yield [block], system.program(python, "-u", path.name)
    driver = system.place / "all.py"
    driver.write_text("import runpy, sys\nfor path in sys.argv[1:]:\n"
                      f"    print({MARK!r} + path[:-3])\n"
                      "    runpy.run_path(path, run_name='__main__')\n")
    yield ([block for block, _ in together],
           system.program(python, "-u", driver.name, *(name for _, name in together)))


def nim_programs(blocks, system):
    """Each block is a module, which runs when the program imports it."""
    flags = ["--cpu:amd64", "-d:mingw"] if system.windows else []
    suffix = ".exe" if system.windows else ""

    def program_of(name):
        program = system.place / (name + suffix)
        built(["nim", "c", "--hints:off", "--threads:on", f"--path:{ROOT}/bindings/nim",
               f"--nimcache:{system.place}/cache", *flags, f"-o:{program}", system.place / f"{name}.nim"])
        return system.program(program)

    together = []
    for block in blocks:
        (system.place / f"{block.name}.nim").write_text(whole(block), encoding="utf-8")
        if block.second is None:
            (system.place / f"mark_{block.name}.nim").write_text(f'echo "{MARK}{block.name}"\n')
            together.append(block)
    (system.place / "all.nim").write_text("".join(
        f"import mark_{block.name}\nimport {block.name} as module_{block.name}\n"
        for block in together))
    yield together, program_of("all")
    for block in blocks:
        if block.second is not None:
            yield [block], program_of(block.name)


PROJECT = """<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net$(BundledNETCoreAppTargetFrameworkVersion)</TargetFramework>
    <OutputType>Exe</OutputType>
    <LangVersion>12</LangVersion>
    <Nullable>enable</Nullable>
    <ImplicitUsings>enable</ImplicitUsings>
    <AllowUnsafeBlocks>true</AllowUnsafeBlocks>
    <InvariantGlobalization>true</InvariantGlobalization>
    <NuGetAudit>false</NuGetAudit>
    <NoWarn>CA1416</NoWarn>
  </PropertyGroup>
  <ItemGroup>
    <ProjectReference Include="{root}/bindings/csharp/Winshm.csproj" />
  </ItemGroup>
</Project>
"""


def csharp_programs(blocks, system):
    """All are one project; the first argument says which of them run."""
    (system.place / "pages.csproj").write_text(PROJECT.format(root=ROOT))
    cases, together = [], []
    for block in blocks:
        text = whole(block)
        (system.place / f"{block.name}.cs").write_text(text, encoding="utf-8")
        awaits = "await " if "async Task Main" in text else ""
        alone = block.second is not None
        cases.append(f'if (args[0] == "{block.name}"{"" if alone else " || args[0] == " + chr(34) + "all" + chr(34)}) '
                     + "{ " + ("" if alone else f'Console.WriteLine("{MARK}{block.name}"); ')
                     + f"{awaits}{block.name}.Page.Main(args[1..]); }}")
        if not alone:
            together.append(block)
    (system.place / "Program.cs").write_text("\n".join([*cases, "await Task.CompletedTask;", ""]))
    if system.windows:
        built(["dotnet", "publish", "-c", "Release", "-r", "win-x64", "--self-contained",
               "-o", "out"], cwd=system.place, env=system.environment)
        command = system.program(system.place / "out/pages.exe")
    else:
        built(["dotnet", "build", "-c", "Release", "-o", "out"], cwd=system.place,
              env=system.environment)
        command = system.program("dotnet", system.place / "out/pages.dll")
    yield together, [*command, "all"]
    for block in blocks:
        if block.second is not None:
            yield [block], [*command, block.name]


LANGUAGES = {"c": c_programs, "csharp": csharp_programs, "nim": nim_programs,
             "python": python_programs}


def run(blocks, command, system):
    """Yields the output of each of the blocks, or a problem."""
    if len(blocks) == 1 and blocks[0].second is not None:
        yield blocks[0], *in_two_terminals(command, blocks[0].second, system)
        return
    done = system.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE)
    outputs = done.stdout.replace("\r", "").split(MARK)
    outputs = ({part.partition("\n")[0]: part.partition("\n")[2] for part in outputs[1:]}
               if len(outputs) > 1 else {blocks[0].name: outputs[0]})
    for number, block in enumerate(blocks):
        is_last = number == len(outputs) - 1
        problem = done.stderr or f"exit status {done.returncode}"
        yield (block, outputs.get(block.name, ""),
               problem if done.returncode and is_last else
               "was not reached" if block.name not in outputs else None)


def in_two_terminals(command, words, system):
    # Without a buffer, which would keep more than the line that is waited for.
    with subprocess.Popen(command, cwd=system.place, env=system.environment, bufsize=0,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as first:
        said = first.stdout.readline()
        second = system.run([*command, *words], input="\n", stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)
        more, errors = first.communicate(b"\n", timeout=TIMEOUT)
    problem = None
    if first.returncode:
        problem = errors.decode() or f"exit status {first.returncode}"
    elif not words and second.returncode:
        problem = second.stderr or f"exit status {second.returncode} in the second terminal"
    return ((said + more).decode() + second.stdout).replace("\r", ""), problem


def problems_of(language, blocks, system_name):
    """Yields what is wrong with the programs of a page on one system."""
    wanted = [block for block in blocks if block.is_for(system_name)]
    system = System(system_name, language)
    try:
        for group, command in LANGUAGES[language](wanted, system):
            for block, output, problem in run(group, command, system):
                if problem is not None:
                    yield f"{block.place}, {system_name}: {problem}"
                elif block.says is not None and block.says.strip() != output.strip():
                    yield f"{block.place}, {system_name}: prints\n{output}and not\n{block.says}"
    except (RuntimeError, OSError, subprocess.SubprocessError) as failure:
        yield f"{language}, {system_name}: {failure}"
