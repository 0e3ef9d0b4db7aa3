"""Boxes over the screen: a question with yes and no, a choice, the help.

Rule: text is shown as it is, never read as markup; Esc leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from sshsched.tui.actions import ACTIONS
from sshsched.tui.keys import GROUPS

T = TypeVar("T")

GRAMMAR = """\
state:running,failure   is:live,finished,failed,late,unreachable   job:reports/*   host:web1   label:nightly
by:ann   arg.date=2026-11-22   since:2h   until:today   run:r12   word   !word   "two words"
All terms must hold; commas separate alternatives, ! turns a term round, * stands for any text."""


class Box(ModalScreen[T]):
    """A frame in the middle."""

    DEFAULT_CSS = """
    Box { align: center middle; background: $background 60%; }
    Box > VerticalScroll { width: auto; max-width: 100%; min-width: 20; height: auto; max-height: 100%; padding: 0 1;
        border: round $accent; background: $surface; scrollbar-size-vertical: 1; }
    Box Static { width: auto; max-width: 100w; height: auto; }
    """
    BINDINGS: ClassVar[list[Any]] = [("escape,q", "leave", "leave")]

    def texts(self) -> Sequence[Text]:
        """What stands in it."""
        return ()

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            for text in self.texts():
                yield Static(text)

    def action_leave(self) -> None:
        self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        if event.widget is self:
            self.action_leave()


class Ask(Box[bool]):
    """What will happen, and yes or no."""

    BINDINGS: ClassVar[list[Any]] = [("y,enter", "yes", "yes"), ("n", "leave", "no")]

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._title, self._lines = title, lines

    def texts(self) -> Sequence[Text]:
        keys = Text("y or Enter: do it    n or Esc: leave it", style="dim")
        return Text(self._title, style="bold"), *map(Text, self._lines), keys

    def action_yes(self) -> None:
        self.dismiss(True)


class Choice(Box[str]):
    """One of several things, each with a key. What is chosen is the text of it."""

    def __init__(self, title: str, offers: Sequence[tuple[str, str, str]]) -> None:
        super().__init__()
        self._title, self._offers = title, offers

    def texts(self) -> Sequence[Text]:
        lines = [Text(f"{key}  {word + '  ' if word else '':<10}{text}") for key, word, text in self._offers]
        return Text(self._title, style="bold"), *lines

    def on_key(self, event: events.Key) -> None:
        for key, _, text in self._offers:
            if event.key == key:
                event.stop()
                self.dismiss(text)


class Help(Box[None]):
    """All keys, and the grammar of the filter."""

    BINDINGS: ClassVar[list[Any]] = [("question_mark", "leave", "leave")]

    def texts(self) -> Sequence[Text]:
        found = []
        for title, group in GROUPS:
            lines = [f"{key.name:<12}{key.says}" for key in group]
            if title == "Act":
                lines = [f"{action.key:<12}{action.name}: {action.about}" for action in ACTIONS] + lines
            found += [Text(title, style="bold"), Text("\n".join(lines))]
        return *found, Text("Filter", style="bold"), Text(GRAMMAR)
