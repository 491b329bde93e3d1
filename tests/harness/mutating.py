"""Puts faults into a copy of the project, one at a time: for the scripts that demand that a
test tells of each."""

import contextlib
import pathlib
import re
import shutil
import subprocess


class Copy:
    """A copy of what the preset builds, in a folder that is made anew."""

    def __init__(self, source, folder, preset):
        self.folder = pathlib.Path(folder).resolve()
        self.preset = preset
        source = pathlib.Path(source)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for part in ("CMakeLists.txt", "CMakePresets.json", "winshm.def"):
            shutil.copy(source / part, self.folder)
        for part in ("include", "src", "tests"):
            shutil.copytree(source / part, self.folder / part)
        self.run("cmake", "--preset", preset, check=True)

    def run(self, *command, **more):
        """Runs a command there; its output is in stdout."""
        return subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", **more)

    def build(self, *targets):
        return self.run("cmake", "--build", f"build/{self.preset}", "--target", *targets)

    @contextlib.contextmanager
    def broken(self, file, old, new, count=1):
        """Within the block the file has new in the place of old. What the block is given is
        None, or why that cannot be: old must occur just so often, so that a change of the
        code cannot turn a fault into something that does nothing."""
        path = self.folder / file
        text = path.read_text()
        # Long lines are wrapped: any white space is as good as another.
        pattern = r"\s+".join(re.escape(word) for word in old.split())
        changed, found = re.subn(pattern, lambda _: new, text)
        if found != count:
            yield f"{file} has it {found} times, not {count}"
            return
        path.write_text(changed)
        try:
            yield None
        finally:
            path.write_text(text)
