"""Tables: whole for a pipe, fitting for a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.cli.table import Column, cells, cut, show

COLUMNS = [Column("RUN"), Column("TOOK", right=True), Column("WHAT", stretch=True)]


def test_columns_line_up(capfd: pytest.CaptureFixture[str]) -> None:
    """Two spaces between columns, numbers to the right, nothing after the last."""
    show(COLUMNS, [["r1", "3 s", "a"], ["r12", "12 s", "日本 b"]])

    assert "RUN  TOOK  WHAT\nr1    3 s  a\nr12  12 s  日本 b\n" == capfd.readouterr().out


def test_no_rows(capfd: pytest.CaptureFixture[str]) -> None:
    """The titles alone, or nothing at all."""
    show(COLUMNS, [])
    show(COLUMNS, [], headers=False)

    assert "RUN  TOOK  WHAT\n" == capfd.readouterr().out


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("é", 1), ("e\u0301", 1), ("日本", 4), ("", 0)])
def test_cells(text: str, width: int) -> None:
    """Wide characters take two columns, combining ones none."""
    assert width == cells(text)


@given(st.text(), st.integers(1, 20))
def test_what_is_cut_fits(text: str, room: int) -> None:
    """Never wider than the room, and whole if there is room."""
    assert cells(cut(text, room)) <= room
    assert (cells(text) <= room) == (cut(text, room) == text)
