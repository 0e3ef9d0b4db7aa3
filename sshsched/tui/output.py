"""What a program prints, live: follows at the end, stays where somebody has scrolled to, searches.

Rule: it holds one window of bytes and draws the visible lines; the rest stays in the files.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from contextvars import copy_context
from typing import Any, ClassVar

from rich.ansi import AnsiDecoder
from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from sshsched.domain.model import Stream
from sshsched.errors import SshschedError
from sshsched.tui.past import Past
from sshsched.tui.search import find
from sshsched.tui.tail import Tail
from sshsched.tui.window import WINDOW, Line, Window, bare

FRAME = 0.05  # seconds


class Output(ScrollView, can_focus=True):
    """One stream of one run."""

    DEFAULT_CSS = "Output { overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; height: 1fr; }"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("up,k", "scroll_up", "one line up", show=False),
        Binding("down,j", "scroll_down", "one line down", show=False),
        Binding("home,g", "top", "to the first byte", show=False),
        Binding("end,G", "bottom", "to the end, and follow", show=False),
        Binding("n", "next(False)", "next match", show=False),
        Binding("N", "next(True)", "match before", show=False),
    ]

    class Said(Message):
        """Something to tell beside the text, such as that nothing was found."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, past: Past, stream: Stream, *, id: str) -> None:
        super().__init__(id=id)
        self.stream: Stream = stream
        self.window = Window()
        self.following = True
        self.size_known = 0
        self.needle = ""
        self._past = past
        self._run: int | None = None
        self._tail: Tail | None = None
        self._rows: list[tuple[int, int]] = []
        self._match: int | None = None
        self._moving = False
        self._turn = 0

    # Which run

    async def show(self, run: int, *, live: bool) -> None:
        """Show this run from the end of what there is; with `live`, go on as more comes."""
        if run == self._run and (live or self._tail is None):
            return
        if run != self._run:
            self.leave()
            self._run, self.following, self._match = run, True, None
        self._turn += 1
        turn = self._turn
        await self._told(self._load_end())
        if turn == self._turn and live and self._tail is None:
            loop, context = asyncio.get_running_loop(), copy_context()

            def wake() -> None:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(loop.call_later, FRAME, self._hear, context=context)

            self._tail = Tail(self._past.state_dir, f"r{run}", self.stream, self.window.end, wake)

    def leave(self) -> None:
        """Show nothing more."""
        if self._tail is not None:
            self._tail.end()
        self._tail = self._run = None
        self._turn += 1
        self.window, self.size_known = Window(), 0
        self._lay()

    def on_unmount(self) -> None:
        self.leave()

    def _hear(self) -> None:
        if self._tail is None:
            return
        begin, data = self._tail.take()
        self.size_known = max(self.size_known, begin + len(data))
        full = self.window.end - self.window.begin + len(data) > WINDOW
        if not self.following and (full or begin != self.window.end):
            self.refresh()
            return
        if begin != self.window.end:
            self.window = Window(begin)
        self.window.append(data)
        self._lay()

    # Which stretch

    async def _load_end(self) -> None:
        run = self._run
        assert run is not None
        size = await asyncio.wrap_future(self._past.size(run, self.stream))
        await self._load(max(0, size - WINDOW), None)

    async def _load(self, begin: int, anchor: int | None) -> None:
        """Hold the bytes from `begin` on, with the line of the byte `anchor` on top; None is the end."""
        run = self._run
        if run is None:
            return
        data = await asyncio.wrap_future(self._past.read(run, self.stream, begin, WINDOW))
        if run != self._run:
            return
        size = await asyncio.wrap_future(self._past.size(run, self.stream))
        self.window = Window(begin)
        self.window.append(data)
        self.size_known = max(self.size_known if self._tail else 0, size, self.window.end)
        self.following = anchor is None
        self._lay()
        if anchor is not None:
            self._put_on_top(anchor)

    async def _told(self, work: Awaitable[None]) -> None:
        """Do it; what is wrong with the files is said, and the screen lives on."""
        try:
            await work
        except SshschedError as error:
            self.post_message(self.Said(str(error)))

    def _put_on_top(self, anchor: int, above: int = 0) -> None:
        line = self.window.at(anchor)
        row = next((row for row, (each, _) in enumerate(self._rows) if each >= line), 0)
        self._go(max(0, row - above))

    def _lay(self) -> None:
        """Work out the rows on the screen, and stay where we are."""
        width = max(1, self.size.width - 1)
        top = self._top_byte()
        self._rows = []
        for number, line in enumerate(self.window.lines):
            text = bare(line.text)
            cells = len(text) if text.isascii() else cell_len(text)
            self._rows += [(number, start) for start in range(0, max(cells, 1), width)]
        self._moving = True
        self.virtual_size = Size(self.size.width, len(self._rows))
        self._moving = False
        if self.following:
            self._go(len(self._rows))
        elif top is not None:
            self._put_on_top(top)
        self.refresh()

    def _top_byte(self) -> int | None:
        row = self.scroll_offset.y
        lines = self.window.lines
        return lines[self._rows[row][0]].begin if row < len(self._rows) and self._rows[row][0] < len(lines) else None

    def _go(self, row: int) -> None:
        self._moving = True
        self.scroll_to(y=row, animate=False)
        self._moving = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._moving or self._run is None or old_value == new_value:
            return
        at_end = new_value >= self.max_scroll_y
        self.following = at_end and self.window.end >= self.size_known
        if new_value <= 0 and self.window.begin > 0:
            self._slide(max(0, self.window.begin - WINDOW // 2))
        elif at_end and self.window.end < self.size_known:
            self._slide(min(self.window.begin + WINDOW // 2, max(0, self.size_known - WINDOW)))

    def _slide(self, begin: int) -> None:
        self.run_worker(self._told(self._load(begin, self._top_byte() or 0)), group=f"{self.id}-slide", exclusive=True)

    # Drawing

    def on_resize(self) -> None:
        self._lay()

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        row = y + self.scroll_offset.y
        if row >= len(self._rows):
            return Strip.blank(width, base)
        number, start = self._rows[row]
        if number >= len(self.window.lines):
            return Strip.blank(width, base)
        strip = self._strip(self.window.lines[number])
        return strip.crop(start, start + max(1, width - 1)).apply_style(base).adjust_cell_length(width, base)

    def _strip(self, line: Line) -> Strip:
        text = AnsiDecoder().decode_line(line.colours + line.text) if "\x1b" in line.colours + line.text else None
        text = text or Text(line.text)
        if self.needle:
            for match in re.finditer(re.escape(self.needle), text.plain, re.IGNORECASE):
                text.stylize("reverse bold", match.start(), match.end())
        return Strip(text.render(self.app.console))

    # Keys

    def action_top(self) -> None:
        self.following = False
        if self.window.begin:
            self.run_worker(self._told(self._load(0, 0)), group=f"{self.id}-slide", exclusive=True)
        else:
            self._go(0)

    def action_bottom(self) -> None:
        self.following = True
        if self.window.end < self.size_known:
            self.run_worker(self._told(self._load_end()), group=f"{self.id}-slide", exclusive=True)
        else:
            self._go(len(self._rows))

    def search(self, needle: str) -> None:
        """Look for a text, from what is on the screen on backwards: the newest is met first."""
        self.needle = needle
        self._match = None
        if needle:
            self.action_next(True)
        self.refresh()

    def action_next(self, back: bool) -> None:
        if self._run is not None and self.needle:
            self.run_worker(self._told(self._find(back)), group=f"{self.id}-find", exclusive=True)

    async def _find(self, back: bool) -> None:
        run, needle, files = self._run, self.needle, self._past.files
        assert run is not None
        place = self._match
        if place is None:
            place = self.size_known if back else -1
        asked = True

        def read(offset: int, size: int) -> bytes:
            return files.read(run, self.stream, offset, size)

        try:
            found = await asyncio.to_thread(
                lambda: find(read, self.size_known, needle, place, back=back, wanted=lambda: asked)
            )
        finally:
            asked = False
        if found is None:
            self.post_message(self.Said(f"no {'earlier' if back else 'later'} '{needle}'"))
            return
        self._match = found
        if not self.window.begin <= found < self.window.end:
            await self._load(max(0, found - WINDOW // 2), found)
        self.following = False
        self._put_on_top(found, above=self.size.height // 2)
        self.refresh()

    def state(self) -> dict[str, Any]:
        """Where it stands: for the line above it."""
        return {"following": self.following, "begin": self.window.begin, "end": self.window.end}
