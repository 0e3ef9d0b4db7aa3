"""Lists: a table that fits the terminal, or plain columns for a pipe.

Rule: cells are harmless text already. Made by hand, because importing rich alone takes longer than a whole `runs` may.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sshsched.cli.streams import COLOURS, STDOUT, in_colour, is_terminal, paint, say

GAP = "  "
NARROWEST = 6


@dataclass(frozen=True)
class Column:
    """`stretch`: gives way where the terminal is narrow. `right`: numbers."""

    title: str
    stretch: bool = False
    right: bool = False


def show(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, headers: bool = True) -> None:
    """Print them. A pipe gets every cell whole, for grep and awk; a terminal gets lines that fit, and colours."""
    rows = list(rows)
    lines = [[column.title for column in columns], *rows] if headers else rows
    if not lines:
        return
    widths = [max(map(cells, column)) for column in zip(*lines, strict=True)]
    if is_terminal(STDOUT):
        widths = _fitted(columns, widths)
    text = [_line(columns, widths, line) for line in lines]
    if headers and in_colour(STDOUT):
        text[0] = f"\x1b[1m{text[0]}\x1b[0m"
    say("\n".join(text))


def cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_width, text))


def cut(text: str, room: int) -> str:
    """The text, or its begin and an ellipsis, in at most so many columns."""
    if cells(text) <= room:
        return text
    taken, end = 1, 0
    while taken + _width(text[end]) <= room:
        taken += _width(text[end])
        end += 1
    return f"{text[:end]}…"


def _width(char: str) -> int:
    from unicodedata import combining, east_asian_width

    if combining(char) or "\ufe00" <= char <= "\ufe0f":
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def _fitted(columns: Sequence[Column], widths: list[int]) -> list[int]:
    """Columns that stretch share what the others leave of the terminal, the modest ones first."""
    import shutil

    stretching = sorted((index for index, column in enumerate(columns) if column.stretch), key=widths.__getitem__)
    left = shutil.get_terminal_size().columns - len(GAP) * (len(columns) - 1)
    left -= sum(width for index, width in enumerate(widths) if index not in stretching)
    for position, index in enumerate(stretching):
        share = max(left // (len(stretching) - position), NARROWEST)
        widths[index] = min(widths[index], share)
        left -= widths[index]
    return widths


def _line(columns: Sequence[Column], widths: Sequence[int], row: Sequence[str]) -> str:
    parts = []
    for column, width, whole in zip(columns, widths, row, strict=True):
        text = cut(whole, width)
        space = " " * (width - cells(text))
        shown = paint(text, whole, STDOUT) if whole in COLOURS else text
        parts.append(f"{space}{shown}" if column.right else f"{shown}{space}")
    return GAP.join(parts).rstrip()
