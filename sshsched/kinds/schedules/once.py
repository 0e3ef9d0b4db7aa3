"""Once, or at times that are written down one by one.

DST: the times are instants by the time they come here. Whoever reads a wall time uses `zones.moment`, which refuses one
in a gap and takes the first of an overlap.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from sshsched.kinds.schedules.base import Schedule, Target, local_args
from sshsched.kinds.zones import FIRST, LAST, iso, zone


@dataclass(frozen=True)
class Once(Schedule):
    """At each of these instants. `tz` is the zone in which a run is told its date and time of day.

    Raises ValueError if there is none, one is named twice, or one is before 1970.
    """

    times: tuple[float, ...]
    tz: str = "UTC"

    def __post_init__(self) -> None:
        zone(self.tz)
        if not self.times:
            raise ValueError("times: none are given; write at least one")
        for at in self.times:
            if not FIRST <= at < LAST:
                raise ValueError(f"times: {at:g} is not between the years 1970 and 9990; write 2024-03-10T02:30")
        if len(set(self.times)) < len(self.times):
            twice = next(at for at in self.times if self.times.count(at) > 1)
            raise ValueError(f"times: {iso(twice)} is named twice; remove one")

    def __str__(self) -> str:
        return "once at " + ", ".join(map(iso, sorted(self.times)[:3])) + (", ..." if len(self.times) > 3 else "")

    def entries(self, instant: float) -> Iterator[Target]:
        times = sorted(map(float, self.times))
        for at in times[bisect_right(times, instant) :]:
            yield Target(at, at, local_args(at, self.tz))

    @property
    def dst(self) -> str:
        return "fixed instants: changes of clocks do not matter"
