"""Calendars: sets of dates, and steps from one of their dates to another.

Rule: a calendar knows its dates from `start` up to, not including, `stop`. Whoever asks beyond gets None, never an
exception, for nobody knows the holidays of the far future. Reading files is the job of others: text comes in here.

An expression is read from left to right::

    Mon,Wed-Fri                     days of the week; Fri-Mon runs over the weekend
    all                             every day
    usa-holidays                    a calendar from a file, or another named expression
    holidays:US, holidays:DE/BY     public holidays of a country or a part of it (needs the holidays package)
    Mon-Fri except usa-holidays     without the dates of the second
    workdays or fairs               the dates of either
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from typing import Any, Final

from sshsched.domain.nearest import unknown

START: Final = date(1900, 1, 1)
STOP: Final = date(9990, 1, 1)
ONE: Final = timedelta(days=1)
_EMPTY: Final = 50 * 366  # days without a date after which a calendar counts as ended

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY: Final = "|".join(_DAYS)
_WEEKDAYS: Final = re.compile(rf"(?:{_DAY})(?:-(?:{_DAY}))?(?:,(?:{_DAY})(?:-(?:{_DAY}))?)*")
_WORDS: Final = frozenset({"all", "or", "except"})
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_LINE: Final = re.compile(r"(?:(START|STOP)\s+)?(\d{4}-\d{2}-\d{2})(?:\s.*)?", re.DOTALL)


@dataclass(frozen=True)
class Calendar:
    """A set of dates. A kind of calendar says which dates it holds; the rest follows."""

    name: str
    start: date = START
    stop: date = STOP

    def holds(self, day: date) -> bool:
        """Whether a date in the calendar's range is one of its dates."""
        raise NotImplementedError

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.stop and self.holds(day)

    def from_(self, day: date) -> date | None:
        """The first date of the calendar on this day or after; None if it knows of none."""
        return self._near(max(day, self.start), ONE)

    def until(self, day: date) -> date | None:
        """The last date of the calendar on this day or before; None if it knows of none."""
        return self._near(min(day, self.stop - ONE), -ONE)

    def shift(self, day: date, count: int) -> date | None:
        """So many dates of the calendar later, or earlier if negative; 0 is the day itself, as in ora.

        `shift(day, -1)` is the last date before the day, whether the day is one of the calendar or not.
        """
        found: date | None = day
        for _ in range(abs(count)):
            if found is None:
                return None
            found = self.from_(found + ONE) if count > 0 else self.until(found - ONE)
        return found

    def _near(self, day: date, step: timedelta) -> date | None:
        for _ in range(_EMPTY):
            if not self.start <= day < self.stop:
                return None
            if self.holds(day):
                return day
            day += step
        return None


@dataclass(frozen=True)
class Weekdays(Calendar):
    """The same days of every week; Monday is 0."""

    days: frozenset[int] = frozenset(range(7))

    def holds(self, day: date) -> bool:
        return day.weekday() in self.days


ALL: Final = Weekdays("all")


@dataclass(frozen=True)
class Dates(Calendar):
    """Dates that were written down."""

    dates: frozenset[date] = frozenset()

    def holds(self, day: date) -> bool:
        return day in self.dates


@dataclass(frozen=True)
class Either(Calendar):
    """The dates of one or the other, as far as both are known."""

    one: Calendar = ALL
    other: Calendar = ALL

    def holds(self, day: date) -> bool:
        return self.one.holds(day) or self.other.holds(day)


@dataclass(frozen=True)
class Except(Calendar):
    """The dates of one that are not dates of the other, as far as both are known."""

    one: Calendar = ALL
    other: Calendar = ALL

    def holds(self, day: date) -> bool:
        return self.one.holds(day) and not self.other.holds(day)


@dataclass(frozen=True)
class Holidays(Calendar):
    """Public holidays of a country, from the holidays package."""

    country: str = ""
    part: str | None = None

    def holds(self, day: date) -> bool:
        return day in _holidays(self.country, self.part, day.year)


def calendar(text: str, named: Mapping[str, Calendar] | None = None) -> Calendar:
    """The calendar that an expression means, with the named ones. Raises ValueError naming the word that is wrong."""
    words = re.sub(r"\s*,\s*", ",", text).split()
    if not words:
        raise ValueError("a calendar is empty; write all, Mon-Fri or the name of a calendar")
    found = _atom(words[0], named or {})
    rest = iter(words[1:])
    for join, word in _pairs(rest):
        other = _atom(word, named or {})
        kind = Either if join == "or" else Except
        name = f"{found.name} {join} {word}"
        found = kind(name, max(found.start, other.start), min(found.stop, other.stop), one=found, other=other)
    return found


