"""What has changed, for everybody who watches.

Rule: the engine is never held up, and nobody's slowness costs memory. The hub keeps one log in which each run, host and
output stands once, at the number of its latest change; a watcher is only a place in that log. Whoever is slow finds
several changes folded into the last; a reload of jobs is never folded. Whoever has fallen out
of the log starts over with a snapshot.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from sshsched.domain.model import Run
from sshsched.domain.shape import Shape, run_shape

MOST_EVENTS = 8192
MOST_BYTES = 32 * 1024 * 1024


@dataclass(eq=False)
class Event:
    """The latest change of one thing. `weight` is about the bytes that it keeps in memory."""

    seq: int
    kind: str
    run_id: int | None
    host: str | None
    weight: int
    shape: Callable[[], Shape]

    @cached_property
    def frame(self) -> bytes:
        """The event as it goes over the wire; made once, and only if somebody watches."""
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self.seq, self.kind.encode(), msgspec.json.encode(self.shape()))


@dataclass(eq=False)
class Watcher:
    """Somebody's place in the log. `runs` of None is all runs, otherwise only these and their `hosts` count."""

    seq: int
    runs: frozenset[int] | None = None
    hosts: frozenset[str] = frozenset()
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wants(self, event: Event) -> bool:
        if self.runs is None:
            return True
        return event.host in self.hosts if event.kind == "host" else event.run_id in self.runs


class ClosedError(Exception):
    """The scheduler is ending: what is being streamed cannot be finished."""


class Hub:
    """Sequence numbers, the log and the watchers. Everything is called on the engine's loop.

    `now` (seconds since 1970) is where the numbers begin, in microseconds: so those of an earlier scheduler are always
    too old, and no client mistakes a new scheduler's events for the rest of an old one's.
    """

    def __init__(self, now: float) -> None:
        self.seq = int(now * 1_000_000)
        self.closed = False
        self._floor = self.seq
        self._log: OrderedDict[tuple[str, int | str], Event] = OrderedDict()
        self._bytes = 0
        self._watchers: set[Watcher] = set()

    def publish(self, run: Run) -> None:
        """A run has changed, and the change is saved."""
        self._append(("run", run.id), "run", run.id, None, _weight(run), lambda: run_shape(run))

    def publish_host(self, shape: Shape) -> None:
        """A host has changed; `shape` has its name under `host`."""
        self._append(("host", shape["host"]), "host", None, shape["host"], 1000, lambda: shape)

    def publish_output(self, run_id: int, stdout_size: int, stderr_size: int) -> None:
        """Output of a run has arrived; the sizes are what can be read now."""
        shape = {"run": f"r{run_id}", "stdout_size": stdout_size, "stderr_size": stderr_size}
        self._append(("output", run_id), "output", run_id, None, 300, lambda: shape)

    def publish_jobs(self, shape: Shape) -> None:
        """Jobs have been added, removed or changed, or their files have other problems than before."""
        weight = 1000 + 50 * sum(len(names) for names in shape.values() if isinstance(names, list))
        self._append(("jobs", self.seq), "jobs", None, None, weight, lambda: shape)

    def close(self) -> None:
        """Send everybody away."""
        self.closed = True
        for watcher in self._watchers:
            watcher.woken.set()

    @contextmanager
    def watch(self, runs: frozenset[int] | None = None, hosts: frozenset[str] = frozenset()) -> Iterator[Watcher]:
        """A place in the log, at its present end, while entered."""
        watcher = Watcher(self.seq, runs, hosts)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    @property
    def watchers(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def covers(self, seq: int) -> bool:
        """Whether everything that changed after this number is still known."""
        return self._floor <= seq <= self.seq

    def take(self, watcher: Watcher) -> list[Event] | None:
        """What changed after the watcher's place, oldest first; its place is then the end. None if any is lost."""
        if not self.covers(watcher.seq):
            return None
        events: list[Event] = []
        for event in reversed(self._log.values()):
            if event.seq <= watcher.seq:
                break
            if watcher.wants(event):
                events.append(event)
        watcher.seq = self.seq
        return events[::-1]

    async def wait(self, watcher: Watcher) -> None:
        """Return once something that the watcher wants has happened since it was last asked. Raises ClosedError."""
        if not self.closed:
            await watcher.woken.wait()
        watcher.woken.clear()
        if self.closed:
            raise ClosedError

    def _append(
        self,
        key: tuple[str, int | str],
        kind: str,
        run_id: int | None,
        host: str | None,
        weight: int,
        shape: Callable[[], Shape],
    ) -> None:
        self.seq += 1
        event = Event(self.seq, kind, run_id, host, weight, shape)
        if old := self._log.pop(key, None):
            self._bytes -= old.weight
        self._log[key] = event
        self._bytes += weight
        while len(self._log) > MOST_EVENTS or (self._bytes > MOST_BYTES and len(self._log) > 1):
            self._forget()
        for watcher in self._watchers:
            if watcher.wants(event):
                watcher.woken.set()

    def _forget(self) -> None:
        _, event = self._log.popitem(last=False)
        self._bytes -= event.weight
        self._floor = event.seq


def _weight(run: Run) -> int:
    program = run.program
    texts = (program.command or "", program.stdin or "", *program.argv, *program.env.values(), *run.args.values())
    return 2000 + 2 * sum(map(len, texts))
