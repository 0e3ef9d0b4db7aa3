"""Durations are read as people write them, or refused with how to write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.kinds.durations import PATTERN, duration

GOOD = {
    "90": 90.0,
    "0": 0.0,
    "1.5": 1.5,
    "30s": 30.0,
    "500ms": 0.5,
    "10 min": 600.0,
    "15m": 900.0,
    "1.5h": 5400.0,
    "2 hours": 7200.0,
    "1h30m": 5400.0,
    "1h 30 min": 5400.0,
    "1d12h": 129600.0,
    "2 Weeks": 1209600.0,
    " 5m ": 300.0,
}
BAD = [
    "", " ", "h", "2hours ago", "1h30", "30m1h", "1h1h", "1.5h30m", "-5m", "+5m", "1,5h", "1e3", "0x10", "inf", "nan",
    "5 minutos", "1M5Y", "٣s", "1\u017f", "1 000", "1h, 5m", "1h\n", "..5s", "5.s", "1.2.3",
]  # fmt: skip
UNITS = {"w": 604800, "d": 86400, "h": 3600, "min": 60, "s": 1}


@pytest.mark.parametrize("text", GOOD)
def test_a_duration_is_understood(text: str) -> None:
    """All usual ways to write a duration mean their seconds."""
    assert GOOD[text] == duration(text)
    assert re.search(PATTERN, text)


@pytest.mark.parametrize("text", BAD)
def test_what_is_unclear_is_refused(text: str) -> None:
    """What could mean two things, or nothing, is refused with how to write it."""
    with pytest.raises(ValueError, match=r"is no duration; write 90s, 15m, 2h or 1d$"):
        duration(text)


def test_a_slip_of_the_finger_is_refused() -> None:
    """Nobody waits for a hundred years."""
    with pytest.raises(ValueError, match="more than a hundred years"):
        duration("99999 d")


@given(st.dictionaries(st.sampled_from(list(UNITS)), st.integers(0, 99), min_size=1), st.sampled_from(["", " "]))
def test_a_sum_is_the_sum_of_its_parts(parts: dict[str, int], space: str) -> None:
    """Units from large to small add up, with and without spaces."""
    text = space.join(f"{parts[unit]}{space}{unit}" for unit in UNITS if unit in parts)

    assert sum(number * UNITS[unit] for unit, number in parts.items()) == duration(text)


@given(st.text(max_size=30) | st.text("0123456789.smhdwin ", max_size=12))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    """There is no text that raises anything else, and none that gives a negative time."""
    try:
        seconds = duration(text)
    except ValueError:
        seconds = None

    assert seconds is None or (0 <= seconds and re.search(PATTERN, text))
