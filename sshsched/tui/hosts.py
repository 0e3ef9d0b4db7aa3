"""The hosts that matter now, as a table asks for them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from sshsched.cli.safe import safe_line
from sshsched.cli.times import span
from sshsched.store.filter_text import quoted
from sshsched.tui.columns import MUTED, PLAIN, STRONG, WARNING, Cell
from sshsched.tui.layout import Head
from sshsched.tui.model import Board, instant

HEADS = (
    Head("HOST"),
    Head("LINK", least=13),
    Head("SINCE", rank=3, right=True),
    Head("LATENCY", rank=3, right=True),
    Head("RUNNING", rank=1, right=True),
    Head("SLOTS", rank=4, right=True),
    Head("WAITING", rank=2, right=True),
    Head("PROBLEM", rank=5, stretch=True, least=8),
)
LINKS = {
    "up": ("● up", "success"),
    "connecting": ("◔ connecting", "waiting"),
    "unreachable": ("✘ unreachable", "error"),
}


class Hosts:
    """Reads the board; `changed` has the order made anew."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._names: list[str] = []
        self._wanted = ""

    def narrow(self, text: str) -> None:
        """Only hosts whose name holds this text."""
        self._wanted = text.casefold()
        self.changed()

    def changed(self) -> None:
        """Hosts have come or gone."""
        self._names = sorted(name for name in self._board.hosts if self._wanted in name.casefold())

    # What a table asks

    def __len__(self) -> int:
        return len(self._names)

    def heads(self) -> Sequence[Head]:
        return HEADS

    def key(self, line: int) -> Hashable:
        return self._names[line]

    def line(self, key: Hashable) -> int | None:
        return self._names.index(key) if isinstance(key, str) and key in self._names else None

    def cells(self, line: int, now: float) -> Sequence[Cell]:
        host = self._board.hosts[self._names[line]]
        text, tone = LINKS.get(host.get("state", ""), (f"○ {safe_line(str(host.get('state', '')))}", MUTED))
        since = instant(host.get("since"))
        slots, running = host.get("slots"), host.get("running", 0)
        return [
            Cell(safe_line(host["host"]), STRONG),
            Cell(text, tone),
            Cell("" if since is None else span(max(0.0, now - since)), MUTED),
            Cell("" if host.get("latency") is None else span(host["latency"]), MUTED),
            Cell(_count(running), "running" if running else MUTED),
            Cell("" if slots is None else _used(slots, running), WARNING if slots == running else PLAIN),
            Cell(_count(host.get("waiting", 0)), "waiting" if host.get("waiting") else MUTED),
            Cell(safe_line(host.get("problem") or ""), WARNING if host.get("problem") else MUTED),
        ]

    def ticks(self, line: int) -> bool:
        return bool(self._board.hosts[self._names[line]].get("since"))

    def chosen(self, key: Hashable) -> bool:
        return False

    def anchor(self) -> int | None:
        return None

    def rest(self) -> int:
        return 0

    def term(self, line: int, column: int) -> str:
        return f"host:{quoted(self._names[line])}"


def _count(value: int) -> str:
    return str(value) if value else "-"


def _used(slots: int, running: int) -> str:
    """`▮▮▯▯ 2/4`, without the bars where there are too many."""
    bars = "▮" * min(running, slots) + "▯" * max(0, slots - running) if slots <= 8 else ""
    return f"{bars} {running}/{slots}".strip()
