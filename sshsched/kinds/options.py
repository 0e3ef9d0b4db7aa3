"""What every schedule can be given besides its times: args, jitter, a stop, limits, and what to do with late runs.

Rule: plain data that has checked itself; constructors raise ValueError with a remedy.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from sshsched.kinds.schedules.base import MAX_INTERVAL, Target, micros
from sshsched.kinds.zones import gap_end, instants, iso, wall, zone


class Policy(StrEnum):
    """What becomes of runs whose time passed while no scheduler was there to start them."""

    ALL = "all"
    LATEST = "latest"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class CatchUp:
    """`latest`, which is the default, starts the newest of the late runs, unless a newer one is on time.

    A late run that is older than `max_age` seconds is dropped. What is at most two minutes behind is not late.
    """

    policy: Policy = Policy.LATEST
    max_age: float | None = None

    def __post_init__(self) -> None:
        if self.max_age is not None:
            micros(self.max_age, "max_age", 1.0, MAX_INTERVAL)


@dataclass(frozen=True, slots=True)
class Valid:
    """Only what is scheduled in [begin, until) counts. Whoever writes times there reads them with `zones.moment`."""

    begin: float | None = None
    until: float | None = None

    def __post_init__(self) -> None:
        if self.begin is not None and self.until is not None and self.begin >= self.until:
            raise ValueError(f"valid: until {iso(self.until)} must come after from {iso(self.begin)}")


@dataclass(frozen=True, slots=True)
class StopAfter:
    """A run's program is stopped so many seconds after its scheduled time, whenever it started."""

    duration: float

    def __post_init__(self) -> None:
        micros(self.duration, "stop", 1.0, MAX_INTERVAL)

    def at(self, scheduled: float) -> float:
        return scheduled + self.duration


@dataclass(frozen=True, slots=True)
class StopAt:
    """A run's program is stopped when the clock next shows a time, strictly after its scheduled time.

    DST: a stop is never left out. In a gap it is at the first instant after the gap; in an overlap whichever of the two
    comes next.
    """

    daytime: time
    tz: str

    def __post_init__(self) -> None:
        zone(self.tz)

    def at(self, scheduled: float) -> float:
        day = wall(scheduled, self.tz).date()
        while True:
            shown = datetime.combine(day, self.daytime)
            for at in instants(shown, self.tz) or (gap_end(shown, self.tz),):
                if at > scheduled:
                    return at
            day += timedelta(days=1)


def stop_rule(stop: StopAfter | StopAt | None) -> str:
    """As text, which a run keeps: `1800`, `17:00:00 Europe/Berlin`, or nothing."""
    if stop is None:
        return ""
    return f"{stop.duration!r}" if isinstance(stop, StopAfter) else f"{stop.daytime.isoformat()} {stop.tz}"


def stop_time(rule: str, scheduled: float) -> float | None:
    """When a run of this time is to be stopped by the rule that it keeps. Raises ValueError for a text that is none."""
    if not rule:
        return None
    first, _, tz = rule.partition(" ")
    stop = StopAt(time.fromisoformat(first), tz) if tz else StopAfter(float(first))
    return stop.at(scheduled)


UNLIMITED: Final = Valid()
CATCH_UP: Final = CatchUp()


@dataclass(frozen=True, slots=True)
class Options:
    """What is common to all types of schedule. `jitter` is in whole seconds."""

    args: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True
    jitter: int = 0
    valid: Valid = UNLIMITED
    stop: StopAfter | StopAt | None = None
    catch_up: CatchUp = CATCH_UP

    def __post_init__(self) -> None:
        if not 0 <= self.jitter <= MAX_INTERVAL:
            raise ValueError(f"jitter: {self.jitter} must be between 0 and a hundred years, in whole seconds")
        if isinstance(self.stop, StopAfter) and self.jitter >= self.stop.duration:
            stop = f"stop, which comes {self.stop.duration:g} s after the scheduled time"
            raise ValueError(f"jitter: {self.jitter} s must be shorter than {stop}")

    def stop_time(self, target: Target) -> float | None:
        """When a run's program is to be stopped; None if it may take its time. A rerun asks anew, for its own time."""
        return None if self.stop is None else self.stop.at(target.scheduled)

    def run_args(self, target: Target, params: Collection[str]) -> dict[str, str]:
        """The args that a run gets from its schedule: the given ones, and what its params ask of the time."""
        offered = {name: value for name, value in target.args.items() if name in params}
        return offered | dict(self.args)
