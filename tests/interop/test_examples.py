# SPDX-License-Identifier: MIT
"""The examples do what they say, with as many processes as they speak of: those in C, and
frames in every language."""

import contextlib
import time

import pytest
from programs import until

EXCLUSIVE, CREATE_LOCKED = 2, 0x40


@pytest.fixture
def run(platform, name):
    """Starts an example with a name of this test's own; none outlives the test."""
    programs = []

    def start(example, *arguments):
        transcript = programs[0].transcript if programs else []
        program = platform.start("c", example, name, *arguments, transcript=transcript)
        programs.append(program)
        return program

    yield start
    for program in programs:
        program.kill()


def test_counter_loses_nothing(run):
    both = [run("counter"), run("counter")]
    totals = [int(program.line().partition(".")[0]) for program in both]
    assert max(totals) == 2_000_000
    for program in both:
        program.end()


def test_notify_reaches_all_listeners(run):
    listeners = [run("notify"), run("notify")]
    for words in ("listening", "good morning", "bye"):
        if words != "listening":
            run("notify", words).end()
        for listener in listeners:
            listener.answers(words)
    for listener in listeners:
        listener.end()


def test_notify_says_that_nobody_listens(run):
    alone = run("notify", "hello")
    assert "WINSHM_E_NOT_FOUND" in alone.line()
    alone.end(1)


def test_recover_repairs_what_a_crash_left(run):
    waiting = run("recover")
    waiting.answers("crash in another terminal, then press Enter here")
    until(run("recover", "crash").has_ended, what="no crash")
    waiting.ask("", "found 70 and 0")
    waiting.answers("the accounts have 70 and 30")
    waiting.end()


def test_recover_repairs_what_another_language_left(platform):
    """That one has its region's name in itself."""
    with platform.start("c", "recover", "example-recover") as waiting:
        waiting.answers("crash in another terminal, then press Enter here")
        with platform.start("python", "recover", "crash") as crash:
            crash.end(1)
        waiting.ask("", "found 70 and 0")
        waiting.answers("the accounts have 70 and 30")
        waiting.end()


def test_parts_shows_what_another_has_recorded(run):
    recorder = run("parts")
    recorder.answers("recorded. Press Enter to throw it away.")
    for picture in (0, 17, 63):
        run("parts", str(picture)).answers(
            f"picture {picture}: the first pixel is {picture}, the last {picture}"
        )
    outside = run("parts", "64")
    assert "WINSHM_E_RANGE" in outside.line()
    outside.end(1)
    recorder.end()
    assert "WINSHM_E_NOT_FOUND" in run("parts", "0").line()


def test_frames_reach_every_language(platform, name, language, request):
    """One gives to all the others, its own language among them, and nothing is lost."""
    takers = request.config.getoption("--languages").split(",")
    with platform.start(language, "frames", name) as giver:
        giver.answers("start the takers in other terminals, then press Enter here")
        with contextlib.ExitStack() as stack:
            programs = [
                stack.enter_context(
                    platform.start(each, "frames", name, "take", transcript=giver.transcript)
                )
                for each in takers
            ]
            for program in programs:
                program.answers("taking")
            giver.ask("", "gave 500 frames")
            giver.end()
            for program in programs:
                program.answers("took 500 frames, 500 of them whole and in order")
                program.end()


def test_frames_go_on_without_who_has_died(run):
    giver = run("frames")
    giver.answers("start the takers in other terminals, then press Enter here")
    dead, alive = [run("frames", "take") for _ in range(2)]
    for program in (dead, alive):
        program.answers("taking")
    # It holds a place, and will never say that it has done with a frame.
    dead.kill()
    giver.ask("", "gave 500 frames")
    alive.answers("took 500 frames, 500 of them whole and in order")
    alive.end()
    giver.end()


@pytest.fixture
def opened(start, name):
    """Starts a program with the region open that does to it what it is told."""

    def begin(*commands):
        program = start("c", "peer")
        for command in (f"open {name} 0 0", *commands):
            program.ask(command)
        return program

    return begin


def test_frames_go_on_after_a_death_with_the_lock(platform, name, language, opened):
    """Whoever is next mends it: a taker that comes, one that waits, and the giver."""
    # The taker may be looking at the numbers just now.
    lock = f"lock {EXCLUSIVE} 1000"
    with platform.start(language, "frames", name) as giver:
        giver.answers("start the takers in other terminals, then press Enter here")
        opened(lock).kill()
        with platform.start(
            language, "frames", name, "take", transcript=giver.transcript
        ) as taker:
            taker.answers("taking")
            watcher = opened()
            # The notification has the taker look at the numbers, for which it needs the lock.
            opened(lock, "notify").kill()
            until(lambda: watcher.ask("read 0 8 0", None).startswith("ok"), what="nobody mends")
            opened(lock).kill()
            giver.ask("", "gave 500 frames")
            taker.answers("took 500 frames, 500 of them whole and in order")
            taker.end()
            giver.end()


def number(value):
    return value.to_bytes(8, "little").hex()


