"""Dates, times and calendars in templates: `{{ get_calendar('workdays').shift(Date(date), -1) }}`.

Rule: names and meanings are those of the ora library, as far as they go. Nothing here asks what time it is, so a run
that is made again has the same texts. All raise ValueError with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sshsched.kinds.calendars import Calendar, calendar
from sshsched.kinds.zones import daytime, iso, moment, zone


class Day(date):
    """A date, to which days can be added as plain numbers."""

    def __add__(self, days: Any) -> Day:
        return Day.fromordinal(self.toordinal() + _count(days))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        """Days between two dates, or a date so many days earlier."""
        if isinstance(other, date):
            return self.toordinal() - other.toordinal()
        return Day.fromordinal(self.toordinal() - _count(other))


class LocalTime(NamedTuple):
    """What calendar and clock show somewhere."""

    date: Day
    daytime: time


class TemplateCalendar:
    """A calendar as templates see it. Dates may be texts."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    def __str__(self) -> str:
        return self._calendar.name

    def __contains__(self, day: date | str) -> bool:
        return to_day(day) in self._calendar

    def before(self, day: date | str) -> Day:
        """The last date of the calendar on this day or before."""
        return self._found(self._calendar.until(to_day(day)), day)

    def after(self, day: date | str) -> Day:
        """The first date of the calendar on this day or after."""
        return self._found(self._calendar.from_(to_day(day)), day)

    def shift(self, day: date | str, count: int) -> Day:
        """So many dates of the calendar later, or earlier."""
        return self._found(self._calendar.shift(to_day(day), count), day)

    def _found(self, day: date | None, asked: date | str) -> Day:
        if day is None:
            raise ValueError(f"calendar '{self._calendar.name}' does not reach so far from {asked}")
        return to_day(day)


def to_day(value: date | str) -> Day:
    """The date in `2026-11-22`; a date stays one."""
    if isinstance(value, date):
        return Day(value.year, value.month, value.day)
    try:
        return Day.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{str(value)[:60]!r} is no date; dates are written like 2026-11-22") from None


def to_time(value: datetime | str) -> datetime:
    """The instant in `2026-11-22T18:00:00+00:00`, in UTC."""
    return value if isinstance(value, datetime) else datetime.fromtimestamp(moment(value, "UTC"), UTC)


def to_local(at: datetime | str, tz: str | ZoneInfo) -> LocalTime:
    """Date and time of day somewhere, at an instant."""
    shown = to_time(at).astimezone(_zone(tz))
    return LocalTime(to_day(shown), shown.time())


def from_local(day: date | str, at: time | str, tz: str | ZoneInfo) -> str:
    """The instant, as text, at which calendar and clock show this somewhere."""
    shown = datetime.combine(to_day(day), at if isinstance(at, time) else daytime(at))
    return iso(moment(shown.isoformat(), str(_zone(tz))))


def functions(calendars: Callable[[], Mapping[str, Calendar]]) -> dict[str, Callable[..., Any]]:
    """All that templates may call, by name."""

    def get_calendar(expression: str) -> TemplateCalendar:
        return TemplateCalendar(calendar(expression, calendars()))

    return {
        "Date": to_day,
        "Time": to_time,
        "Daytime": daytime,
        "TimeZone": zone,
        "to_local": to_local,
        "from_local": from_local,
        "get_calendar": get_calendar,
    }


def _count(days: int | timedelta) -> int:
    return days.days if isinstance(days, timedelta) else days


def _zone(tz: str | ZoneInfo) -> ZoneInfo:
    return tz if isinstance(tz, ZoneInfo) else zone(tz)
