"""The board, printed once: for scripts, for a look in passing, and for pictures in documents.

Rule: the same rows, columns and words as the live screen, without Textual: that takes longer to import than this takes.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from rich.console import Console
from rich.text import Text

from sshsched.cli.table import cells as width_of
from sshsched.cli.table import cut
from sshsched.errors import NoSchedulerError
from sshsched.service.client import Client
from sshsched.tui import facts
from sshsched.tui.columns import Cell
from sshsched.tui.filters import Filter
from sshsched.tui.layout import Head, fitted, shown
from sshsched.tui.model import Board, Row
from sshsched.tui.past import Past
from sshsched.tui.runs import Runs

GAP = 2
PIPED = 120, 60
"""Columns and lines where there is no terminal."""
COLOURS = {
    "running": "cyan",
    "starting": "cyan",
    "stopping": "yellow",
    "waiting": "yellow",
    "warning": "yellow",
    "success": "green",
    "failure": "bold red",
    "error": "bold red",
    "muted": "dim",
    "strong": "bold",
    "title": "bold",
}


def show(past: Past, filter: Filter, first: Future[list[Row]]) -> None:
    """Print the runs that a filter asks for, as many as the terminal has lines for."""
    now, board = time.time(), Board()
    gone = _snapshot(past.state_dir, board)
    board.add(first.result())
    runs = Runs(board)
    runs.narrow(filter.matches)
    width, height = shutil.get_terminal_size() if sys.stdout.isatty() else PIPED
    lines = range(min(len(runs), max(5, height - 3)))
    _print(width, _lines(runs.heads(), [runs.cells(line, now) for line in lines], width))
    if gone:
        _print(width, [Text("no scheduler runs: this is how things stood", "yellow")])


def show_run(past: Past, id: int) -> None:
    """Print one run: its summary and its log."""
    found = past.run(id).result()
    assert found is not None  # the command has looked
    run, log, _ = found
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPED[0]
    for part in (facts.summary(run, time.time()), facts.log(log)):
        rows = list(part)
        wide = max((len(fact.word) for fact in rows), default=0)
        words = [((f"{row.word:<{wide}}  ", "dim"), (row.text, COLOURS.get(row.tone, ""))) for row in rows]
        _print(width, [Text.assemble(*each) for each in words])
        _print(width, [Text("")])


def _snapshot(state_dir: Path, board: Board) -> bool:
    """Take in how things stand now; True if there is nobody to ask."""
    try:
        _, snapshot = next(Client(state_dir, patience=0).events())
    except NoSchedulerError:
        return True
    board.begin(snapshot)
    return False


def _lines(heads: Sequence[Head], rows: Sequence[Sequence[Cell]], width: int) -> Iterator[Text]:
    widest: dict[str, int] = {}
    for row in rows:
        if len(row) == len(heads):
            for head, cell in zip(heads, row, strict=True):
                widest[head.title] = max(widest.get(head.title, 0), width_of(cell.text))
    kept = shown(heads, widest, width, GAP)
    widths = fitted(heads, kept, widest, width, GAP)
    for row in ([Cell(head.title, "strong") for head in heads], *rows):
        text = Text(no_wrap=True)
        if len(row) == 1:
            text.append(cut(row[0].text, width), COLOURS.get(row[0].tone, ""))
        else:
            for index in kept:
                shown_text = cut(row[index].text, widths[index])
                space = " " * (widths[index] - width_of(shown_text))
                whole = f"{space}{shown_text}" if heads[index].right else f"{shown_text}{space}"
                text.append(whole, COLOURS.get(row[index].tone, ""))
                text.append(" " * GAP)
        text.rstrip()
        yield text


def _print(width: int, lines: Iterator[Text] | Sequence[Text]) -> None:
    console = Console(width=width, highlight=False, soft_wrap=True)
    for line in lines:
        console.print(line)
