"""What every schedule is: frozen data that tells its times, in order, from any instant on.

Rule: a schedule has no clock. Its times are a fixed list from 1970 on, which nothing that happens can change; so asking
again from a later instant gives the same times, less those that are not after it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from sshsched.kinds.zones import FIRST, LAST, iso, wall

MIN_INTERVAL: Final = 0.1
MAX_INTERVAL: Final = 36525 * 86400.0
MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """A time at which a run is due, and what the schedule says of it.

    `at` is when it is due and `scheduled` the time on the schedule: the same, unless there is jitter. `args` are for
    the params of those names, where the job has them. `note` marks a change of the clocks, if there is one.
    """

    at: float
    scheduled: float
    args: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


class Why(StrEnum):
    """Why a schedule does not run where one could expect it."""

    GAP = "gap"
    CALENDAR_END = "calendar-end"
    NOT_VALID = "not-valid"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Skip:
    """No run here, and why. After all but GAP nothing comes any more."""

    at: float
    why: Why
    note: str


@dataclass(frozen=True)
class Schedule:
    """A kind of schedule says what comes after an instant; the rest follows. Constructors raise ValueError."""

    def explain(self, instant: float) -> Iterator[Target | Skip]:
        """All times strictly after an instant (seconds, UTC) in order, with those left out between them. Lazy, often
        endless, never raises: where a calendar ends, the last is a Skip that says so."""
        return self.entries(max(instant, FIRST - 1)) if instant < LAST else iter(())

    def after(self, instant: float) -> Iterator[Target]:
        """The same without what is left out."""
        return (entry for entry in self.explain(instant) if isinstance(entry, Target))

    def entries(self, instant: float) -> Iterator[Target | Skip]:
        """As explain(), for an instant in the range of all schedules."""
        raise NotImplementedError

    @property
    def dst(self) -> str:
        """What it does when clocks change, in a few words."""
        return "as its kind has it"

    @property
    def gives(self) -> frozenset[str]:
        """The names of the args that its targets have."""
        return LOCAL_ARGS

    @property
    def known_until(self) -> date | None:
        """The first day that its calendar does not know; None if there is no such day."""
        return None


LOCAL_ARGS: Final = frozenset({"date", "daytime", "time", "schedule_time", "tz"})


def local_args(at: float, tz: str) -> dict[str, str]:
    """What a run may be told of its time: date and time of day in the zone, and the instant."""
    shown, time = wall(at, tz), iso(at)
    return {
        "date": shown.date().isoformat(),
        "daytime": shown.time().isoformat(),
        "time": time,
        "schedule_time": time,
        "tz": tz,
    }


def micros(seconds: float, what: str, least: float, most: float) -> int:
    """Whole microseconds, in which sums are exact. Raises ValueError if not within the limits (`most` excluded)."""
    if not (math.isfinite(seconds) and least <= seconds < most):
        raise ValueError(f"{what}: {seconds:g} s must be at least {least:g} s and less than {most:g} s")
    return round(seconds * MICRO)


def steps(origin: int, interval: int, instant: float) -> Iterator[float]:
    """origin, origin + interval, ...: those strictly after an instant. In microseconds, so that nothing adds up."""
    count = max(0, (math.floor(instant * MICRO) - origin) // interval - 1)
    while True:
        at = (origin + count * interval) / MICRO
        count += 1
        if at >= LAST:
            return
        if at > instant:
            yield at
