"""What a table asks of what it shows. Rule: every answer is quick, for it is asked while a frame is drawn."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Protocol

from sshsched.tui.columns import Cell
from sshsched.tui.layout import Head


class Source(Protocol):
    """What a table shows."""

    def __len__(self) -> int: ...
    def heads(self) -> Sequence[Head]: ...
    def key(self, line: int) -> Hashable: ...
    def line(self, key: Hashable) -> int | None: ...
    def cells(self, line: int, now: float) -> Sequence[Cell]:
        """As many as there are heads, or a single one for a line that goes right across."""

    def ticks(self, line: int) -> bool:
        """Whether time alone changes what it says."""

    def chosen(self, key: Hashable) -> bool: ...
    def term(self, line: int, column: int) -> str: ...
    def anchor(self) -> int | None:
        """The line that stays where it is on the screen, while it is in sight, when others come and go."""

    def rest(self) -> int:
        """The line for a cursor that nobody has moved."""
