"""A workflow as a graph: boxes and lines where there is room, a list where there is not; one step is chosen.

Rule: the choice belongs to a step, so it stays when the drawing changes; keys lead to where a neighbour is drawn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from sshsched.cli.safe import safe_line
from sshsched.cli.table import cells as width_of
from sshsched.domain.drawing import Line, Piece, drawing
from sshsched.domain.steps import place_of
from sshsched.tui.columns import MUTED
from sshsched.tui.past import Workflow
from sshsched.tui.theme import Palette

ROOT = "#"
"""The workflow itself among its steps; no step is called that."""


class Spot(NamedTuple):
    """Where a step stands."""

    x: int
    y: int
    right: int
    bottom: int

    @property
    def middle(self) -> int:
        return (self.x + self.right) // 2


class Graph(ScrollView, can_focus=True):
    """Draws the workflow that `show` is given."""

    DEFAULT_CSS = "Graph { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("up,k", "go(0, -1)", "a step above", show=False),
        Binding("down,j", "go(0, 1)", "a step below", show=False),
        Binding("left", "go(-1, 0)", "the step to the left", show=False),
        Binding("right", "go(1, 0)", "the step to the right", show=False),
        Binding("enter", "open", "the run of this step", show=False),
    ]

    class Opened(Message):
        """Somebody wants to see a run of this workflow; None is one that has not begun."""

        def __init__(self, step: str, run: int | None) -> None:
            super().__init__()
            self.step, self.run = step, run

    def __init__(self, palette: Callable[[], Palette], *, id: str) -> None:
        super().__init__(id=id)
        self.chosen = ROOT
        self._hidden = False
        """Whether the choice has not been in sight yet."""
        self._palette = palette
        self._workflow: Workflow | None = None
        self._lines: list[Line] = []
        self._spots: dict[str, Spot] = {}

    # What is drawn

    async def show(self, workflow: Workflow | None) -> None:
        """Draw this workflow as it stands."""
        before, self._workflow = self._workflow, workflow
        self._hidden |= before is None or workflow is None or before.root.id != workflow.root.id
        await self._lay()

    def choose(self, step: str | None) -> None:
        """Put the cursor on a run's step, or on the workflow itself."""
        self.chosen = place_of(step) if step else ROOT
        self._reveal()

    async def _lay(self) -> None:
        """Draw it anew, in a thread: thousands of steps take longer than a key may wait."""
        width, workflow = max(1, self.scrollable_content_region.width), self._workflow
        found = await asyncio.to_thread(drawn, workflow, width)
        if workflow is not self._workflow:
            return
        self._lines, self._spots = found
        self.virtual_size = Size(width, len(self._lines))
        if self._hidden:
            self._reveal()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, base, palette = self.scrollable_content_region.width, self.rich_style, self._palette()
        mark = base + (palette.cursor if self.has_focus else palette.bar)
        row = y + self.scroll_offset.y
        segments = []
        for text, style, step in self._lines[row] if row < len(self._lines) else ():
            here = mark if step and step == self.chosen else base
            segments.append(Segment(text, here + palette[MUTED if style == "dim" else style]))
        return Strip(segments).adjust_cell_length(width, base)

    def on_resize(self) -> None:
        self._hidden = True
        self.run_worker(self._lay(), group="lay", exclusive=True)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    # The choice

    def action_go(self, x: int, y: int) -> None:
        spots = self._spots
        here = spots.get(self.chosen)
        if here is None:
            self.choose(None)
        elif y:
            beyond = [name for name, spot in spots.items() if (spot.y - here.y) * y > 0]
            row = min((abs(spots[name].y - here.y) for name in beyond), default=0)
            near = [name for name in beyond if abs(spots[name].y - here.y) == row]
            self.chosen = min(near, key=lambda name: abs(spots[name].middle - here.middle), default=self.chosen)
        else:
            beside = [name for name, spot in spots.items() if spot.y == here.y and (spot.x - here.x) * x > 0]
            self.chosen = min(beside, key=lambda name: abs(spots[name].x - here.x), default=self.chosen)
        self._reveal()

    def action_open(self) -> None:
        if (found := self._workflow) is None:
            return
        runs = {ROOT: found.root, **{place.name: place.run for place in found.places}}
        run = runs.get(self.chosen)
        self.post_message(self.Opened(self.chosen, None if run is None else run.id))

    def on_click(self, event: events.Click) -> None:
        x, y = event.x, event.y + self.scroll_offset.y
        for name, spot in self._spots.items():
            if spot.x <= x < spot.right and spot.y <= y <= spot.bottom:
                self.chosen = name
                self._reveal()
                if event.chain == 2:
                    self.action_open()

    def _reveal(self) -> None:
        spot = self._spots.get(self.chosen)
        self._hidden = spot is None or not self.size
        if spot is not None:
            top = 0 if self.chosen == ROOT else spot.y
            self.scroll_to_region(Region(0, top, 1, spot.bottom - top + 1), animate=False, force=True)
        self.refresh()


def drawn(workflow: Workflow | None, width: int) -> tuple[list[Line], dict[str, Spot]]:
    """The lines, made harmless, and where each step stands in them."""
    raw = [] if workflow is None else [_head(workflow), [], *drawing(workflow.places, width)]
    lines = [[piece._replace(text=safe_line(piece.text)) for piece in line] for line in raw]
    spots: dict[str, Spot] = {}
    for y, line in enumerate(lines):
        x = 0
        for piece in line:
            right = x + width_of(piece.text)
            if piece.step:
                first = spots.get(piece.step, Spot(x, y, right, y))
                spots[piece.step] = Spot(first.x, first.y, max(first.right, right), y)
            x = right
    return lines, spots


def _head(workflow: Workflow) -> Line:
    root = workflow.root
    held = f", held: {root.held}" if root.held else ""
    return [
        Piece(f"{root.name} {root.job_id or ''}", "title", ROOT),
        Piece(f"  {root.state}", str(root.state), ROOT),
        Piece(f"  {root.message}{held}", "dim"),
    ]