def calendars(
    expressions: Mapping[str, str], known: Mapping[str, Calendar]
) -> tuple[dict[str, Calendar], dict[str, str]]:
    """Named expressions, which may use each other and the calendars already known: those that mean something, and of
    the others what is wrong with each."""
    found, wrong = dict(known), {}
    graph = {name: {word for word in text.split() if word in expressions} for name, text in expressions.items()}
    for name in list(graph):
        if message := bad_name(name, known):
            wrong[name] = message
            del graph[name]
    for name in _ordered(graph, wrong):
        if name in graph and name not in wrong:
            try:
                found[name] = calendar(expressions[name], found)
            except ValueError as error:
                wrong[name] = str(error)
    return found, wrong


def dates(name: str, text: str) -> Dates:
    """A calendar in ora's text format: `START date`, `STOP date` (the first that is not known), a date per line.

    What follows a date on its line is a comment, as are lines that begin with #. Without START or STOP the range is
    that of the dates. Raises ValueError naming the line.
    """
    found: set[date] = set()
    bounds: dict[str, date] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        day = _date(match[2]) if match else None
        if not match or day is None:
            raise ValueError(
                f"line {number}: {line[:60]!r} is no date; write 2024-12-31, START 2024-01-01 or STOP 2025-01-01"
            )
        if match[1] in bounds:
            raise ValueError(f"line {number}: a second {match[1]}; remove one")
        if match[1]:
            bounds[match[1]] = day
        else:
            found.add(day)
    if not found and len(bounds) < 2:
        raise ValueError("no dates; write one per line as 2024-12-31, or both START and STOP")
    start, stop = bounds.get("START") or min(found), bounds.get("STOP") or max(found) + ONE
    if start >= stop:
        raise ValueError(f"STOP {stop} must come after START {start}")
    if outside := sorted(day for day in found if not start <= day < stop):
        raise ValueError(
            f"{outside[0]} is outside START {start} and STOP {stop}; STOP is the first day that is not known"
        )
    return Dates(name, start, stop, dates=frozenset(found))


def _pairs(words: Iterator[str]) -> Iterator[tuple[str, str]]:
    for join in words:
        if join not in ("or", "except"):
            raise ValueError(f"calendar: {join!r} stands where 'or' or 'except' should; put the one you mean before it")
        word = next(words, None)
        if word is None:
            raise ValueError(f"calendar: nothing follows '{join}'; name a calendar after it")
        yield join, word


def _atom(word: str, named: Mapping[str, Calendar]) -> Calendar:
    if word == "all":
        return ALL
    if _WEEKDAYS.fullmatch(word):
        return Weekdays(word, days=frozenset(day for part in word.split(",") for day in _span(part)))
    if word.startswith("holidays:"):
        return _holiday_calendar(word)
    if word in named:
        return named[word]
    raise ValueError(f"calendar: {unknown(word[:60], ['all', *_DAYS, 'Mon-Fri', *named])}")


def _span(part: str) -> Iterator[int]:
    first, _, last = part.partition("-")
    begin = _DAYS.index(first)
    length = (_DAYS.index(last or first) - begin) % 7
    return ((begin + n) % 7 for n in range(length + 1))


def bad_name(name: str, known: Mapping[str, Calendar]) -> str | None:
    """What is wrong with the name of a calendar beside those that are known; None if nothing is."""
    if name in known:
        return f"calendar '{name}' is there twice; rename one"
    if not _NAME.fullmatch(name) or name in _WORDS or _WEEKDAYS.fullmatch(name):
        return f"{name[:60]!r} cannot name a calendar; use letters, digits, - and _, and no weekdays"
    return None


def _ordered(graph: dict[str, set[str]], wrong: dict[str, str]) -> list[str]:
    """Names, each after those that it uses. Those in a circle go to `wrong`."""
    while True:
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            circle = list(reversed(error.args[1]))
            for name in circle[1:]:
                wrong[name] = f"calendars use each other in a circle: {' -> '.join(circle)}"
                graph.pop(name, None)


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if START <= found < STOP else None


def _holiday_calendar(word: str) -> Holidays:
    country, _, part = word.removeprefix("holidays:").partition("/")
    package = _package()
    known: dict[str, Any] = package.list_supported_countries(include_aliases=True)
    if country not in known:
        raise ValueError(f"calendar: holidays: {unknown(country[:60], known)}")
    if part and part not in known[country]:
        raise ValueError(f"calendar: holidays of {country}: {unknown(part[:60], known[country])}")
    years = package.country_holidays(country)
    return Holidays(
        word, date(years.start_year, 1, 1), date(years.end_year + 1, 1, 1), country=country, part=part or None
    )


@lru_cache(maxsize=4096)
def _holidays(country: str, part: str | None, year: int) -> frozenset[date]:
    return frozenset(_package().country_holidays(country, subdiv=part, years=year))


def _package() -> Any:
    try:
        return import_module("holidays")
    except ImportError:
        raise ValueError("calendar: holidays: is not installed here; pip install 'sshsched[holidays]'") from None
