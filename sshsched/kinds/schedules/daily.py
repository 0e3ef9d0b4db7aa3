"""At times of day, on the dates of a calendar: a report at 09:30 in New York on the day before each workday.

Each *nominal* date of the calendar gives the date on which a run really happens: first shifted by `cal_shift` dates of
the calendar, then by `date_shift` days. Runs are told the nominal date. This is what Apsis does.

DST, as in Apsis: a time of day in a gap does not run that day; one in an overlap runs at its first coming.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from sshsched.kinds.calendars import ALL, ONE, STOP, Calendar
from sshsched.kinds.schedules.base import LOCAL_ARGS, Schedule, Skip, Target, Why, local_args
from sshsched.kinds.zones import gap_end, instants, not_before, wall, zone

MOST_DAYS: Final = 36525
MOST_DATES: Final = 1000


@dataclass(frozen=True)
class Shift:
    """From a nominal date to the real one: so many dates of the calendar on, and then so many days."""

    cal_shift: int = 0
    date_shift: int = 0

    def __post_init__(self) -> None:
        if abs(self.cal_shift) > MOST_DATES:
            raise ValueError(f"cal_shift: {self.cal_shift} must be between -{MOST_DATES} and {MOST_DATES}")
        if abs(self.date_shift) > MOST_DAYS:
            raise ValueError(f"date_shift: {self.date_shift} must be between -{MOST_DAYS} and {MOST_DAYS}")

    def real(self, nominal: date, calendar: Calendar) -> date | None:
        """None where the calendar does not reach."""
        shifted = calendar.shift(nominal, self.cal_shift)
        return None if shifted is None else shifted + timedelta(days=self.date_shift)

    def nominal(self, real: date, calendar: Calendar) -> date | None:
        """The first nominal date whose real date is this or later. None if the calendar has none."""
        shifted = calendar.from_(real - timedelta(days=self.date_shift))
        if shifted is None:
            return None
        found = calendar.shift(shifted, -self.cal_shift)
        return calendar.from_(calendar.start) if found is None and self.cal_shift > 0 else found


UNSHIFTED: Final = Shift()


@dataclass(frozen=True)
class Daily(Schedule):
    """At each time of day on each date. Raises ValueError if there is no time of day or one is named twice."""

    tz: str
    daytimes: tuple[time, ...]
    calendar: Calendar = ALL
    shift: Shift = UNSHIFTED

    def __post_init__(self) -> None:
        zone(self.tz)
        if not self.daytimes:
            raise ValueError("daytime: none is given; write at least one, like 09:30")
        if len(set(self.daytimes)) < len(self.daytimes):
            twice = next(at for at in self.daytimes if self.daytimes.count(at) > 1)
            raise ValueError(f"daytime: {twice} is named twice; remove one")

    def __str__(self) -> str:
        daytimes = ", ".join(f"{at:%H:%M}" if not at.second else str(at) for at in sorted(self.daytimes))
        return f"{self.calendar.name} at {daytimes} ({self.tz})"

    def entries(self, instant: float) -> Iterator[Target | Skip]:
        daytimes = sorted(self.daytimes)
        for nominal in nominal_dates(self.calendar, self.shift, wall(instant, self.tz).date()):
            real = self.shift.real(nominal, self.calendar)
            for daytime in daytimes if real else ():
                entry = self._entry(nominal, datetime.combine(real or nominal, daytime))
                if entry.at > instant:
                    yield entry
        yield from the_end(self.calendar, self.tz)

    def _entry(self, nominal: date, shown: datetime) -> Target | Skip:
        times = instants(shown, self.tz)
        if not times:
            return Skip(gap_end(shown, self.tz), Why.GAP, f"gap: {shown:%Y-%m-%d %H:%M} does not come in {self.tz}")
        note = f"overlap: {shown:%H:%M} comes twice, this is the first" if len(times) > 1 else ""
        return Target(times[0], times[0], nominal_args(times[0], nominal, self.calendar, self.tz), note)

    @property
    def dst(self) -> str:
        return "gap: does not run that day; overlap: runs at the first of two"

    @property
    def gives(self) -> frozenset[str]:
        return LOCAL_ARGS | {"calendar"}

    @property
    def known_until(self) -> date | None:
        return known_until(self.calendar)


def nominal_dates(calendar: Calendar, shift: Shift, real: date) -> Iterator[date]:
    """The nominal dates, from the first on whose real date is this or later."""
    nominal = shift.nominal(real, calendar)
    while nominal is not None:
        yield nominal
        nominal = calendar.from_(nominal + ONE)


def nominal_args(at: float, nominal: date, calendar: Calendar, tz: str) -> dict[str, str]:
    return local_args(at, tz) | {"date": nominal.isoformat(), "calendar": calendar.name}


def known_until(calendar: Calendar) -> date | None:
    return calendar.stop if calendar.stop < STOP else None


def the_end(calendar: Calendar, tz: str) -> Iterator[Skip]:
    """What is left to say when there are no more dates."""
    if calendar.stop < STOP:
        at = not_before(datetime.combine(calendar.stop, time()), tz)
        last = calendar.stop - ONE
        yield Skip(
            at, Why.CALENDAR_END, f"calendar '{calendar.name}' knows no dates after {last}; add the next ones to it"
        )
