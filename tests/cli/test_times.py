"""Times and durations as people type and read them."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.cli.times import ago, brief_moment, from_iso, span
from sshsched.domain.shape import iso
from sshsched.errors import UsageError
from sshsched.kinds.moments import parse_at, parse_duration, parse_since

NOON = datetime(2026, 11, 22, 12, 0).timestamp()
HOUR = 3600.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("90s", 90.0),
        ("1.5h", 5400.0),
        ("500ms", 0.5),
        ("1h30m", 5400.0),
        ("2d", 172800.0),
        ("1H 5M", 3900.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    """A bare number is seconds; units can be added up."""
    assert seconds == parse_duration(text)


@pytest.mark.parametrize("text", ["", "x", "5 eons", "1h-", "-5", "5mm", "h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """The message shows what to write instead."""
    with pytest.raises(UsageError, match="write 90s, 15m, 2h or 1d"):
        parse_duration(text)


def test_at_is_the_next_clock_time() -> None:
    """A clock time that has passed today means tomorrow."""
    assert NOON + HOUR == parse_at("13:00", NOON)
    assert NOON + 23 * HOUR == parse_at("11:00", NOON)
    assert NOON == parse_at("now", NOON)
    assert NOON + 90 == parse_at("2026-11-22T12:01:30", NOON)


def test_since_is_the_last_clock_time() -> None:
    """A clock time that is still to come today means yesterday."""
    assert NOON - HOUR == parse_since("11:00", NOON)
    assert NOON - 23 * HOUR == parse_since("13:00", NOON)
    assert NOON - 2 * HOUR == parse_since("2h", NOON)
    assert NOON - 12 * HOUR == parse_since("today", NOON)
    assert NOON - 36 * HOUR == parse_since("yesterday", NOON)
    assert NOON - 12 * HOUR == parse_since("2026-11-22", NOON)


@pytest.mark.parametrize("text", ["25:00", "12:99", "soon", "2026-13-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """One line that names what was typed."""
    with pytest.raises(UsageError, match=text):
        parse_at(text, NOON)
    with pytest.raises(UsageError, match=text):
        parse_since(text, NOON)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 ms"),
        (0.04, "40 ms"),
        (3.21, "3.2 s"),
        (42, "42 s"),
        (60, "1 m"),
        (200, "3 m 20 s"),
        (18120, "5 h 2 m"),
        (273600, "3 d 4 h"),
    ],
)
def test_spans(seconds: float, text: str) -> None:
    """Two units at most."""
    assert text == span(seconds)


@given(st.floats(0, 1e9))
def test_every_span_can_be_said(seconds: float) -> None:
    """No duration is without words, and none is long."""
    assert 2 < len(span(seconds)) < 20


def test_ago() -> None:
    """Tables show the largest unit, of past and future."""
    assert "5 h ago" == ago(NOON - 18120, NOON)
    assert "in 3 m" == ago(NOON + 200, NOON)


def test_a_moment_is_as_short_as_its_age_allows() -> None:
    """The clock today, the day this year, the date before that."""
    assert "11:00:00" == brief_moment(NOON - HOUR, NOON)
    assert "Nov 21 12:00" == brief_moment(NOON - 24 * HOUR, NOON)
    assert "2025-11-22" == brief_moment(NOON - 365 * 24 * HOUR, NOON)


@given(st.integers(0, 4_000_000_000_000))
def test_the_times_of_a_shape_come_back(milliseconds: int) -> None:
    """What a run's shape says is what its run meant, to the millisecond."""
    assert milliseconds / 1000 == pytest.approx(from_iso(iso(milliseconds / 1000)), abs=0.0011)
