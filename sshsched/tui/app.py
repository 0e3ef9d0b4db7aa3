"""The screen: lists, details, the line to type in, and the keys that lead from one to the other.

Rule: a key only changes what is shown, or asks; whatever takes time is done elsewhere, and drawn when it has come.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, ClassVar

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from sshsched.tui import doing, keys, narrowing, status
from sshsched.tui.actions import ACTIONS
from sshsched.tui.bars import Bar
from sshsched.tui.detail import Detail
from sshsched.tui.graph import Graph
from sshsched.tui.line import Line
from sshsched.tui.live import Live
from sshsched.tui.looking import Looking
from sshsched.tui.model import Row
from sshsched.tui.output import Output
from sshsched.tui.past import PAGE
from sshsched.tui.table import Table
from sshsched.tui.theme import Palette

VIEWS = ("runs", "jobs", "hosts")


def bindings() -> list[Binding]:
    """All keys but those of lists; those of actions come from their own table."""
    rows = [Binding(key.key, key.action, key.says, show=False) for key in (*keys.LOOKING, *keys.DOING)]
    return rows + [Binding(action.key, f"act('{action.name}')", action.about, show=False) for action in ACTIONS]


class Watch(App[None]):
    """`open_run` is shown at once, and alone."""

    CSS = """
    Screen { layout: vertical; }
    Table { height: 1fr; }
    #banner { display: none; }
    """
    BINDINGS: ClassVar[list[Any]] = bindings()
    ENABLE_COMMAND_PALETTE = True
    TITLE = "sshsched"

    def __init__(self, live: Live, open_run: int | None = None) -> None:
        # Without colours, Textual turns those of a theme into greys, and those of the terminal into none.
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") else None)
        self.live, self._open_run = live, open_run
        self.view = "runs"
        self._palette: Palette | None = None
        self._looking = Looking(self)
        self._begun_by = os.getppid()

    # Parts

    @property
    def palette(self) -> Palette:
        """What tones look like in this theme."""
        if self._palette is None:
            self._palette = Palette(self.theme_variables, colours=not self.no_color)
        return self._palette

    def compose(self) -> ComposeResult:
        live, now = self.live, self.live.now()
        yield Bar(lambda: self.palette, lambda palette: palette.bar, id="top")
        yield Bar(lambda: self.palette, lambda palette: palette.alarm, id="banner")
        for name, source in (("runs", live.runs), ("jobs", live.jobs), ("hosts", live.hosts)):
            yield Table(source, lambda: self.palette, now, id=name)
        yield Detail(live.past, lambda: self.palette, live.now, id="detail")
        yield Line(live.known, id="line")
        yield Bar(lambda: self.palette, lambda palette: palette.bar, id="keys")

    def on_mount(self) -> None:
        self.detail = self.query_one(Detail)
        self.line = self.query_one(Line)
        self.tables = {name: self.query_one(f"#{name}", Table) for name in VIEWS}
        self.top, self.banner, self.foot = (self.query_one(f"#{name}", Bar) for name in ("top", "banner", "keys"))
        self.theme_changed_signal.subscribe(self, lambda _: self._repaint())
        self.action_view("runs")
        self.live.begin(self.told)
        self.set_interval(1.0, self._tick)
        if self._open_run is not None:
            self.go_to_run(self._open_run)
            self.open_detail(zoomed=True)
            self.detail.content.focus()

    def on_unmount(self) -> None:
        self.live.end()

    @property
    def table(self) -> Table:
        """The list that is seen."""
        return self.tables[self.view]

    def _repaint(self) -> None:
        self._palette = None
        for widget in self.screen.walk_children(Widget):
            widget.refresh()

    # What changes by itself

    def told(self) -> None:
        """Something is new: draw it."""
        self.table.changed()
        self._looking.again()
        self.tell()

    def _tick(self) -> None:
        if self.is_web and os.getppid() != self._begun_by:
            self.exit()  # whoever served this to a browser has been killed
        now = self.live.now()
        self.live.tick(now)
        self.table.tick(now)
        if self.detail.display:
            self.detail.show(now)
        self._looking.again()
        self.tell()

    def tell(self) -> None:
        """Have the lines around the lists say how things are."""
        self.top.say(*status.top(self.live, self.view))
        self.banner.display = self.live.gone is not None or bool(self.live.trouble)
        self.banner.say(status.banner(self.live))
        self.foot.say(status.bottom(self.live, self.line.offered() if self.line.has_focus else None))

    def say(self, text: str, *, bad: bool = False) -> None:
        """One line about what somebody has asked for."""
        self.notify(text, severity="warning" if bad else "information", markup=False)

    # Where one looks

    def action_view(self, name: str) -> None:
        self.view = name
        for each, table in self.tables.items():
            table.display = each == name and not self.detail.has_class("-zoomed")
        if name != "runs":
            self.close_detail()
        self.table.display = True
        self.table.changed()
        self.table.focus()
        self.tell()

    def go_to_run(self, id: int) -> None:
        """Put the cursor on a run, as soon as it is there."""
        self.action_view("runs")
        self.tables["runs"].go_to(id)
        self.live.fetch(id)

    def action_to_now(self) -> None:
        self.tables["runs"].touched = False
        self.action_view("runs")

    async def action_open(self) -> None:
        key = self.table.key
        if self.view == "runs":
            if self.detail.display:
                self.detail.content.focus()
            elif (row := self.row()) is not None and not row.planned:
                self.open_detail()
        elif not self.live.jobs.fold(key):
            self.narrow(self.table.source.term(self.table.at, 0) if len(self.table.source) else "")
            self.action_view("runs")
        self.table.changed()

    async def action_back(self) -> None:
        if self.detail.display and self.detail.content.has_focus and not self.detail.has_class("-zoomed"):
            self.table.focus()
        elif self.detail.display:
            self.close_detail()
        elif self.live.runs.chosen_ids:
            self.live.runs.chosen_ids.clear()
            self.table.refresh()
        elif self.live.filter.text:
            self.narrow("")

    def open_detail(self, *, zoomed: bool = False) -> None:
        """Show the run under the cursor beside the list, or alone."""
        self.detail.display = True
        self._zoom(zoomed or self.size.height < 16)
        self._looking.soon()

    def close_detail(self) -> None:
        """Show the list alone."""
        self.detail.close()
        self._zoom(False)
        self.table.focus()

    def action_zoom(self) -> None:
        if self.detail.display:
            self._zoom(not self.detail.has_class("-zoomed"))

    def _zoom(self, zoomed: bool) -> None:
        self.detail.set_class(zoomed, "-zoomed")
        self.table.display = not zoomed
        if zoomed:
            self.detail.content.focus()

    def action_part(self, part: str) -> None:
        self.detail.see(part)

    def action_tab(self, by: int) -> None:
        if self.detail.display:
            self.detail.turn(by)
        else:
            self.action_view(VIEWS[(VIEWS.index(self.view) + by) % len(VIEWS)])

    def row(self) -> Row | None:
        """The run under the cursor."""
        key = self.tables["runs"].key
        return self.live.board.rows.get(key) if isinstance(key, int) else None

    def on_table_moved(self, message: Table.Moved) -> None:
        if message.table.id != "runs":
            return
        if self.detail.display:
            self._looking.soon()
        if max(self.table.at, self.table.page.stop) + PAGE // 2 > len(self.live.runs):
            self.live.more()

    async def on_table_opened(self, _: Table.Opened) -> None:
        await self.action_open()

    def on_detail_missing(self, message: Detail.Missing) -> None:
        self.say(message.why, bad=True)

    def on_graph_opened(self, message: Graph.Opened) -> None:
        doing.show_step(self, message.step, message.run)

    def on_output_said(self, message: Output.Said) -> None:
        self.say(message.text)

    # The filter

    def narrow(self, text: str) -> None:
        """List only what a filter asks for; a filter that cannot be read changes nothing."""
        narrowing.narrow(self, text)

    def action_filter(self) -> None:
        narrowing.begin(self)
        self.tell()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input is self.line:
            narrowing.typed(self, event.value)
            self.tell()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input is self.line:
            narrowing.keep(self, event.value)
            self.tell()

    def on_line_left(self) -> None:
        narrowing.leave(self)
        self.tell()

    def action_clear_filter(self) -> None:
        self.narrow("")

    def action_add_term(self, negated: bool = False) -> None:
        if term := self.table.term():
            narrowing.add(self, f"!{term}" if negated else term)
        else:
            self.say("choose a cell first, with ← and →", bad=True)

    def action_add_state(self, state: str) -> None:
        narrowing.add(self, f"state:{state}")

    def on_table_wanted(self, message: Table.Wanted) -> None:
        if message.term:
            narrowing.add(self, message.term)

    # Acting

    def action_unfold(self) -> None:
        key = self.table.key
        if self.live.jobs.fold(key) or (isinstance(key, int) and self.live.runs.listing.unfold(key)):
            self.table.changed()

    def action_choose(self) -> None:
        row = self.row() if self.view == "runs" else None
        if row is not None and not row.planned:
            self.live.runs.chosen_ids ^= {row.id}
            self.table.go(self.table.at + 1)
            self.table.refresh()

    def acted_on(self) -> list[Row]:
        """The runs that are chosen, or else the one under the cursor."""
        rows, chosen = self.live.board.rows, sorted(self.live.runs.chosen_ids)
        under = self.row() if self.view == "runs" else None
        return [rows[each] for each in chosen if each in rows] or ([under] if under else [])

    def action_act(self, name: str) -> None:
        doing.act(self, next(each for each in ACTIONS if each.name == name), self.acted_on())

    def action_run_form(self) -> None:
        row = self.row() if self.view == "runs" else None
        key = self.table.key
        job = key if self.view == "jobs" and isinstance(key, str) else row.job_id if row else None
        doing.run_form(self, job or "", row)

    def action_copy(self) -> None:
        if (row := self.row()) is not None and not row.planned:
            doing.copy(self, row, self.detail.spool(row.id))

    def action_help(self) -> None:
        from sshsched.tui.boxes import Help

        self.push_screen(Help())

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        return doing.commands(self)
