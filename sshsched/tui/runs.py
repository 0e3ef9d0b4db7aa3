"""The list of runs, as a table asks for it."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence

from sshsched.cli.times import span
from sshsched.tui.columns import MUTED, Cell, Column, columns
from sshsched.tui.layout import Head
from sshsched.tui.listing import Listing, Matches
from sshsched.tui.model import Board, Row


class Runs:
    """Rows of a board in the order of a listing. `chosen_ids` are those that an action is to act on together."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.chosen_ids: set[int] = set()
        self.more = False
        """Whether the past goes on beyond what is listed."""
        self.reached: int | None = None
        """The oldest run that has been read."""
        self._plans: list[Row] = []
        self.narrow(lambda _: True)

    def narrow(self, matches: Matches) -> None:
        """List only these."""
        self._matches = matches
        self.listing = Listing(self.board.rows, matches)
        self.listing.put(self._plans)
        self._shape()

    def plan(self, plans: Sequence[Row]) -> None:
        """What schedules will bring; what was planned before is forgotten."""
        for old in self._plans:
            self.listing.drop(old.id)
            self.board.rows.pop(old.id, None)
        self._plans = list(plans)
        self.board.put(plans)
        self.put(plans)

    def put(self, rows: Sequence[Row]) -> None:
        """Rows that are new or have changed."""
        self.listing.put(rows)
        self._shape()

    def _shape(self) -> None:
        self._columns: Sequence[Column] = columns(self.listing)
        self._heads = [column.head for column in self._columns]

    # What a table asks

    def __len__(self) -> int:
        return len(self.listing)

    def heads(self) -> Sequence[Head]:
        return self._heads

    def key(self, line: int) -> Hashable:
        return self.listing.at(line)

    def line(self, key: Hashable) -> int | None:
        return self.listing.index(key) if isinstance(key, int) else None

    def row(self, line: int) -> Row | None:
        """The run on a line; None for the line at now."""
        return self.board.rows.get(self.listing.at(line)) if line < len(self) else None

    def cells(self, line: int, now: float) -> Sequence[Cell]:
        row = self.row(line)
        if row is None:
            return (Cell(self._now_line(now), MUTED),)
        return [column.cell(row, now) for column in self._columns]

    def ticks(self, line: int) -> bool:
        row = self.row(line)
        return row is None or not row.ended

    def chosen(self, key: Hashable) -> bool:
        return key in self.chosen_ids

    def anchor(self) -> int | None:
        return self.listing.now_at

    def rest(self) -> int:
        """Just below the line at now."""
        return min(self.listing.now_at + 1, len(self) - 1)

    def term(self, line: int, column: int) -> str:
        row = self.row(line)
        return "" if row is None or row.planned else self._columns[column].term(row)

    def _now_line(self, now: float) -> str:
        states = self.listing.states
        clock = time.strftime("%H:%M:%S", time.localtime(now))
        words = [f"{states[each]} {each}" for each in ("running", "waiting", "stopping") if states[each]]
        first = self.listing.at(self.listing.now_at - 1) if self.listing.coming else 0
        soon = self.board.rows[first].when if first else None
        words += [f"next in {span(max(0.0, soon - now))}"] if soon is not None else []
        return f"── now {clock} ── {', '.join(words) or 'nothing runs'} " + "─" * 400
