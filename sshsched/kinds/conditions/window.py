"""Only at certain times of day: a window like 22:00 to 06:00, on some days of the week.

Rule: a window belongs to the day on which it opens. DST: a bound in a gap is at the first instant after the gap; in an
overlap a window opens at the first coming of its time and closes at the first, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Annotated

from msgspec import Meta, field

from sshsched.domain.model import Run
from sshsched.domain.view import Answer, Never, Ready, View, Wait
from sshsched.kinds.calendars import Calendar, calendar
from sshsched.kinds.conditions.base import Condition
from sshsched.kinds.zones import daytime, not_before, wall, zone

_DAYS = 367
_ONE = timedelta(days=1)


class TimeWindow(Condition, frozen=True, kw_only=True):
    """It is a time of day between two others. Job files fill in `tz` where none is given, as for schedules."""

    from_: Annotated[str, Meta(description="the time of day at which it opens, like 22:00")] = field(name="from")
    until: Annotated[str, Meta(description="the time of day at which it closes; the next day's, if it is earlier")]
    calendar: Annotated[str, Meta(description="the days on which it opens, like Mon-Fri")] = "all"
    tz: Annotated[str, Meta(description="the time zone, like Europe/Berlin")] = "UTC"

    def __post_init__(self) -> None:
        zone(self.tz)
        self._days()
        if self._bounds()[0] == self._bounds()[1]:
            raise ValueError(f"until: the window closes when it opens, at {self.until}; write another time")

    def ask(self, run: Run, view: View, at: float) -> Answer:
        shown = wall(at, self.tz).date()
        for opens, closes in self._windows(shown - _ONE):
            if opens <= at < closes:
                return Ready()
            if at < opens < closes:
                return Wait(f"{wall(opens, self.tz):%a %H:%M} ({self.tz}): it may start {self._told()}", until=opens)
        return Never(f"there is no day among {self.calendar} on which it may start")

    def _windows(self, first: date) -> Iterator[tuple[float, float]]:
        begin, end = self._bounds()
        days = self._days()
        for day in (first + timedelta(days=number) for number in range(_DAYS)):
            if day in days:
                last = day + _ONE if end < begin else day
                yield self._at(day, begin), self._at(last, end)

    def _at(self, day: date, shown: time) -> float:
        return not_before(datetime.combine(day, shown), self.tz)

    def _bounds(self) -> tuple[time, time]:
        return daytime(self.from_), daytime(self.until)

    def _days(self) -> Calendar:
        return calendar(self.calendar)

    def _told(self) -> str:
        days = "" if self.calendar == "all" else f" on {self.calendar}"
        return f"from {self.from_} until {self.until}{days}"
