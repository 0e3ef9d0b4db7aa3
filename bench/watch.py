"""The live screen: how soon it is there, what it costs at rest, how soon it shows a change among thousands.

It runs as a process on a terminal of 120 x 40. A text counts as shown when the terminal has it. The scheduler of the
busy part is a process of its own that only publishes: a real one could not make changes as fast.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.figures import Figure, Rival, Sizes, at_quantile, in_turns
from bench.place import Commands, Process, folder
from bench.store import fill, waiting
from bench.terminal import Terminal, terminal
from sshsched.domain.model import Run
from sshsched.domain.states import State
from sshsched.store.store import open_store
from tests.cli.driver import CLI
from tests.service.scheduler import Scheduler

LIVE = 5000
FIRST = 1_000_000  # the number of the first live run
RATE = 2000  # changes a second
EVERY = 0.005
BUSY = 1.0  # seconds of changes before the last one
WATCH = [*CLI, "watch"]
EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("nothing")
Empty().run()
"""


def figures(sizes: Sizes) -> Iterator[Figure]:
    """Medians, and for keys the slowest."""
    with folder() as where:
        place = _filled(where, sizes.history)
        contenders = {"ours": lambda: _first_frame(place, sizes.history), "empty": lambda: _empty(place)}
        took = in_turns(contenders, sizes.rounds)
        first, rival = took["ours"] * 1000, Rival("an empty Textual app", took["empty"] * 1000)
        among = f"among {sizes.history:,} stored runs"
        yield Figure(f"watch: first frame {among}", first, "ms", rival, "< 500 ms", first < 500)
        with _served(place) as scheduler, terminal(WATCH, place.env) as screen:
            screen.seen(f"r{FIRST + LIVE - 1}")
            time.sleep(3)  # all that comes with the start is done
            share = Process(screen.pid).share(sizes.idle)
            yield Figure(f"watch: idle, {LIVE:,} live runs: processor", share, "%", aim="< 2 %", met=share < 2)
            yield from _busy(scheduler, screen, sizes.rounds)


def _filled(where: Path, count: int) -> Commands:
    place = Commands(where)

    async def main() -> None:
        async with open_store(place.state) as store:
            await fill(store, count)

    asyncio.run(main())
    return place


def _first_frame(place: Commands, newest: int) -> float:
    with terminal(WATCH, place.env) as screen:
        return screen.seen(f"r{newest}") - screen.began


def _empty(place: Commands) -> float:
    """The same for a screen that says one word."""
    with terminal([sys.executable, "-c", EMPTY], place.env) as screen:
        return screen.seen("nothing") - screen.began


def _busy(scheduler: subprocess.Popen[str], screen: Terminal, rounds: int) -> Iterator[Figure]:
    process, delays, keys = Process(screen.pid), [], []
    began, before = time.monotonic(), process.cpu()
    for turn in range(rounds):
        _tell(scheduler, f"go {turn}")
        for key, text in (("3", "PROBLEM"), ("2", "SCHEDULE"), ("1", "STATE")):
            time.sleep(BUSY / 5)
            keys.append((screen.seen_after(key, text)) * 1000)
        at = float(_answer(scheduler))
        delays.append((screen.seen(f"last-{turn}-") - at) * 1000)
    share = (process.cpu() - before) / (time.monotonic() - began) * 100
    delay, slowest = statistics.median(delays), max(keys)
    name = f"watch: {RATE:,} changes a second among {LIVE:,} live runs"
    yield Figure(f"{name}: the last one", delay, f"ms (max {max(delays):.0f})", aim="< 250 ms", met=delay < 250)
    median = f"ms (median {at_quantile(keys, 0.5):.0f})"
    yield Figure(f"{name}: a key, at worst", slowest, median, aim="< 50 ms", met=slowest < 50)
    yield Figure(f"{name}: processor", share, "%")


@contextmanager
def _served(place: Commands) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bench.watch", str(place.state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        _answer(child)
        try:
            yield child
        finally:
            child.kill()


def _tell(child: subprocess.Popen[str], words: str) -> None:
    assert child.stdin is not None
    child.stdin.write(f"{words}\n")
    child.stdin.flush()


def _answer(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


class Busy(Scheduler):
    """Live runs that change all the time."""

    def __init__(self) -> None:
        super().__init__(now=time.time())
        self._live = {id: self._running(id, "runs") for id in range(FIRST, FIRST + LIVE)}

    def live(self) -> list[Run]:
        return list(self._live.values())

    async def change(self, turn: str) -> float:
        """So many changes a second for a while, then one that can be seen; when that one was."""
        number, end = 0, time.monotonic() + BUSY
        next_at = time.monotonic()
        while next_at < end:
            for _ in range(int(RATE * EVERY)):
                number += 1
                self._publish(FIRST + number % (LIVE - 1), f"step {number}")
            next_at += EVERY
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))
        at = time.monotonic()
        self._publish(FIRST + LIVE - 1, f"last-{turn}-")
        return at

    def _publish(self, id: int, message: str) -> None:
        self._live[id] = self._running(id, message)
        self.hub.publish(self._live[id])

    def _running(self, id: int, message: str) -> Run:
        now = time.time()
        state = State.WAITING if id % 2 else State.RUNNING
        return replace(waiting(id), state=state, created_at=now, started_at=now, message=message)


async def serve(state_dir: Path) -> None:
    """Answers each line with the time of the last change."""
    async with Busy().served(state_dir) as scheduler:
        assert isinstance(scheduler, Busy)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while line := await asyncio.to_thread(sys.stdin.readline):
            sys.stdout.write(f"{await scheduler.change(line.split()[1])}\n")
            sys.stdout.flush()


if __name__ == "__main__":  # the scheduler's process
    asyncio.run(serve(Path(sys.argv[1])))
