"""Lists: a table that fits the terminal, or plain columns for a pipe.

Rule: cells are harmless text already. rich is imported only for a terminal: it costs more than all else here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sshsched.cli.streams import COLOURS, STDOUT, in_colour, is_terminal, say

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

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=headers, header_style="bold")
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if column.stretch else None,
        )
    for row in rows:
        # Text, never markup: `[/x]` in a command is only a command.
        table.add_row(*(Text(cell, style=_style(cell)) for cell in row))
    Console(highlight=False, no_color=not in_colour(STDOUT)).print(table)


def _style(cell: str) -> str:
    return NAMED_COLOURS.get(COLOURS.get(cell, 0), "")
