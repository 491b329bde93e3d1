# SPDX-License-Identifier: MIT
"""Regions that go to other processes, as their name."""

import multiprocessing
import pickle
from concurrent import futures

import pytest
import winshm
from conftest import becomes_others


def test_region_arrives_in_another_process(region):
    spawn = multiprocessing.get_context("spawn")
    with futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
        pool.submit(winshm.Region.write, region, 4, b"abc").result()
        assert region.read(4, 3) == b"abc"
        assert pool.submit(winshm.Region.read, region, 5, 2).result() == b"bc"
    assert len(region.participants) == 1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_region_is_opened_again(region, protocol):
    with pickle.loads(pickle.dumps(region, protocol)) as copy:
        assert copy is not region
        assert (copy.name, copy.size) == (region.name, region.size)
        assert len(region.participants) == 2
        copy.data[0] = 1
    assert region.data[0] == 1


def test_access_goes_with_it(name):
    def again(region):
        return pickle.loads(pickle.dumps(region))

    with winshm.create(name, 10, no_lock=True) as region:
        again(region).close()
        with winshm.open(name, readonly=True) as reader, again(reader) as copy:
            assert copy.info.readonly
            assert copy.data.readonly
        with winshm.open(name, no_map=True) as parts, again(parts) as copy:
            with pytest.raises(ValueError, match="no_map"):
                copy.data  # noqa: B018
        with winshm.open(name, raw=True) as raw, again(raw) as copy:
            assert copy.info.kind == winshm.Kind.RAW


def test_access_of_tasks_goes_with_it(tasks):
    with pickle.loads(pickle.dumps(tasks)) as copy:
        copy.acquire()
        with pytest.raises(winshm.TimeoutError):
            copy.acquire(timeout=0)
        copy.release()


def test_another_life_of_the_name(name):
    with winshm.create(name, 10, layout_tag=5) as region:
        pickled = pickle.dumps(region)
        pickle.loads(pickled).close()
    with winshm.create(name, 10, layout_tag=5) as region:
        with pytest.raises(winshm.Error, match="another region has its name") as caught:
            pickle.loads(pickled)
        assert caught.value.status == winshm.Status.REPLACED
        assert len(region.participants) == 1


def test_region_that_grows(name):
    with winshm.create(name, 10, capacity=100) as region:
        pickled = pickle.dumps(region)
        region.resize(20)
        for each in (pickled, pickle.dumps(region)):
            with pickle.loads(each) as copy:
                assert copy.size == 20


@becomes_others
def test_trust_goes_with_it(child, name):
    """What somebody else owns is opened again only by who trusted its owner."""
    owner = child(
        "os.setuid(65533)\n"
        "with winshm.create(sys.argv[1], 10, security='everyone-read') as r:\n"
        "    r.write(0, b'x'); print('made', flush=True); sys.stdin.readline()",
        name,
    )
    assert owner.line() == "made"
    stranger = child(
        "import pickle\n"
        "os.setuid(65534)\n"
        "r = winshm.open(sys.argv[1], readonly=True, security='anyone')\n"
        "with r, pickle.loads(pickle.dumps(r)) as copy: print(copy.read(0, 1))",
        name,
    )
    assert stranger.end() == "b'x'"
    owner.go()
    owner.end()


def test_region_that_is_gone(name):
    with winshm.create(name, 10) as region:
        pickled = pickle.dumps(region)
    with pytest.raises(winshm.ClosedError):
        pickle.dumps(region)
    with pytest.raises(winshm.NotFoundError):
        pickle.loads(pickled)
