# SPDX-License-Identifier: MIT
"""Data that the creator puts there before others read."""

import pickle
import time

import pytest
import winshm
from conftest import free

both = pytest.mark.parametrize("tasks", [False, True])


@both
def test_filled_before_others_read(child, name, tasks):
    reader = child(
        "def fill(region):\n"
        "    print('filled by who joined')\n"
        "winshm.open(sys.argv[1], timeout=20).close()\n"
        "with winshm.open_or_create(sys.argv[1], fill=fill) as r:\n"
        "    print('joined')\n"
        "    print(r.read(0, 4), r.read(99999))",
        name,
    )

    def fill(region):
        assert reader.line() == "joined"
        time.sleep(0.1)
        region.write(0, b"abc")
        assert region.read(0, 4) == b"abc\0"
        region.write(4, bytes(99_995) + b"z")
        assert region.read() == b"abc" + bytes(99_996) + b"z"

    with winshm.open_or_create(name, 100_000, tasks=tasks, fill=fill) as region:
        assert reader.line() == "b'abc\\x00' b'z'"
        assert reader.end() == ""
        assert free(region)
        assert not region.info.lock_state
        pickle.loads(pickle.dumps(region)).close()


@both
def test_exception_in_fill(name, tasks):
    pieces, others = [], []

    def fill(region):
        pieces.append(region.data[:1])
        others.append(winshm.open(name))
        raise LookupError("no data")

    with pytest.raises(LookupError, match="no data"):
        winshm.create(name, 10, tasks=tasks, fill=fill)
    with others[0] as other:
        # Nothing is unmapped under a view.
        assert (bytes(pieces[0]), len(other.participants)) == (b"\0", 2)
        pieces.clear()
        assert len(other.participants) == 1
        with pytest.raises(winshm.OwnerDeadError):
            other.read()
        with other.lock(recover=True, timeout=0) as held:
            assert held.owner_died
            other.make_consistent()
        assert other.read() == bytes(10)


def test_lock_that_fill_releases(name):
    with pytest.raises(winshm.Error, match="NOT_OWNER"):
        winshm.create(name, 10, fill=winshm.Region.release)
    with pytest.raises(winshm.NotFoundError):
        winshm.open(name)


def test_fill_that_is_refused(name):
    for lockless in ("raw", "no_lock"):
        for opener in (winshm.create, winshm.open_or_create):
            with pytest.raises(winshm.InvalidError, match=f"{lockless}=True"):
                opener(name, 10, fill=print, **{lockless: True})
    with pytest.raises(TypeError, match="fill must be a function"):
        winshm.create(name, 10, fill=b"abc")
