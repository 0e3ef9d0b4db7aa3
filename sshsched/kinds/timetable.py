"""What lies ahead of all jobs: a heap of next times, and how far each schedule has been asked.

Rule: no clock. Whoever has one puts jobs in, takes out what is due, and saves each cursor in the transaction that makes
the runs that came with it. A schedule is known by its job and by all that its times follow from, so that a changed
command or stop goes on where it was, while changed times are a new schedule, which begins now.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, time
from hashlib import sha256
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, Final

from sshsched.domain.instructions import SaveCursor
from sshsched.kinds.calendars import Calendar
from sshsched.kinds.due import Dropped, due, explain
from sshsched.kinds.jobs import Job, Scheduled
from sshsched.kinds.schedules.base import Target
from sshsched.kinds.schedules.reboot import Reboot
from sshsched.kinds.zones import iso

AT_ONCE: Final = 100  # targets of one schedule in one go
RETRY: Final = 60.0  # seconds until a schedule whose code raised is asked again

Key = tuple[str, str]
"""Job id and identity of the schedule."""


@dataclass(frozen=True, slots=True)
class Fallen:
    """What fell due of one schedule, what of it is not made up for, and how far it has come with that."""

    job: Job
    timed: Scheduled
    targets: tuple[Target, ...]
    dropped: tuple[Dropped, ...]
    cursor: SaveCursor


@dataclass(slots=True, eq=False)
class _Place:
    """A schedule and up to when it has been asked. `next_at` of None: nothing comes any more."""

    key: Key
    job: Job
    timed: Scheduled
    until: float
    next_at: float | None = None


_Entry = tuple[float, int, _Place]
"""When, a number that is never compared twice, and what."""


@dataclass(slots=True)
class Timetable:
    """All schedules of all jobs."""

    _places: dict[Key, _Place] = field(default_factory=dict)
    _keys: dict[str, list[Key]] = field(default_factory=dict)
    _problems: dict[Key, str] = field(default_factory=dict)
    _heap: list[_Entry] = field(default_factory=list)
    _serial: count[int] = field(default_factory=count)

    def put(self, job: Job, cursors: Mapping[Key, float], begin: float, now: float) -> list[SaveCursor]:
        """The job as it is from now on; what is due of it as it was has been taken. Returns what is to be saved.

        A schedule that is new here goes on from its stored cursor, or from `begin` if it has none.
        """
        saves: list[SaveCursor] = []
        keys = list(identities(job))
        for key in self._keys.get(job.id, []):
            if key not in keys:
                saves.append(self._forget(key))
        for key, timed in zip(keys, job.schedules, strict=True):
            place = self._places.get(key)
            if place is not None and place.timed == timed:
                place.job, place.timed = job, timed
                continue
            if place is None:
                place = self._places[key] = _Place(key, job, timed, cursors.get(key, begin))
            else:
                place.job, place.timed, place.until = job, timed, max(place.until, now)
            if cursors.get(key) != place.until:
                saves.append(SaveCursor(*key, place.until))
            self._push(place, now)
        self._keys[job.id] = keys
        return saves

    def drop(self, job_id: str) -> list[SaveCursor]:
        """The job is gone, and its future with it. Returns what is to be saved."""
        return [self._forget(key) for key in self._keys.pop(job_id, [])]

    def take(self, now: float, most: int) -> list[Fallen]:
        """What is due by now, earliest first, of so many schedules and about so many targets at most.

        Ask again while `next_at` is not after now.
        """
        found: list[Fallen] = []
        targets = 0
        for _ in range(most):
            if targets >= most or (at := self.next_at) is None or at > now:
                break
            place = heappop(self._heap)[2]
            if (fallen := self._asked(place, now)) is not None:
                found.append(fallen)
                targets += len(fallen.targets)
        return found

    @property
    def next_at(self) -> float | None:
        """When there is something to take; None for never."""
        while self._heap and not self._current(self._heap[0]):
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def next_run(self) -> tuple[float, str] | None:
        """When the next run is due, and of which job; None if no run will ever be."""
        if self.next_at is not None and (first := _run_of(self._heap[0][2], self._problems)) is not None:
            return first
        runs = (_run_of(place, self._problems) for place in self._places.values())
        return min((run for run in runs if run is not None), default=None)

    def problems(self) -> list[str]:
        """Schedules that could not be asked, and why."""
        return list(self._problems.values())

    def reboots(self) -> Iterator[tuple[Job, Scheduled, Reboot]]:
        """The schedules that run once after each boot."""
        for place in self._places.values():
            if isinstance(place.timed.schedule, Reboot) and place.timed.options.enabled:
                yield place.job, place.timed, place.timed.schedule

    def __contains__(self, key: Key) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def _asked(self, place: _Place, now: float) -> Fallen | None:
        job, timed = place.job, place.timed
        try:
            found = due(timed.schedule, timed.options, place.until, now, job=job.id, at_once=AT_ONCE)
        except Exception as error:  # the code of a schedule may be anybody's
            self._fail(place, error, now)
            return None
        place.until = found.until
        self._push(place, now)
        note = "; ".join(map(_said, found.dropped))
        return Fallen(job, timed, found.targets, found.dropped, SaveCursor(*place.key, found.until, now, note))

    def _push(self, place: _Place, now: float) -> None:
        try:
            entries = explain(place.timed.schedule, place.timed.options, place.until, job=place.job.id)
            place.next_at = next((entry.at for entry in entries if isinstance(entry, Target)), None)
            self._problems.pop(place.key, None)
        except Exception as error:
            self._fail(place, error, now)
            return
        if place.next_at is not None:
            heappush(self._heap, (place.next_at, next(self._serial), place))
        self._thin_out()

    def _fail(self, place: _Place, error: Exception, now: float) -> None:
        """It costs only itself: its cursor stays, and it is asked again later."""
        self._problems[place.key] = f"job '{place.job.id}': its schedule {place.timed.schedule} fails: {error!r}"
        place.next_at = now + RETRY
        heappush(self._heap, (place.next_at, next(self._serial), place))

    def _forget(self, key: Key) -> SaveCursor:
        self._places.pop(key).next_at = None
        self._problems.pop(key, None)
        return SaveCursor(*key, None)

    def _current(self, entry: _Entry) -> bool:
        at, _, place = entry
        return self._places.get(place.key) is place and place.next_at == at

    def _thin_out(self) -> None:
        """Entries that no longer hold go as they come up, or when they are the most."""
        if len(self._heap) > 2 * len(self._places) + 100:
            live = [place for place in self._places.values() if place.next_at is not None]
            self._heap = [(place.next_at or 0.0, next(self._serial), place) for place in live]
            heapify(self._heap)


def _run_of(place: _Place, problems: Collection[Key]) -> tuple[float, str] | None:
    if place.next_at is None or not place.timed.options.enabled or place.key in problems:
        return None
    return place.next_at, place.job.id


def identities(job: Job) -> Iterator[Key]:
    """What each schedule of a job is known by, after a restart too; the same twice in a job is numbered."""
    seen: dict[str, int] = {}
    for timed in job.schedules:
        options = timed.options
        told = [_plain(timed.schedule), _plain(options.args), options.jitter, _plain(options.valid)]
        name = sha256(json.dumps(told).encode()).hexdigest()[:16]
        seen[name] = seen.get(name, 0) + 1
        yield job.id, name if seen[name] == 1 else f"{name}#{seen[name]}"


def _plain(value: Any) -> Any:
    """As JSON, the same in every process. A calendar counts by its name: it gains dates every year."""
    if isinstance(value, Calendar):
        return value.name
    if is_dataclass(value):
        return [type(value).__name__, *(_plain(getattr(value, each.name)) for each in fields(value))]
    if isinstance(value, Mapping):
        return sorted((str(name), _plain(each)) for name, each in value.items())
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, date | time):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _said(dropped: Dropped) -> str:
    times = "1 time" if dropped.count == 1 else f"{dropped.count} times"
    return f"not run: {times} after {iso(dropped.since)} and until {iso(dropped.until)}: {dropped.reason}"
