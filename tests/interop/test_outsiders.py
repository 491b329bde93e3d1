# SPDX-License-Identifier: MIT
"""Programs that know nothing of winshm share blocks with those that do."""

import os

SIZE = 65536
RAW, EXCLUSIVE = 4, 2

#: Who shares blocks by the plain means of each platform.
OUTSIDERS = {
    "linux": {"c": "shm_open", "python": "multiprocessing.shared_memory"},
    "windows": {
        "c": "Win32",
        "c32": "Win32-32-bit",
        "python": "mmap-tagname",
        "csharp": "MemoryMappedFile",
    },
}


def pytest_generate_tests(metafunc):
    if "outsider" in metafunc.fixturenames:
        config = metafunc.config
        known = OUTSIDERS[config.getoption("--platform")]
        built = config.getoption("--languages").split(",")
        here = {code: title for code, title in known.items() if code in built}
        metafunc.parametrize("outsider", list(here), ids=list(here.values()))


def see_each_other(one, other):
    """What each of the two writes, the other one reads."""
    for offset, (writer, reader) in ((0, (one, other)), (SIZE - 16, (other, one))):
        data = os.urandom(16).hex()
        writer.ask(f"poke {offset} {data}")
        reader.ask(f"peek {offset} 16", f"ok {data}")


def test_outsider_joins_a_managed_region(start, language, outsider, name):
    peer, outsider = start(language, "peer"), start(outsider, "outsider")
    peer.ask(f"create {name} {SIZE} 0")
    outsider.ask(f"open {name} {SIZE}")
    see_each_other(peer, outsider)
    # What it writes cannot hurt the lock, and the library sees it.
    outsider.ask(f"poke 100 {'ff' * 1000}")
    peer.ask(f"lock {EXCLUSIVE} 1000")
    peer.ask(f"unlock {EXCLUSIVE}")
    peer.ask("read 100 4 1000", "ok ffffffff")
    outsider.ask("close")
    peer.ask("participants", "ok 1")
    peer.ask("close")


def test_outsider_creates_the_block(start, language, outsider, name):
    peer, outsider = start(language, "peer"), start(outsider, "outsider")
    outsider.ask(f"create {name} {SIZE}")
    outsider.ask("poke 5 cafe")
    peer.ask(f"open {name} 0 0", "error WINSHM_E_NOT_MANAGED")
    peer.ask(f"create {name} {SIZE} 0", "error WINSHM_E_HELD")
    peer.ask(f"open_or_create {name} {2 * SIZE} 0", "error WINSHM_E_SIZE")

    peer.ask(f"open {name} {RAW} 0")
    peer.ask("size", f"ok {SIZE}")
    peer.ask("peek 5 2", "ok cafe")
    see_each_other(peer, outsider)
    peer.ask(f"lock {EXCLUSIVE} 0", "error WINSHM_E_UNSUPPORTED")
    peer.ask("close")

    outsider.ask("poke 5 cafe")
    peer.ask(f"open_or_create {name} {SIZE} 0")
    peer.ask("peek 5 2", "ok cafe")
    peer.ask(f"lock {EXCLUSIVE} 1000")
    see_each_other(peer, outsider)
    peer.ask(f"unlock {EXCLUSIVE}")
    peer.ask("close")

    # The block is the outsider's, as before.
    outsider.ask("poke 5 beef")
    peer.ask(f"open {name} 0 0", "error WINSHM_E_NOT_MANAGED")
    outsider.ask("close")
    peer.ask(f"open {name} {RAW} 0", "error WINSHM_E_NOT_FOUND")
