# SPDX-License-Identifier: MIT
"""Each ordered pair of languages: the first program creates a region, the second joins."""

import os
import time

SIZE = 5000
SHARED, EXCLUSIVE = 1, 2


def some(length):
    return os.urandom(length).hex()


def joined(start, first, second, name):
    first, second = start(first, "peer"), start(second, "peer")
    # The second one is early and waits for the region to appear.
    second.tell(f"open {name} 0 30000")
    first.ask(f"create {name} {SIZE} 0")
    second.answers()
    second.ask("size", f"ok {SIZE}")
    for each in (first, second):
        each.ask("participants", "ok 2")
    return first, second


def test_exchange(start, first, second, name):
    first, second = joined(start, first, second, name)

    # The lock excludes, and lets readers in together.
    first.ask(f"lock {EXCLUSIVE} 0")
    second.ask(f"lock {EXCLUSIVE} 20", "error WINSHM_E_TIMEOUT")
    second.ask(f"lock {SHARED} 20", "error WINSHM_E_TIMEOUT")
    data = some(100)
    first.ask(f"poke 1234 {data}")
    second.tell(f"lock {SHARED} 30000")
    first.ask(f"unlock {EXCLUSIVE}")
    second.answers()
    second.ask("peek 1234 100", f"ok {data}")
    first.ask(f"lock {SHARED} 1000")
    first.ask(f"unlock {SHARED}")
    second.ask(f"unlock {SHARED}")

    # A write wakes who waits, and its last byte is the region's last.
    seen = second.number("changes")
    second.tell(f"wait {seen} 30000")
    data = some(10)
    first.ask(f"write {SIZE - 10} {data} 1000")
    second.answers(f"ok {seen + 1}")
    second.ask(f"read {SIZE - 10} 10 1000", f"ok {data}")

    # So does a notification, the other way round.
    first.tell(f"wait {seen + 1} 30000")
    data = some(8)
    second.ask(f"poke 0 {data}")
    second.ask("notify")
    first.answers(f"ok {seen + 2}")
    first.ask("read 0 8 1000", f"ok {data}")
    first.ask(f"wait {seen + 2} 0", "error WINSHM_E_TIMEOUT")

    # Both refuse what is not inside, and leave in their turn.
    first.ask(f"read {SIZE - 1} 2 1000", "error WINSHM_E_RANGE")
    second.ask(f"write {SIZE} 00 1000", "error WINSHM_E_RANGE")
    first.ask("close")
    second.ask("participants", "ok 1")
    second.ask("read 0 8 1000", f"ok {data}")
    second.ask("close")
    for each in (first, second):
        each.ask(f"open {name} 0 0", "error WINSHM_E_NOT_FOUND")


def test_death_of_the_first_as_owner(start, first, second, name):
    first, second = joined(start, first, second, name)
    first.ask(f"lock {EXCLUSIVE} 0")
    half = some(50)
    first.ask(f"poke 0 {half}")

    # An owner that is only slow is not robbed, and its death ends the wait.
    second.tell(f"lock {EXCLUSIVE} 30000")
    time.sleep(0.2)
    assert second.is_silent()
    first.kill()
    second.answers("error WINSHM_E_OWNER_DEAD")
    second.ask("participants", "ok 1")
    second.ask("peek 0 50", f"ok {half}")

    # Without a repair the data stay marked.
    second.ask(f"unlock {EXCLUSIVE}")
    second.ask(f"lock {SHARED} 1000", "error WINSHM_E_OWNER_DEAD")
    second.ask(f"unlock {SHARED}", "error WINSHM_E_NOT_OWNER")
    second.ask("read 0 1 1000", "error WINSHM_E_OWNER_DEAD")
    second.ask("write 0 00 1000", "error WINSHM_E_OWNER_DEAD")
    second.ask(f"lock {EXCLUSIVE} 1000", "error WINSHM_E_OWNER_DEAD")
    whole = some(50)
    second.ask(f"poke 0 {whole}")
    second.ask("repair")
    second.ask(f"unlock {EXCLUSIVE}")

    second.ask(f"lock {SHARED} 1000")
    second.ask("peek 0 50", f"ok {whole}")
    second.ask(f"unlock {SHARED}")
    second.ask("close")
