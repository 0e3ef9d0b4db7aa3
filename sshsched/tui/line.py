"""The line to type in at the bottom: the filter with its completion, and what to search for in output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual.binding import Binding
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from sshsched.store.filter_complete import Known, Suggestion, complete
from sshsched.tui.filters import Filter

OFFERED = 8  # ways to go on that are named


class Offers(Suggester):
    """What goes on from the text as a ghost behind the cursor."""

    def __init__(self, known: Callable[[], Known]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._known = known

    async def get_suggestion(self, value: str) -> str | None:
        for each in ways(value, len(value), self._known()):
            whole = value[: each.begin] + each.text
            if whole.startswith(value) and whole != value:
                return whole
        return None


def ways(text: str, cursor: int, known: Known) -> list[Suggestion]:
    """How the term at the cursor may go on."""
    return complete(text, cursor, known)


class Line(Input):
    """Typing narrows the list at once; Tab takes what is offered, Enter keeps the filter, Esc takes it back."""

    DEFAULT_CSS = """
    Line, Line:focus { height: 1; border: none; padding: 0 1; display: none; }
    Line.-shown { display: block; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape", "leave", show=False),
        Binding("tab", "take", show=False),
        Binding("down", "submit", show=False),
    ]

    class Left(Message):
        """Somebody has changed their mind."""

    def __init__(self, known: Callable[[], Known], *, id: str) -> None:
        self.known = known
        super().__init__(id=id, suggester=Offers(known), compact=True)
        self.searches = False
        """Whether it is a text to search for, rather than a filter."""
        self.before = Filter()
        """What was listed when it was opened."""

    def open(self, text: str, *, searches: bool) -> None:
        """Take the keys, with this text to begin with."""
        self.searches = searches
        self.placeholder = "text to look for" if searches else "state:running,failure job:reports/* host:web1 !text"
        self.suggester = None if searches else Offers(self.known)
        with self.prevent(Input.Changed):
            self.value = text
        self.cursor_position = len(text)
        self.add_class("-shown")
        self.focus()

    def close(self) -> None:
        self.remove_class("-shown")

    def offered(self) -> list[str]:
        """The ways to go on that there is room to name."""
        return (
            []
            if self.searches
            else [each.text for each in ways(self.value, self.cursor_position, self.known())[:OFFERED]]
        )

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def action_take(self) -> None:
        found = ways(self.value, self.cursor_position, self.known()) if not self.searches else []
        if found:
            first = found[0]
            self.value = self.value[: first.begin] + first.text + self.value[first.end :]
            self.cursor_position = first.begin + len(first.text)
