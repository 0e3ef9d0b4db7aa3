"""Tables: whole for a pipe, fitting for a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.cli.table import GAP, Column, cells, cut, fitted, show

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


ROOMY = [Column("RUN"), Column("AGO", rank=2), Column("HOST", rank=1), Column("WHAT", stretch=True)]


@pytest.mark.parametrize(
    ("room", "kept", "widths"),
    [
        (80, [0, 1, 2, 3], [4, 6, 5, 30]),
        (40, [0, 1, 2, 3], [4, 6, 5, 19]),
        (28, [0, 2, 3], [4, 5, 15]),
        (20, [0, 3], [4, 14]),
        (10, [0, 3], [4, 4]),
    ],
)
def test_a_narrow_terminal(room: int, kept: list[int], widths: list[int]) -> None:
    """What stretches gives way, then columns go by rank, and at last everything is cut."""
    assert (kept, widths) == fitted(ROOMY, [4, 6, 5, 30], room)


def test_columns_that_say_nothing_are_not_shown() -> None:
    """Their room goes to the others."""
    assert ([0, 3], [4, 30]) == fitted(ROOMY, [4, 6, 5, 30], 80, [True, False, False, True])


@given(
    st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.integers(0, 3)), min_size=1, max_size=6),
    st.integers(20, 120),
)
def test_a_line_always_fits(given: list[tuple[int, bool, int]], room: int) -> None:
    """Whatever the columns are, a line is no wider than the terminal."""
    columns = [Column("X", stretch=stretch, rank=rank) for _, stretch, rank in given]
    kept, widths = fitted(columns, [width for width, *_ in given], room)

    assert sum(widths) + len(GAP) * (len(kept) - 1) <= room


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("é", 1), ("e\u0301", 1), ("日本", 4), ("", 0)])
def test_cells(text: str, width: int) -> None:
    """Wide characters take two columns, combining ones none."""
    assert width == cells(text)


@given(st.text(), st.integers(1, 20))
def test_what_is_cut_fits(text: str, room: int) -> None:
    """Never wider than the room, and whole if there is room."""
    assert cells(cut(text, room)) <= room
    assert (cells(text) <= room) == (cut(text, room) == text)
