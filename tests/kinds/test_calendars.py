"""Calendars: which dates they hold, how one steps from date to date, and where they end."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.kinds import calendars as module
from sshsched.kinds.calendars import Calendar, calendar, calendars, dates

HOLIDAYS = """START 2024-01-01
STOP 2025-01-01

# closed on these
2024-01-01 New Year's Day
2024-12-25\tChristmas
  2024-12-26
"""
NAMED = {"closed": dates("closed", HOLIDAYS)}
MONDAY = date(2024, 1, 1)
DAYS = st.dates(date(2023, 6, 1), date(2025, 6, 30))


def week(text: str) -> list[int]:
    """Which days of the first week of 2024 a calendar holds; 1 is Monday."""
    found = calendar(text, NAMED)
    return [n + 1 for n in range(7) if MONDAY + timedelta(days=n) in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", [1, 2, 3, 4, 5, 6, 7]),
        ("Mon", [1]),
        ("Mon,Wed-Fri", [1, 3, 4, 5]),
        ("Mon , Wed-Fri", [1, 3, 4, 5]),
        ("Fri-Mon", [1, 5, 6, 7]),
        ("Sun-Sun", [7]),
        ("Mon-Fri except closed", [2, 3, 4, 5]),
        ("Sat or closed", [1, 6]),
        ("Sat or Sun or closed except Sun", [1, 6]),
        ("Mon-Fri except closed or Mon", [1, 2, 3, 4, 5]),
        ("Mon except Mon", []),
    ],
)
def test_expressions(text: str, expected: list[int]) -> None:
    """Words are read from left to right."""
    assert expected == week(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a calendar is empty; write all, Mon-Fri or the name of a calendar"),
        ("mon", "calendar: unknown 'mon'; did you mean 'Mon'?"),
        ("Mon-Fry", "calendar: unknown 'Mon-Fry'; did you mean 'Mon-Fri'?"),
        ("close", "calendar: unknown 'close'; did you mean 'closed'?"),
        ("Mon Tue", "calendar: 'Tue' stands where 'or' or 'except' should"),
        ("Mon except", "calendar: nothing follows 'except'; name a calendar after it"),
        ("or", "calendar: unknown 'or'"),
        ("holidays:DEE", "calendar: holidays: unknown 'DEE'; did you mean "),
        ("holidays:DE/ZZ", "calendar: holidays of DE: unknown 'ZZ'; known: "),
    ],
)
def test_a_wrong_word_is_named(text: str, message: str) -> None:
    """An expression that means nothing says which word it is, and which was perhaps meant."""
    with pytest.raises(ValueError, match=r"^[^\n]+$") as raised:
        calendar(text, NAMED)

    assert message in str(raised.value)


def test_a_file_of_dates() -> None:
    """START, STOP and dates; what follows a date is a comment."""
    closed = NAMED["closed"]

    assert {date(2024, 1, 1), date(2024, 12, 25), date(2024, 12, 26)} == closed.dates
    assert (date(2024, 1, 1), date(2025, 1, 1)) == (closed.start, closed.stop)

    unbounded = dates("x", "2024-05-03\n2024-05-01")

    assert (date(2024, 5, 1), date(2024, 5, 4)) == (unbounded.start, unbounded.stop)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no dates; write one per line as 2024-12-31, or both START and STOP"),
        ("START 2024-01-01", "no dates"),
        ("2024-01-01\n2024-13-01", "line 2: '2024-13-01' is no date; write 2024-12-31"),
        ("BEGIN 2024-01-01", "line 1: 'BEGIN 2024-01-01' is no date"),
        ("2024-01-01x", "line 1: '2024-01-01x' is no date"),
        ("START 2024-01-01\nSTART 2024-01-01", "line 2: a second START; remove one"),
        ("START 2024-01-01\nSTOP 2024-01-01", "STOP 2024-01-01 must come after START 2024-01-01"),
        ("STOP 2024-01-01\n2024-01-01", "STOP 2024-01-01 must come after START 2024-01-01"),
        ("START 2023-01-01\nSTOP 2024-01-01\n2024-01-01", "2024-01-01 is outside START 2023-01-01 and STOP 2024-01-01"),
    ],
)
def test_a_wrong_line_is_named(text: str, message: str) -> None:
    """A file that cannot be meant says which line it is."""
    with pytest.raises(ValueError, match=r"^[^\n]+$") as raised:
        dates("x", text)

    assert message in str(raised.value)


@given(st.text(st.sampled_from("0123456789- STARTOP\n#x"), max_size=60))
def test_any_text_is_a_calendar_or_a_clear_error(text: str) -> None:
    """Nothing but ValueError comes out of nonsense."""
    try:
        found = dates("x", text)
    except ValueError:
        return

    assert found.start < found.stop


@pytest.mark.parametrize("text", ["all", "Mon-Fri", "Mon,Wed-Fri except closed", "Sat or closed", "closed"])
@given(day=DAYS, count=st.integers(-6, 6))
def test_shift_is_that_many_steps(text: str, day: date, count: int) -> None:
    """A shift passes exactly that many dates of the calendar, and is None where the calendar does not know."""
    found = calendar(text, NAMED)
    passed, moved = 0, day
    step = timedelta(days=1 if count > 0 else -1)
    while passed < abs(count) and found.start <= moved + step < found.stop:
        moved += step
        passed += moved in found
    known = found.start <= day < found.stop or count == 0

    if known:
        assert (moved if passed == abs(count) else None) == found.shift(day, count)


def test_the_previous_workday() -> None:
    """-1 is the last date before the day, on workdays and on Sundays; 0 is the day itself, as in ora."""
    workdays = calendar("Mon-Fri")

    assert date(2024, 3, 7) == workdays.shift(date(2024, 3, 8), -1)
    assert date(2024, 3, 8) == workdays.shift(date(2024, 3, 9), -1)
    assert date(2024, 3, 9) == workdays.shift(date(2024, 3, 9), 0)


def test_beyond_a_calendar_is_none() -> None:
    """Before its start and after its stop nothing is known, and nothing is raised."""
    closed = calendar("Mon-Fri except closed", NAMED)

    assert None is closed.from_(date(2025, 1, 1))
    assert None is closed.until(date(2023, 12, 31))
    assert None is closed.shift(date(2024, 12, 31), 1)
    assert date(2024, 1, 2) == closed.from_(date.min)
    assert date(2024, 12, 31) == closed.until(date.max)
    assert date(2026, 1, 1) not in closed


def test_an_empty_calendar_ends_its_search() -> None:
    """A calendar without any date gives None and does not search for ever."""
    assert None is calendar("Mon except Mon").from_(MONDAY)


def test_named_expressions_use_each_other() -> None:
    """The order in which they are written does not matter; what is wrong with one does not stop the others."""
    found, wrong = calendars(
        {
            "trading": "workdays except closed",
            "workdays": "Mon-Fri",
            "a": "b or Mon",
            "b": "a",
            "lost": "workdays except closd",
            "Mon": "Tue",
            "closed": "Tue",
        },
        NAMED,
    )

    assert {"closed", "workdays", "trading"} == set(found)
    assert MONDAY not in found["trading"]
    assert {"a", "b", "lost", "Mon", "closed"} == set(wrong)
    assert "calendars use each other in a circle" in wrong["a"]
    assert "did you mean 'closed'?" in wrong["lost"]
    assert "cannot name a calendar" in wrong["Mon"]
    assert "is there twice" in wrong["closed"]


def test_holidays_of_a_country() -> None:
    """Public holidays come from the holidays package, for countries and parts of them."""
    found = calendar("Mon-Fri except holidays:DE/BY")

    assert date(2024, 1, 6) in calendar("holidays:DE/BY")
    assert date(2024, 1, 6) not in calendar("holidays:DE")
    assert date(2024, 10, 4) == found.shift(date(2024, 10, 2), 1)
    assert found.stop < date(2200, 1, 1)


def test_without_the_holidays_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the optional package is missing, the one line says how to get it."""

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(module, "import_module", missing)

    with pytest.raises(ValueError, match=r"is not installed here; pip install 'sshsched\[holidays\]'"):
        calendar("holidays:DE")


def test_calendars_are_values() -> None:
    """Two readings of the same text are equal, so that a reload sees what has changed."""
    same: list[Calendar] = [calendar("Mon-Fri except closed", {"closed": dates("closed", HOLIDAYS)}) for _ in range(2)]

    assert same[0] == same[1]
    assert same[0] != calendar("Mon-Fri except closed", {"closed": dates("closed", HOLIDAYS + "2024-06-03\n")})
