"""One run, whole: summary, log, output, program, in parts of which one is seen.

Rule: what is shown is read from the store, in a thread, and again when the run has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from sshsched.domain.model import STREAMS
from sshsched.errors import SshschedError
from sshsched.tui import facts
from sshsched.tui.bars import Bar, Part
from sshsched.tui.facts import Fact, size
from sshsched.tui.graph import Graph
from sshsched.tui.keys import TURNING
from sshsched.tui.output import Output
from sshsched.tui.past import Past
from sshsched.tui.theme import Palette

if TYPE_CHECKING:
    from sshsched.domain.model import LogEntry
    from sshsched.tui.model import Shape

PARTS = ("summary", "graph", "log", "stdout", "stderr", "job")
"""The graph is for workflows and their steps."""


class Detail(Vertical):
    """Shows the run that `look` is told; `part` is what is seen of it."""

    DEFAULT_CSS = """
    Detail { height: 1fr; display: none; }
    Detail VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
    Detail Static { height: auto; width: 100%; }
    """

    BINDINGS: ClassVar[list[Any]] = [Binding(key.key, key.action, key.says, show=False) for key in TURNING]

    class Missing(Message):
        """The run cannot be shown; why."""

        def __init__(self, why: str) -> None:
            super().__init__()
            self.why = why

    def __init__(self, past: Past, palette: Callable[[], Palette], now: Callable[[], float], *, id: str) -> None:
        super().__init__(id=id)
        self.run_id: int | None = None
        self._wanted = "summary"
        self._past, self._palette, self._now = past, palette, now
        self._shape: Shape | None = None
        self._root: int | None = None
        self._seen: Widget | None = None
        self._log: list[LogEntry] = []
        self._said: object = None
        self._tabs_bar = Bar(palette, lambda palette: palette.header, id="parts")
        self._text = Static(id="text")
        self._scroll = VerticalScroll(self._text, id="facts")
        self._graph = Graph(palette, id="graph")
        self._outputs = {stream: Output(past, stream, id=stream) for stream in STREAMS}

    def compose(self) -> ComposeResult:
        yield self._tabs_bar
        yield self._scroll
        yield self._graph
        yield from self._outputs.values()

    def on_mount(self) -> None:
        self.see(self.part)

    @property
    def parts(self) -> Sequence[str]:
        """What there is to see of this run."""
        return PARTS if self._root is not None else [part for part in PARTS if part != "graph"]

    @property
    def part(self) -> str:
        """What is seen of it: what was asked for, if this run has it."""
        return self._wanted if self._wanted in self.parts else "summary"

    @property
    def content(self) -> Widget:
        """What takes the keys that scroll."""
        return self._graph if self.part == "graph" else self.output() or self._scroll

    def output(self) -> Output | None:
        """The output that is seen, if any is."""
        return next((output for stream, output in self._outputs.items() if stream == self.part), None)

    def spool(self, id: int) -> str | None:
        """Where this run lies on its host, if that is known here."""
        return self._shape["spool"] if self._shape is not None and id == self.run_id else None

    async def look(self, id: int) -> None:
        """Show this run, as it is now."""
        try:
            found = await asyncio.wrap_future(self._past.run(id))
        except SshschedError as error:
            self.post_message(self.Missing(str(error)))
            return
        if found is None:
            self.post_message(self.Missing(f"no run r{id}"))
            return
        other = id != self.run_id
        self.run_id = id
        self._shape, self._log, self._root = found
        self._arrange()
        if other:
            self._graph.choose(self._shape["step"])
            for each in self._outputs.values():
                each.leave()
            self._scroll.scroll_home(animate=False)
        self.show(self._now())
        await self._stream()
        await self._draw()

    def see(self, part: str) -> None:
        """Show this part."""
        self._wanted = part
        self._arrange()
        self._said = None
        self.show(self._now())
        if self.run_id is not None:
            self.run_worker(self._stream(), group="stream", exclusive=True)
            self.run_worker(self._draw(), group="draw", exclusive=True)

    def _arrange(self) -> None:
        """Have that part on the screen which is to be seen, with the focus if the one before had it."""
        before, self._seen = self._seen, self.content
        if before is self._seen:
            return
        had_focus = self.display and before is not None and before.has_focus
        for each in (self._scroll, self._graph, *self._outputs.values()):
            each.display = each is self._seen
        if had_focus:
            self._seen.focus()

    def turn(self, by: int) -> None:
        """Show the next part, or the one before."""
        parts = self.parts
        self.see(parts[(parts.index(self.part) + by) % len(parts)])

    def close(self) -> None:
        """Show nothing, and hang up."""
        self.display = False
        self.run_id = self._shape = self._root = None
        for each in self._outputs.values():
            each.leave()

    def show(self, now: float) -> None:
        """Draw what is known, as it is at this time."""
        self._tabs_bar.say(self._tabs(), self._end())
        lines = list(self._facts(now))
        if lines != self._said and self.content is self._scroll:
            self._said = lines
            self._text.update(self._drawn(lines))

    async def _stream(self) -> None:
        """Read the output that is seen, and no other."""
        seen, shape = self.output(), self._shape
        for each in self._outputs.values():
            if each is not seen:
                each.leave()
        if seen is not None and shape is not None and self.run_id is not None:
            await seen.show(self.run_id, live=not (shape["output_complete"] or shape["output_lost"]))

    async def _draw(self) -> None:
        """Read the workflow, if its graph is seen."""
        if self.part == "graph" and (root := self._root) is not None:
            try:
                found = await asyncio.wrap_future(self._past.workflow(root))
            except SshschedError as error:
                self.post_message(self.Missing(str(error)))
                return
            if root == self._root:
                await self._graph.show(found)

    def _facts(self, now: float) -> Iterable[Fact]:
        if self._shape is None:
            return ()
        if self.part == "log":
            return facts.log(self._log)
        return facts.summary(self._shape, now) if self.part == "summary" else facts.program(self._shape)

    def _drawn(self, lines: list[Fact]) -> Text:
        palette, text = self._palette(), Text()
        wide = max((len(fact.word) for fact in lines), default=0)
        for fact in lines:
            text.append(f"{fact.word:<{wide}}  ", palette["muted"])
            text.append(f"{fact.text}\n", palette[fact.tone])
        return text

    def _tabs(self) -> list[Part]:
        name = f" r{self.run_id} " if self.run_id else " "
        shape = self._shape
        sizes: dict[str, str] = {}
        if shape is not None:
            sizes = {
                each.stream: size(max(shape[f"{each.stream}_size"], each.size_known)) for each in self._outputs.values()
            }
        tabs: list[Part] = [(name, "title", "")]
        for part in self.parts:
            words = f" {part} {sizes[part]} " if part in sizes else f" {part} "
            tabs.append((words, "accent" if part == self.part else "muted", f"part('{part}')"))
        return tabs

    def _end(self) -> list[Part]:
        seen = self.output()
        if seen is None:
            return []
        words = (
            " follows " if seen.following else f" {size(seen.window.begin)} to {size(seen.window.end)}, End follows "
        )
        return [(words, "muted", "")]
