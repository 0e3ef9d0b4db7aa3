"""What happens in this process, counted for whoever operates it.

Rule: counting costs about a microsecond, and imports nothing; `metrics.py` tells it to those who ask.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sshsched.domain.instructions import Saving
from sshsched.domain.model import Run
from sshsched.domain.shape import elapsed
from sshsched.domain.states import State
from sshsched.engine.core import Saver
from sshsched.service.hub import Hub

LAG_EVERY: Final = 1.0

LATENESS: Final = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
DURATION: Final = (0.1, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)
COMMIT: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
LAG: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)


@dataclass(slots=True)
class Histogram:
    """Seconds, counted by the upper bounds of their buckets."""

    bounds: Sequence[float]
    counts: list[int] = field(init=False)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Each bound with how many were at most that, as the format wants it."""
        seen = 0
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            seen += count
            yield ("+Inf" if bound == float("inf") else repr(float(bound))), seen


class Meters:
    """What has been counted since this process began; told of every saved run, live ones at the begin included."""

    def __init__(self, live: Iterable[Run] = ()) -> None:
        self.finished: Counter[State] = Counter()
        self.lateness = Histogram(LATENESS)
        self.duration = Histogram(DURATION)
        self.commits = Histogram(COMMIT)
        self.lag = Histogram(LAG)
        self.successes: dict[str, float] = {}
        """When each job last succeeded, of those that have since this process began."""
        self._known: dict[int, tuple[bool, bool]] = {run.id: _place(run) for run in live}

    def saw(self, run: Run) -> None:
        """A run as it has just been saved."""
        started, finished = _place(run)
        had_started, had_finished = self._known.get(run.id, (False, False))
        if started and not had_started and run.started_at is not None:
            self.lateness.observe(max(0.0, run.started_at - run.due_at))
        if finished and not had_finished:
            self._ended(run)
        if run.settled:
            self._known.pop(run.id, None)
        else:
            self._known[run.id] = (started, finished)

    async def watch_the_loop(self) -> None:
        """How late the loop is to wake us, over and over."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(LAG_EVERY)
            self.lag.observe(max(0.0, time.monotonic() - began - LAG_EVERY))

    def _ended(self, run: Run) -> None:
        self.finished[run.state] += 1
        if (took := elapsed(run)) is not None:
            self.duration.observe(took)
        if run.state is State.SUCCESS and run.job_id is not None and run.finished_at is not None:
            self.successes[run.job_id] = run.finished_at


def _place(run: Run) -> tuple[bool, bool]:
    return run.started_at is not None, run.finished


class TimedStore:
    """The store, with its commits timed."""

    def __init__(self, store: Saver, meters: Meters) -> None:
        self._store = store
        self._meters = meters

    async def commit(self, saves: Sequence[Saving]) -> None:
        """See Store.commit()."""
        began = time.perf_counter()
        await self._store.commit(saves)
        self._meters.commits.observe(time.perf_counter() - began)


class CountedHub(Hub):
    """Publishes, and counts what it publishes."""

    def __init__(self, now: float, meters: Meters) -> None:
        super().__init__(now)
        self._meters = meters

    def publish(self, run: Run) -> None:
        """See Hub.publish()."""
        self._meters.saw(run)
        super().publish(run)
