"""The lines around the lists: what the screen is about at the top, what is wrong below it, keys at the bottom.

Rule: one line each, drawn by hand, and cut where the terminal ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from sshsched.cli.table import cells as width_of
from sshsched.tui.theme import Palette

Part = tuple[str, str, str]
"""A text, its tone, and the action of the app that a click on it runs; empty for none."""


class Bar(Widget):
    """One line of parts; `right` goes to the right end if there is room."""

    DEFAULT_CSS = "Bar { height: 1; width: 100%; }"

    def __init__(self, palette: Callable[[], Palette], style: Callable[[Palette], Style], *, id: str) -> None:
        super().__init__(id=id)
        self._palette, self._style = palette, style
        self._left: Sequence[Part] = ()
        self._right: Sequence[Part] = ()
        self._places: list[tuple[int, str]] = []

    def say(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Show these parts."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    @property
    def text(self) -> str:
        """What it says, without colours."""
        return "".join(text for text, _, _ in (*self._left, *self._right))

    def render_line(self, y: int) -> Strip:
        palette, width = self._palette(), self.size.width
        base = self.rich_style + self._style(palette)
        used = sum(width_of(text) for text, _, _ in self._left)
        right = self._right if used + sum(width_of(text) for text, _, _ in self._right) < width else ()
        space = width - used - sum(width_of(text) for text, _, _ in right)
        parts = [*self._left, (" " * max(0, space), "", ""), *right]
        self._places, end, segments = [], 0, []
        for text, tone, action in parts:
            end += width_of(text)
            self._places.append((end, action))
            segments.append(Segment(text, base + palette[tone]))
        return Strip(segments).adjust_cell_length(width, base)

    async def on_click(self, event: events.Click) -> None:
        action = next((action for end, action in self._places if event.x < end), "")
        if action:
            await self.app.run_action(action)
