"""Nobody's slowness costs the engine anything, and the last state always arrives."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from sshsched.domain.model import Run
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.service import hub as hubs
from sshsched.service.hub import ClosedError, Hub
from tests.service.scheduler import NOW

RUN = Run(1, "nas", Program(command="true"), NOW, State.WAITING)


def run(number: int, state: State = State.WAITING) -> Run:
    return replace(RUN, id=number, state=state)


def test_order() -> None:
    """Changes come in the order in which they happened, each with the next number."""
    hub = Hub(NOW)
    with hub.watch() as watcher:
        hub.publish(run(2))
        hub.publish_host({"host": "nas"})
        hub.publish_output(1, 10, 0)
        events = hub.take(watcher)

    assert events is not None
    assert ["run", "host", "output"] == [event.kind for event in events]
    assert [1, 2, 3] == [event.seq - int(NOW * 1e6) for event in events]


def test_folding() -> None:
    """Whoever is slow gets only the last of many changes of one run."""
    hub = Hub(NOW)
    with hub.watch() as watcher:
        for state in (State.WAITING, State.STARTING, State.RUNNING):
            hub.publish(run(1, state))
            hub.publish(run(2, state))
        events = hub.take(watcher)

    assert [("r1", "running"), ("r2", "running")] == [(e.shape()["run"], e.shape()["state"]) for e in events or ()]


def test_reloads_are_not_folded() -> None:
    """Each reload of the jobs is told to whoever watches everything, and to nobody who watches some runs."""
    hub = Hub(0)
    with hub.watch() as everything, hub.watch(frozenset({1})) as one_run:
        for name in "ab":
            hub.publish_jobs({"added": [name]})
        told = [event.shape()["added"] for event in hub.take(everything) or []]

        assert [["a"], ["b"]] == told
        assert [] == hub.take(one_run)


def test_taken_once() -> None:
    """What was taken does not come again."""
    hub = Hub(NOW)
    with hub.watch() as watcher:
        hub.publish(run(1))
        hub.take(watcher)

        assert [] == hub.take(watcher)


def test_filter() -> None:
    """Whoever watches some runs hears of these and of their hosts, and is not woken by others."""
    hub = Hub(NOW)
    with hub.watch(frozenset({1}), frozenset({"nas"})) as watcher:
        hub.publish(run(2))
        hub.publish_host({"host": "web"})
        slept = not watcher.woken.is_set()
        hub.publish(run(1))
        hub.publish_host({"host": "nas"})
        events = hub.take(watcher)

    assert slept
    assert [("run", 1), ("host", None)] == [(event.kind, event.run_id) for event in events or ()]


def test_bounded_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many runs change, the log keeps so many and forgets the oldest; who was further back starts over."""
    monkeypatch.setattr(hubs, "MOST_EVENTS", 10)
    hub = Hub(NOW)
    with hub.watch() as slow, hub.watch() as fast:
        for number in range(1, 12):
            hub.publish(run(number))
            fast.seq = max(fast.seq, hub.seq - 5)

        assert hub.take(slow) is None
        assert list(range(7, 12)) == [event.run_id for event in hub.take(fast) or ()]


def test_bounded_bytes() -> None:
    """Runs with huge programs do not add up in memory."""
    hub = Hub(NOW)
    huge = replace(RUN, program=Program(command="x" * 5_000_000))
    for number in range(20):
        hub.publish(replace(huge, id=number))

    assert hub._bytes <= hubs.MOST_BYTES
    assert hub.covers(hub.seq)


def test_not_encoded_unwatched() -> None:
    """An event nobody watches is never made into JSON."""
    hub = Hub(NOW)
    hub.publish(run(1))

    assert all("frame" not in vars(event) for event in hub._log.values())


def test_later_scheduler() -> None:
    """The numbers of an earlier scheduler, and those of none, are not taken for one's own."""
    old, new = Hub(NOW), Hub(NOW + 1)
    old.publish(run(1))

    assert not new.covers(old.seq)
    assert not old.covers(new.seq)
    assert new.covers(new.seq)


async def test_wait() -> None:
    """A change that came before the wait is not slept through."""
    hub = Hub(NOW)
    with hub.watch() as watcher:
        hub.publish(run(1))
        await asyncio.wait_for(hub.wait(watcher), 1)

        assert not watcher.woken.is_set()


async def test_close() -> None:
    """When the scheduler ends, all who wait and all who come to wait are sent away."""
    hub = Hub(NOW)
    with hub.watch() as watcher:
        waiting = asyncio.ensure_future(hub.wait(watcher))
        await asyncio.sleep(0)
        hub.close()
        for wait in (waiting, hub.wait(watcher)):
            with pytest.raises(ClosedError):
                await asyncio.wait_for(wait, 1)

    assert 0 == hub.watchers
