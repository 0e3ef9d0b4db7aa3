"""Lists: a table that fits the terminal, or plain columns for a pipe.

Rule: cells are harmless text already. rich is imported only for a terminal: it costs more than all else here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sshsched.cli.streams import COLOURS, STDOUT, in_colour, is_terminal, say

GAP = 2
NARROWEST = 6
NAMED_COLOURS = {31: "red", 32: "green", 33: "yellow", 36: "cyan"}


@dataclass(frozen=True)
class Column:
    """`stretch`: gives way first where the terminal is narrow. `right`: numbers."""

    title: str
    stretch: bool = False
    right: bool = False


def show(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, headers: bool = True) -> None:
    """Print them; `state` words are coloured where there are colours."""
    rows = list(rows)
    if is_terminal(STDOUT):
        _rich(columns, rows, headers)
    else:
        _plain(columns, rows, headers)


def _plain(columns: Sequence[Column], rows: list[Sequence[str]], headers: bool) -> None:
    """Two spaces between columns, nothing cut: for eyes in a file and for awk."""
    lines = [[column.title for column in columns], *rows] if headers else rows
    widths = [max((len(line[i]) for line in lines), default=0) for i in range(len(columns))]
    text = []
    for line in lines:
        cells = [
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        ]
        text.append("  ".join(cells).rstrip())
    if text:
        say("\n".join(text))


def _rich(columns: Sequence[Column], rows: list[Sequence[str]], headers: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, no_color=not in_colour(STDOUT))
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=headers, header_style="bold")
    for column, width in zip(columns, _widths(columns, rows, console.width), strict=True):
        justify: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(column.title, justify=justify, no_wrap=True, overflow="ellipsis", width=width)
    for row in rows:
        # Text, never markup: `[/x]` in a command is only a command.
        table.add_row(*(Text(cell, style=_style(cell)) for cell in row))
    console.print(table)


def _widths(columns: Sequence[Column], rows: list[Sequence[str]], room: int) -> list[int]:
    """What each column gets: those that stretch share what the others leave, the modest ones first."""
    from rich.cells import cell_len

    widths = [
        max([cell_len(column.title), *(cell_len(row[index]) for row in rows)]) for index, column in enumerate(columns)
    ]
    stretching = sorted((index for index, column in enumerate(columns) if column.stretch), key=widths.__getitem__)
    left = room - GAP * len(columns) - sum(widths[i] for i in range(len(columns)) if i not in stretching)
    for position, index in enumerate(stretching):
        share = max(left // (len(stretching) - position), NARROWEST)
        widths[index] = min(widths[index], share)
        left -= widths[index]
    return widths


def _style(cell: str) -> str:
    return NAMED_COLOURS.get(COLOURS.get(cell, 0), "")
