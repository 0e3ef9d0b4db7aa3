"""Lists: a table that fits the terminal, or plain columns for a pipe.

Rule: cells are harmless text already. Made by hand, because importing rich alone takes longer than a whole `runs` may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sshsched.cli.pager import page
from sshsched.cli.streams import STDOUT, is_terminal, sgr

GAP = "  "
NARROWEST = 8


@dataclass(frozen=True)
class Column:
    """How a column is laid out.

    `stretch`: gives way where the terminal is narrow. `right`: numbers. `rank`: where there is too little room, the
    columns with the highest go first; 0 always stays. `tone`: the SGR code for a cell, or an empty text.
    """

    title: str
    stretch: bool = False
    right: bool = False
    rank: int = 0
    tone: Callable[[str], str] | None = None


class Painted(str):
    """A cell whose parts have colours of their own: `coloured` is shown where there are colours and it is not cut."""

    __slots__ = ("coloured",)
    coloured: str

    def __new__(cls, text: str, coloured: str) -> Painted:
        cell = super().__new__(cls, text)
        cell.coloured = coloured
        return cell


def dim(_text: str) -> str:
    """The tone of what matters less."""
    return "2"


def show(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, headers: bool = True, caption: str = "") -> None:
    """Print them. A pipe gets every cell whole, for grep and awk; a terminal gets lines that fit, and colours.

    `caption` stands above the table, on a terminal only.
    """
    rows = list(rows)
    lines = [[column.title for column in columns], *rows] if headers else rows
    if not lines:
        return
    widths = [max(map(cells, column)) for column in zip(*lines, strict=True)]
    kept = list(range(len(columns)))
    if is_terminal(STDOUT):
        said = [not column.rank or any(row[place] for row in rows) for place, column in enumerate(columns)]
        kept, widths = fitted(columns, widths, _room(), said)
    shown = [columns[index] for index in kept]
    text = [
        _line(shown, widths, [line[index] for index in kept], head=headers and not n) for n, line in enumerate(lines)
    ]
    if caption and is_terminal(STDOUT):
        text.insert(0, sgr(cut(caption, _room()), "1", STDOUT))
    page(text)


def facts(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Details as lines, a word before each; what is empty is left out."""
    return [f"{sgr(word, '2', STDOUT)}{' ' * (12 - len(word))}{text}" for word, text in pairs if text]


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


def fitted(
    columns: Sequence[Column], widths: Sequence[int], room: int, said: Sequence[bool] | None = None
) -> tuple[list[int], list[int]]:
    """Which columns are shown, and how wide, so that a line takes at most `room`.

    Columns that stretch give way first, the widest most; then whole columns go, by rank; at last all are cut. Of those
    that say nothing by `said` none is shown.
    """
    kept = [place for place in range(len(columns)) if said is None or said[place]]
    narrow = [min(width, NARROWEST) if column.stretch else width for column, width in zip(columns, widths, strict=True)]
    while _total([narrow[index] for index in kept]) > room:
        dropped = max(kept, key=lambda index: (columns[index].rank, index))
        if not columns[dropped].rank:
            break
        kept.remove(dropped)
    found = [min(widths[index], room) for index in kept]
    stretching = [place for place, index in enumerate(kept) if columns[index].stretch]
    _shrink(found, stretching, NARROWEST, room)
    _shrink(found, range(len(kept)), 1, room)
    return kept, found


def _shrink(widths: list[int], places: Sequence[int], floor: int, room: int) -> None:
    while places and _total(widths) > room:
        widest = max(places, key=widths.__getitem__)
        if widths[widest] <= floor:
            return
        widths[widest] -= 1


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _room() -> int:
    import shutil  # it brings compression along, and a pipe has no width

    return shutil.get_terminal_size().columns


def _width(char: str) -> int:
    from unicodedata import category, east_asian_width

    if category(char) in ("Mn", "Me") or "\u1160" <= char <= "\u11ff":
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def _line(columns: Sequence[Column], widths: Sequence[int], row: Sequence[str], *, head: bool) -> str:
    parts = []
    for column, width, whole in zip(columns, widths, row, strict=True):
        text = cut(whole, width)
        code = "1;4" if head else column.tone(whole) if column.tone else ""
        shown = whole.coloured if isinstance(whole, Painted) and text == whole else sgr(text, code, STDOUT)
        space = " " * (width - cells(text))
        parts.append(f"{space}{shown}" if column.right else f"{shown}{space}")
    return GAP.join(parts).rstrip(" ")
