"""Every so often during a part of the day: every 10 minutes from 09:30 to 16:00 in New York on workdays.

DST, as in Apsis: where the start or the stop of a date lies in a gap, that date has no runs; in an overlap the first of
the two counts. In between, steps are real seconds: none is lost in a gap, and in an overlap the clock shows some twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from heapq import heappop, heappush, heapreplace
from itertools import islice, takewhile
from typing import Final

from sshsched.kinds.calendars import ALL, Calendar
from sshsched.kinds.schedules.base import (
    LOCAL_ARGS,
    MAX_INTERVAL,
    MICRO,
    MIN_INTERVAL,
    Schedule,
    Skip,
    Target,
    Why,
    micros,
    steps,
)
from sshsched.kinds.schedules.daily import UNSHIFTED, Shift, known_until, nominal_args, nominal_dates, the_end
from sshsched.kinds.zones import gap_end, instants, wall, zone

FEW: Final = 10  # dates, to see how long the part of the day is
SOME: Final = date(2000, 1, 1)  # from here on they are looked at: shifts reach back from it, too
MANY: Final = 60  # dates, to see whether the stop ever comes after the start: weekdays repeat much sooner
LONGEST: Final = timedelta(days=366)  # each day has a part of its own, and all that are open are kept in mind
NONE: Final = timedelta(0)


@dataclass(frozen=True)
class Bound:
    """A time of day, on the nominal date or one near it."""

    daytime: time
    shift: Shift = UNSHIFTED

    def shown(self, nominal: date, calendar: Calendar) -> datetime | None:
        real = self.shift.real(nominal, calendar)
        return None if real is None else datetime.combine(real, self.daytime)


@dataclass(frozen=True)
class DailyInterval(Schedule):
    """start, start + interval, ... before stop, on each date. Windows of two dates may overlap.

    Raises ValueError if the stop can never come after the start, or interval is less than 0.1 s.
    """

    tz: str
    start: Bound
    stop: Bound
    interval: float
    calendar: Calendar = ALL

    def __post_init__(self) -> None:
        zone(self.tz)
        micros(self.interval, "interval", MIN_INTERVAL, MAX_INTERVAL)
        lengths = [stop - start for start, stop in self._first_windows(FEW)]
        if lengths and max(lengths) > LONGEST:
            raise ValueError(f"stop: comes more than {LONGEST.days} days after start; bring them closer together")
        if lengths and max(lengths) <= NONE and all(stop <= start for start, stop in self._first_windows(MANY)):
            raise ValueError(
                f"stop: {self.stop.daytime} must come after start {self.start.daytime}; "
                "for a stop on the next day give it date_shift: 1"
            )

    def __str__(self) -> str:
        hours = f"{self.start.daytime:%H:%M} to {self.stop.daytime:%H:%M}"
        return f"{self.calendar.name} every {self.interval:g} s from {hours} ({self.tz})"

    def entries(self, instant: float) -> Iterator[Target | Skip]:
        """The windows come by their starts; where they overlap their times are merged."""
        open_: list[tuple[float, int, Target, Iterator[Target]]] = []
        for number, (begin, entry) in enumerate(self._windows(instant)):
            yield from _until(begin, open_)
            if isinstance(entry, Skip):
                yield entry
            elif (first := next(entry, None)) is not None:
                heappush(open_, (first.at, number, first, entry))
        yield from _until(None, open_)
        yield from the_end(self.calendar, self.tz)

    def _windows(self, instant: float) -> Iterator[tuple[float, Skip | Iterator[Target]]]:
        """For each date that may still have runs: when it begins, and its runs or why it has none."""
        for nominal in nominal_dates(self.calendar, self.stop.shift, wall(instant, self.tz).date()):
            start, stop = self._window(nominal) or (datetime.max, datetime.min)
            if start >= stop:
                continue
            begins, ends = instants(start, self.tz), instants(stop, self.tz)
            if begins and ends:
                yield begins[0], self._steps(nominal, begins[0], ends[0], instant)
            else:
                at = begins[0] if begins else gap_end(start, self.tz)
                if at > instant:
                    which, shown = ("stop", stop) if begins else ("start", start)
                    note = f"gap: the {which} {shown:%Y-%m-%d %H:%M} does not come in {self.tz}; no runs for {nominal}"
                    yield at, Skip(at, Why.GAP, note)

    def _first_windows(self, count: int) -> Iterator[tuple[datetime, datetime]]:
        """Those of some dates of the calendar; none where it is too short to tell."""
        nominal = nominal_dates(self.calendar, UNSHIFTED, max(SOME, self.calendar.start))
        return (window for day in islice(nominal, count) if (window := self._window(day)))

    def _window(self, nominal: date) -> tuple[datetime, datetime] | None:
        """Start and stop on the wall; None where the calendar does not reach."""
        start, stop = self.start.shown(nominal, self.calendar), self.stop.shown(nominal, self.calendar)
        return None if start is None or stop is None else (start, stop)

    def _steps(self, nominal: date, begin: float, end: float, instant: float) -> Iterator[Target]:
        times = steps(round(begin * MICRO), round(self.interval * MICRO), instant)
        for at in takewhile(lambda at: at < end, times):
            yield Target(at, at, self._args(nominal, at, begin))

    def _args(self, nominal: date, at: float, begin: float) -> dict[str, str]:
        sched_date = wall(begin, self.tz).date().isoformat()
        return nominal_args(at, nominal, self.calendar, self.tz) | {"sched_date": sched_date}

    @property
    def dst(self) -> str:
        return (
            "gap: no runs that day if start or stop lies in it, else steps go on; overlap: steps go on, in real seconds"
        )

    @property
    def gives(self) -> frozenset[str]:
        return LOCAL_ARGS | {"calendar", "sched_date"}

    @property
    def known_until(self) -> date | None:
        return known_until(self.calendar)


def _until(end: float | None, open_: list[tuple[float, int, Target, Iterator[Target]]]) -> Iterator[Target]:
    """What the open windows still have before an instant, in order."""
    while open_ and (end is None or open_[0][0] < end):
        _, number, target, rest = open_[0]
        yield target
        if (following := next(rest, None)) is not None:
            heapreplace(open_, (following.at, number, following, rest))
        else:
            heappop(open_)
