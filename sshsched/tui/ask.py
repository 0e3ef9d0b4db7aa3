"""The box that asks before something is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static


class Ask(ModalScreen[bool]):
    """A title, lines that say what will happen, and yes or no. Text is shown as it is, never as markup."""

    DEFAULT_CSS = """
    Ask { align: center middle; background: $background 60%; }
    Ask > VerticalScroll { width: 90%; max-width: 100; height: auto; max-height: 90%; padding: 0 1;
        border: round $accent; background: $surface; }
    Ask Static { height: auto; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        ("y,enter", "answer(True)", "yes"),
        ("n,escape,q", "answer(False)", "no"),
    ]

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._title, self._lines = title, lines

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(Text(self._title, style="bold"))
            yield Static(Text("\n".join(self._lines)))
            yield Static(Text("y or Enter: do it    n or Esc: leave it", style="dim"))

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)

    def on_click(self) -> None:
        """A click beside the box leaves things as they are."""
