"""Every 15 minutes: a fixed interval, counted from 1970-01-01T00:00Z.

DST: none. The times are instants, so a zone's clocks do not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sshsched.kinds.schedules.base import MAX_INTERVAL, MIN_INTERVAL, Schedule, Target, local_args, micros, steps


@dataclass(frozen=True)
class Every(Schedule):
    """phase, phase + interval, phase + 2 interval, ... seconds after the epoch; exact to the microsecond.

    Raises ValueError unless 0.1 <= interval <= a hundred years and 0 <= phase < interval. Apsis counts from the year 1
    whatever its manual says; we count from 1970, as that says.
    """

    interval: float
    phase: float = 0.0

    def __post_init__(self) -> None:
        micros(self.interval, "every", MIN_INTERVAL, MAX_INTERVAL)
        micros(self.phase, "phase", 0.0, self.interval)

    def __str__(self) -> str:
        return f"every {self.interval:g} s" + (f" from {self.phase:g} s" if self.phase else "")

    def entries(self, instant: float) -> Iterator[Target]:
        interval = micros(self.interval, "every", MIN_INTERVAL, MAX_INTERVAL)
        for at in steps(round(self.phase * 1e6), interval, instant):
            yield Target(at, at, local_args(at, "UTC"))

    @property
    def dst(self) -> str:
        return "counted in UTC: changes of clocks do not matter"