def skip_slow(platform, language):
    """What an example makes of numbers is the same on each system, but an exception is not."""
    if platform.windows and language == "python":
        pytest.skip("takes seconds to end by an exception under Wine")


def says(program, words):
    """Some languages say more than these words, before and after."""
    until(program.has_ended)
    program.kill()
    assert any(words in line for line in program.transcript), program.transcript


def test_frames_are_none_where_the_numbers_lead_astray(platform, name, language, start, opened):
    """A frame of no bytes, of more than there are, more boxes than there are pages for, and a
    giver that has died before it wrote them."""
    skip_slow(platform, language)
    peer = start("c", "peer")
    for i, (size, boxes) in enumerate(((0, 2), (2**64 - 1, 1), (4097, 2))):
        peer.ask(f"create {name}{i} {4096 * 4} 0")
        peer.ask(f"write 16 {number(size)}{number(boxes)} 0")
        with platform.start(language, "frames", f"{name}{i}", "take") as taker:
            says(taker, "no frames")
        # It has left the lock as it was.
        peer.ask(f"lock {EXCLUSIVE} 1000")
        peer.ask(f"unlock {EXCLUSIVE}")
        peer.ask("close")
    peer.ask(f"create {name} {4096 * 4} {CREATE_LOCKED}")
    watcher = opened()
    peer.kill()
    with platform.start(language, "frames", name, "take") as taker:
        says(taker, "no frames")
    watcher.ask(f"lock {EXCLUSIVE} 1000", "error WINSHM_E_OWNER_DEAD")


def test_frames_end_where_somebody_writes_over_the_numbers(platform, name, language, opened):
    skip_slow(platform, language)
    with platform.start(language, "frames", name) as giver:
        giver.answers("start the takers in other terminals, then press Enter here")
        with platform.start(language, "frames", name, "take") as taker:
            taker.answers("taking")
            peer = opened()
            # One more taker, by the number of the one that lives, far ahead of the giver.
            member = peer.ask("read 32 8 1000", None).removeprefix("ok ")
            peer.ask(f"write 48 {member}{number(1000)} 1000")
            peer.ask(f"write 0 {number(2**63)} 1000")
            says(taker, "written over the numbers")
            giver.tell("")
            says(giver, "written over the numbers")


def test_frames_miss_no_death_where_others_notify(platform, name, language, opened):
    """Whoever waits is woken all the time, and yet has to look who has died."""
    if platform.windows:
        pytest.skip("the examples look so on each system")
    with platform.start(language, "frames", name) as giver:
        giver.answers("start the takers in other terminals, then press Enter here")
        with platform.start("c", "frames", name, "take") as taker:
            taker.answers("taking")
        other = opened()
        giver.tell("")
        until(lambda: other.ask("notify") and giver.has_ended(), 20, "the giver waits")
        giver.answers("gave 500 frames")
    other.ask("close")
    with platform.start("c", "frames", name) as giver:
        giver.answers("start the takers in other terminals, then press Enter here")
        with platform.start(language, "frames", name, "take") as taker:
            taker.answers("taking")
            other.ask(f"open {name} 0 0")
            giver.kill()
            until(lambda: other.ask("notify") and taker.has_ended(), 20, "the taker waits")
            taker.answers("took 0 frames, 0 of them whole and in order")


@pytest.mark.parametrize("words", [(), ("name", "give"), ("name", "take", "more")])
def test_frames_say_how_they_are_used(platform, language, words):
    with platform.start(language, "frames", *words) as program:
        says(program, "NAME [take]")


def test_frames_end_with_who_gave_them(run):
    giver, taker = run("frames"), None
    giver.answers("start the takers in other terminals, then press Enter here")
    taker = run("frames", "take")
    taker.answers("taking")
    giver.kill()
    taker.answers("took 0 frames, 0 of them whole and in order")
    taker.end()


def test_drift_names_the_first_difference(run):
    game = run("drift")
    game.answers("the game is on. Press Enter to end it.")
    old = run("drift", "old")
    assert "field 'lives' is u8 @4 here, u32 @4 in the region" in old.line()
    old.end(1)
    ask = run("drift", "ask")
    ask.answers(
        "score:u32@0; lives:u32@4; player:char[16]@8; "
        "boxes:{x:f32@0; y:f32@4; size 8}[3]@24; size 48"
    )
    ask.end()
    game.end()


def test_ownlock_passes_on_what_the_dead_held(run):
    owner, other = run("ownlock", "3"), run("ownlock", "4")
    for each, part in ((owner, 3), (other, 4)):
        each.answers(f"Part {part} is yours, until you press Enter.")
    waiting = [run("ownlock", "3"), run("ownlock", "3")]
    time.sleep(0.3)
    assert all(each.is_silent() for each in waiting)
    owner.kill()
    until(lambda: not all(each.is_silent() for each in waiting))
    first, second = sorted(waiting, key=lambda each: each.is_silent())
    first.answers("Who had part 3 has died, and may have left it half written.")
    first.answers("Part 3 is yours, until you press Enter.")
    assert second.is_silent()
    first.end()
    # This one released it, so there is nothing to be told.
    second.answers("Part 3 is yours, until you press Enter.")
    second.end()
    other.end()
