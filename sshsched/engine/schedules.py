"""The jobs that are loaded, and the runs that their schedules make.

Rule: what is due is made into runs together with the place that each schedule has come to, in one turn of the core; so
whenever this process dies, the next one asks again for exactly what was not made. The wall clock is looked at once a
second and at each due time, so that jumps of it, and sleep, are met with the policy of `kinds/due.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sshsched.domain.instructions import SaveCursor
from sshsched.domain.shape import Shape, iso
from sshsched.engine.changes import Changes, compare
from sshsched.engine.made import Made, made
from sshsched.errors import Problem
from sshsched.kinds.jobs import Job, Render
from sshsched.kinds.timetable import Fallen, Key, Timetable

TICK = 1.0
MOST = 100  # runs made in one turn, so that a crowd does not hold up the rest
SLICE = 50  # jobs taken in at a time: the loop is never held for long
REMEMBERED = 20  # times that were dropped, in the status
BOOT = "boot:"  # begins the cursor, of no job, that tells for which boot of this machine @reboot has been seen to

JOBS = "jobs"  # the folder of all job files

log = logging.getLogger("sshsched")
T = TypeVar("T")


class Folder(Protocol):
    """Where jobs come from. `load` and `stamp` block, and are called in threads."""

    render: Render

    def load(self) -> tuple[Mapping[str, Job], Sequence[Problem]]: ...
    def stamp(self) -> object: ...


@dataclass(frozen=True, slots=True)
class Begin:
    """What a scheduler that runs schedules begins with.

    `boot` names the boot of this machine, and `since` is where schedules begin that no scheduler has seen yet.
    """

    folder: Folder
    cursors: Mapping[Key, float]
    boot: str = ""
    since: float | None = None


Make = Callable[[float, Sequence[Made], Sequence[SaveCursor]], Awaitable[None]]
"""Make these runs and move these cursors, at this instant; returns once both are saved."""


class Schedules:
    """`begin()`, and then `run()` for ever."""

    def __init__(self, given: Begin, make: Make, changed: Callable[[Shape], None], clock: Callable[[], float]) -> None:
        self.jobs: Mapping[str, Job] = {}
        self.last = Changes({})
        self.loaded_from: object = None
        self.folder = given.folder
        self._given = given
        self._make = make
        self._changed = changed
        self._clock = clock
        self._table = Timetable()
        self._unclaimed = dict(given.cursors)
        self._dropped: deque[Shape] = deque(maxlen=REMEMBERED)
        self._complained: set[str] = set()
        self._turn = asyncio.Lock()
        self._reload = asyncio.Lock()
        self._woken = asyncio.Event()

    async def begin(self) -> None:
        """Load the jobs; each schedule goes on from where it was."""
        boots = {key for key in self._unclaimed if not key[0]}
        for key in boots:
            del self._unclaimed[key]
        await self.reload(begin=self._given.since)
        this = ("", BOOT + self._given.boot)
        if self._given.boot and this not in boots:
            await self._booted(this, boots)

    async def run(self) -> None:
        """Make runs when their time comes, until cancelled."""
        while True:
            self._woken.clear()
            pause = await self.turn()
            try:
                await asyncio.wait_for(self._woken.wait(), pause)
            except TimeoutError:
                continue

    async def turn(self) -> float:
        """Make the runs that are due; seconds until there may be more."""
        async with self._turn:
            now = self._clock()
            await self._take(now)
        self._complain()
        next_at = self._table.next_at
        return TICK if next_at is None else min(TICK, max(0.0, next_at - now))

    async def reload(self, *, dry_run: bool = False, begin: float | None = None) -> Changes:
        """Take the files as they are now; new schedules begin at `begin`, or now. Never raises for what is in them."""
        async with self._reload:
            stamp, changes = await asyncio.to_thread(self._compared)
            if dry_run:
                return changes
            self.loaded_from = stamp
            await self._apply(changes, begin)
            news = changes.any or changes.problems != self.last.problems
            self.last = changes
            self._complain()
            if news:
                log.info("jobs: %s", changes.words())
                self._changed(changes.shape())
            self._woken.set()
            return changes

    def status(self) -> Shape:
        """How many jobs there are, what comes next, and what is wrong."""
        found = self._table.next_run()
        return {
            "count": len(self.jobs),
            "schedules": len(self._table),
            "next": None if found is None else {"job": found[1], "at": iso(found[0])},
            "problems": [*self.last.problems, *self._table.problems()],
            "warnings": list(self.last.warnings),
            "dropped": list(self._dropped),
        }

    @property
    def waits(self) -> bool:
        """Whether time may bring a run."""
        return self._table.next_at is not None

    # Inside ----------------------------------------------------------------------------------------------------------

    async def _take(self, now: float) -> None:
        while (at := self._table.next_at) is not None and at <= now:
            fallen = self._table.take(now, MOST)
            for each in fallen:
                self._tell(each, now)
            runs = [
                made(each.job, each.timed, target, self.folder.render) for each in fallen for target in each.targets
            ]
            await self._make(now, runs, [each.cursor for each in fallen])

    def _tell(self, fallen: Fallen, now: float) -> None:
        if note := fallen.cursor.note:
            log.warning("job '%s': %s", fallen.job.id, note)
            missed = sum(each.count for each in fallen.dropped)
            self._dropped.append({"job": fallen.job.id, "at": iso(now), "count": missed, "message": note})

    def _compared(self) -> tuple[object, Changes]:
        """In a thread: jobs are frozen, and only a reload replaces them."""
        stamp = self.folder.stamp()
        try:
            jobs, problems = self.folder.load()
        except Exception as error:  # files are of people's making, and those that were good still are
            jobs, problems = {}, [Problem(JOBS, 1, 1, "", f"the files cannot be read: {error!r}")]
        return stamp, compare(self.jobs, jobs, problems, self._clock())

    async def _apply(self, changes: Changes, begin: float | None) -> None:
        async with self._turn:
            now = self._clock()
            await self._take(now)  # what is due by now is due as the files were
            self.jobs = changes.jobs
            saves: list[SaveCursor] = []
            for names in _slices(changes.removed, SLICE):
                saves += [save for name in names for save in self._table.drop(name)]
                await asyncio.sleep(0)
            for names in _slices((*changes.added, *changes.changed), SLICE):
                for name in names:
                    start = now if begin is None else begin
                    saves += self._table.put(changes.jobs[name], self._unclaimed, start, now)
                await asyncio.sleep(0)
            saves += self._orphans(changes)
            for part in _slices(saves, 10 * SLICE):
                await self._make(now, (), part)

    def _orphans(self, changes: Changes) -> list[SaveCursor]:
        """Cursors of the store that nobody claimed, unless their job may be in a file that cannot be read now."""
        left = {key: at for key, at in self._unclaimed.items() if key not in self._table}
        self._unclaimed = {key: at for key, at in left.items() if key[0] not in changes.jobs and changes.holds(key[0])}
        return [SaveCursor(*key, None) for key in left if key not in self._unclaimed]

    async def _booted(self, this: Key, others: set[Key]) -> None:
        """This machine has booted since a scheduler last came up here."""
        async with self._turn:
            now = self._clock()
            runs = [
                made(job, timed, kind.started(now), self.folder.render) for job, timed, kind in self._table.reboots()
            ]
            await self._make(now, runs, [*(SaveCursor(*key, None) for key in others), SaveCursor(*this, now)])

    def _complain(self) -> None:
        """Once about each thing that is wrong, and again if it comes back."""
        wrong = {*self.last.problems, *self.last.warnings, *self._table.problems()}
        for problem in sorted(wrong - self._complained):
            log.warning("%s", problem)
        self._complained = wrong


def _slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[begin : begin + size] for begin in range(0, len(items), size))
