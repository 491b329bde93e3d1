"""The SDK's files under the spellings by which they are asked for: Windows does not tell
capitals from small letters.

links.py INCLUDE LINKS: headers, as they include each other.
links.py LIBRARIES... LINKS: libraries, in small letters.
"""

import pathlib
import re
import sys


def spellings(folders):
    """The names by which headers are included."""
    for folder in folders:
        for file in folder.iterdir():
            yield file.name.lower()
            if file.suffix.lower() == ".h":
                yield from re.findall(r'#\s*include\s*[<"]([^<>"/\\]+)[>"]',
                                      file.read_text(errors="ignore"))


def main():
    *folders, links = (pathlib.Path(name).absolute() for name in sys.argv[1:])
    headers = (folders[0] / "um").is_dir()
    if headers:
        folders = [folders[0] / part for part in ("um", "shared", "ucrt")]
    files = {}
    for folder in folders:
        for file in folder.iterdir():
            files.setdefault(file.name.lower(), file)
    links.mkdir(parents=True)
    for name in set(spellings(folders)) if headers else set(files):
        file = files.get(name.lower())
        # What has its right name is found where it is.
        if file and (not headers or file.name != name):
            (links / name).symlink_to(file)


if __name__ == "__main__":
    main()
