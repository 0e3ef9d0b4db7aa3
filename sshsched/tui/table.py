"""A list of any length of which only the visible lines are ever made: header, cursor, cells, mouse.

Rule: the cursor belongs to a key, not to a line, so it stays on its run whatever is inserted above. A frame, that is
the cells of the visible lines and the widths that fit them, is made once and drawn from.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from sshsched.cli.table import cells as width_of
from sshsched.cli.table import cut
from sshsched.tui.columns import Cell
from sshsched.tui.keys import MOVING, TURNING
from sshsched.tui.layout import Head, fitted, shown
from sshsched.tui.source import Source
from sshsched.tui.theme import Palette

GAP = 2
ABOVE = 4  # lines in sight above the anchor, where there are so many


@dataclass
class Frame:
    """What is on the screen: visible lines by number, and the columns that have room, with their widths."""

    top: int
    lines: dict[int, Sequence[Cell]]
    columns: list[int]
    widths: dict[int, int]


class Table(ScrollView, can_focus=True):
    """Shows a source; call `changed()` whenever that says something new."""

    DEFAULT_CSS = "Table { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }"

    BINDINGS: ClassVar[list[Any]] = [Binding(key.key, key.action, key.says, show=False) for key in (*MOVING, *TURNING)]

    class Moved(Message):
        """The cursor stands on another line."""

        def __init__(self, table: Table, key: Hashable) -> None:
            super().__init__()
            self.table, self.key = table, key

    class Opened(Moved):
        """Somebody wants to see more of this line."""

    class Wanted(Message):
        """A cell is to become part of the filter."""

        def __init__(self, term: str) -> None:
            super().__init__()
            self.term = term

    def __init__(self, source: Source, palette: Callable[[], Palette], now: float, *, id: str) -> None:
        super().__init__(id=id)
        self.source, self.palette, self.now = source, palette, now
        self.key: Hashable = None
        """What the cursor stands on."""
        self.wish: Hashable = None
        """What it was put on; while that is not shown, it stands nearby."""
        self.column = -1
        """Of the cell that is chosen; -1 is the whole line."""
        self.touched = False
        """Whether somebody has moved the cursor."""
        self._line = 0
        self._stays: int | None = None
        self._first: Hashable = None
        """What stands on the first line, as it was drawn or scrolled there."""
        self._frame: Frame | None = None
        self._widest: dict[str, int] = {}

    # What is shown

    @property
    def room(self) -> int:
        """Lines below the header."""
        return max(0, self.size.height - 1)

    @property
    def width(self) -> int:
        """Columns beside the scrollbar."""
        return self.scrollable_content_region.width

    @property
    def at(self) -> int:
        """The line of the cursor."""
        return self._line

    @property
    def page(self) -> range:
        """The visible lines."""
        top = self.scroll_offset.y
        return range(top, min(top + self.room, len(self.source)))

    def changed(self) -> None:
        """The source says something new: show it, with the cursor on what it was on."""
        old, top, stays = self._line, self.scroll_offset.y, self._stays
        in_sight = range(top, top + self.room)
        self._stays = self.source.anchor()
        # Where few lines are below the anchor, blank ones let it stand near the top all the same.
        height = len(self.source) + 1
        if self._stays is not None:
            height = max(height, self._stays - self._above + self.size.height)
        self.virtual_size = Size(self.width, height)
        self._line = self._place()
        if not self.touched:
            self._scroll(self._line - 1 - self._above)
        elif stays in in_sight and stays is not None and self._stays is not None:
            self._scroll(self._stays - max(stays - top, min(self._stays, self._above)))
        elif old in in_sight:
            self._scroll(self._line - (old - top))
        elif (first := self.source.line(self._first)) is not None:
            self._scroll(first)
        if old in in_sight or not self.touched:  # else somebody has scrolled away from the cursor
            self.reveal()
        self._tell()
        self._frame = None
        self.refresh()

    def _place(self) -> int:
        """Where the cursor belongs now."""
        if not self.touched:
            return self.source.rest()
        found = self.source.line(self.wish) if self.wish is not None else None
        return max(0, min(self._line, len(self.source) - 1) if found is None else found)

    @property
    def _above(self) -> int:
        """Lines to show above the anchor."""
        return min(ABOVE, self.room // 4)

    def _scroll(self, top: int) -> None:
        self.scroll_to(y=max(0, top), animate=False, force=True)  # the scrollbar may not be there yet

    def tick(self, now: float) -> None:
        """Time has passed: redraw the lines that it changes, if they are in sight."""
        self.now = now
        if self._frame is None or not self.display:
            return
        old, ticking = self._frame, [line for line in self.page if self.source.ticks(line)]
        if not ticking:
            return
        frame = self._made()
        if frame.widths != old.widths:
            self.refresh()
            return
        for line in ticking:
            if frame.lines.get(line) != old.lines.get(line):
                self.refresh(Region(0, line - frame.top + 1, self.width, 1))

    def reveal(self) -> None:
        """Scroll as little as shows the cursor."""
        top = self.scroll_offset.y
        if self._line < top:
            self._scroll(self._line)
        elif self._line >= top + self.room:
            self._scroll(self._line - self.room + 1)

    def go(self, line: int) -> None:
        """Put the cursor on a line."""
        self.touched = True
        old, self._line = self._line, max(0, min(line, len(self.source) - 1))
        top = self.scroll_offset.y
        self.reveal()
        for each in {old, self._line}:
            if top == self.scroll_offset.y:
                self.refresh(Region(0, each - top + 1, self.width, 1))
        self._tell()
        self.wish = self.key

    def go_to(self, key: Hashable) -> None:
        """Put the cursor on what has this key, now or as soon as it is there."""
        self.wish, self.touched = key, True
        self.changed()

    def term(self) -> str:
        """What a filter calls the cell that is chosen."""
        return self.source.term(self._line, self.column) if len(self.source) and self.column >= 0 else ""

    def action_line(self, by: int) -> None:
        self.go(self._line + by)

    def action_page(self, by: int) -> None:
        self.go(self._line + by * max(1, self.room - 1))

    def action_edge(self, by: int) -> None:
        self.go(0 if by < 0 else len(self.source) - 1)

    def action_sideways(self, by: int) -> None:
        """Choose another cell of the line; left of the first one, the whole line."""
        seen = self._seen().columns
        place = seen.index(self.column) + by if self.column in seen else (0 if by > 0 else -1)
        self.column = seen[min(place, len(seen) - 1)] if place >= 0 and seen else -1
        self.refresh()

    def _tell(self) -> None:
        key = self.source.key(self._line) if len(self.source) else None
        if key != self.key:
            self.key = key
            self.post_message(self.Moved(self, key))

    # Drawing

    def _seen(self) -> Frame:
        return self._frame if self._frame and self._frame.top == self.scroll_offset.y else self._made()

    def _made(self) -> Frame:
        heads = self.source.heads()
        lines = {line: self.source.cells(line, self.now) for line in self.page}
        for cells in lines.values():
            if len(cells) == len(heads):
                for head, cell in zip(heads, cells, strict=True):
                    wide = width_of(cell.text)
                    if wide > self._widest.get(head.title, 0):
                        self._widest[head.title] = wide
        names = shown(heads, self._widest, self.width, GAP)
        widths = fitted(heads, names, self._widest, self.width, GAP)
        self._note_first()
        self._frame = Frame(self.scroll_offset.y, lines, names, widths)
        return self._frame

    def render_line(self, y: int) -> Strip:
        width, base = self.width, self.rich_style
        frame = self._seen()
        if y == 0:
            return self._header(frame, base)
        line = frame.top + y - 1
        cells = frame.lines.get(line)
        if cells is None:
            return Strip.blank(width, base)
        if line == self._line and self.has_focus:
            base += self.palette().cursor
        if len(cells) == 1:
            text = cut(cells[0].text, width)
            return Strip([Segment(text, base + self.palette()[cells[0].tone])]).adjust_cell_length(width, base)
        chosen = self.source.chosen(self.source.key(line))
        return self._row(frame, cells, base + self.palette().chosen if chosen else base, line)

    def _header(self, frame: Frame, base: Style) -> Strip:
        style, heads = base + self.palette().header, self.source.heads()
        titles = [Cell(head.title) for head in heads]
        segments = self._segments(frame, heads, titles, style, -1)
        return Strip(segments).adjust_cell_length(self.width, style)

    def _row(self, frame: Frame, cells: Sequence[Cell], base: Style, line: int) -> Strip:
        column = self.column if line == self._line and self.has_focus else -1
        segments = self._segments(frame, self.source.heads(), cells, base, column)
        return Strip(segments).adjust_cell_length(self.width, base)

    def _segments(
        self, frame: Frame, heads: Sequence[Head], cells: Sequence[Cell], base: Style, column: int
    ) -> list[Segment]:
        segments, palette = [], self.palette()
        for index in frame.columns:
            cell, width = cells[index], frame.widths[index]
            text = cut(cell.text, width)
            space = " " * (width - width_of(text))
            if cell.tones and index != column:
                letters = zip(text, cell.tones, strict=False)
                segments += [Segment(letter, base + palette[tone]) for letter, tone in letters]
                segments.append(Segment(space, base))
            else:
                whole = f"{space}{text}" if heads[index].right else f"{text}{space}"
                segments.append(Segment(whole, base + (palette.cell if index == column else palette[cell.tone])))
            segments.append(Segment(" " * GAP, base))
        return segments

    # Mouse and size

    def on_resize(self, _: events.Resize) -> None:
        self._widest.clear()
        self.changed()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def _note_first(self) -> None:
        self._first = self.source.key(self.page.start) if self.page else None

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._frame = None
        self._note_first()

    def on_mouse_scroll_up(self) -> None:
        self._scrolled()

    def on_mouse_scroll_down(self) -> None:
        self._scrolled()

    def on_scroll_to(self) -> None:
        self._scrolled()

    def _scrolled(self) -> None:
        """Somebody has moved the view and not the cursor: from now on it stays where it was put."""
        self.touched, self.wish = True, self.key
        self.post_message(self.Moved(self, self.key))

    def on_click(self, event: events.Click) -> None:
        line = event.y - 1 + self.scroll_offset.y
        if event.y < 1 or line >= len(self.source):
            return
        self.focus()
        self.column = self._column_at(event.x)
        self.go(line)
        self.refresh()
        if event.button == 3:
            self.post_message(self.Wanted(self.term()))
        elif event.chain == 2:
            self.post_message(self.Opened(self, self.key))

    def _column_at(self, x: int) -> int:
        frame, end = self._seen(), 0
        for index in frame.columns:
            end += frame.widths[index] + GAP
            if x < end:
                return index
        return -1
