"""The screen: its parts, and the way that news takes to them.

Rule: whatever waits for something waits in a thread or on the loop, never in a key. News is taken at most FRAMES times
a second, and once a second the lines that time changes are drawn again.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding

from sshsched.errors import SshschedError
from sshsched.tui import keys
from sshsched.tui.actions import ACTIONS, Action, question, told
from sshsched.tui.bars import Bar, Part
from sshsched.tui.feed import Feed, News
from sshsched.tui.filters import Filter, added, parse
from sshsched.tui.listing import NOW
from sshsched.tui.model import Board, Row, row
from sshsched.tui.outside import Outside
from sshsched.tui.past import PAGE, Past
from sshsched.tui.runs import Runs
from sshsched.tui.table import Table
from sshsched.tui.theme import Palette

FRAMES = 20
MOST_LIVE = 20_000


def bindings() -> list[Binding]:
    """All keys; those of actions come from their own table."""
    rows = [Binding(key.key, key.action, key.says, show=False) for _, group in keys.GROUPS for key in group]
    return rows + [Binding(action.key, f"act('{action.name}')", action.name, show=False) for action in ACTIONS]


class Watch(App[None]):
    """`now` is a clock of seconds since 1970."""

    CSS = """
    Screen { layout: vertical; }
    Table { height: 1fr; }
    #banner { display: none; }
    """
    BINDINGS: ClassVar[list[Any]] = bindings()
    ENABLE_COMMAND_PALETTE = True

    def __init__(self, outside: Outside, filter: Filter, first: Future[list[Row]], past: Past) -> None:
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") else None)
        self.outside, self.past = outside, past
        self.board = Board()
        self.runs = Runs(self.board)
        self.filter = filter
        self.gone: float | None = None
        self._first = first
        self._feed = Feed(outside.state_dir, self._woken)
        self._took_at = 0.0
        self._reading = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self.title = "sshsched"

    # Parts

    def compose(self) -> ComposeResult:
        self.palette = Palette(self.theme_variables, colours=not self.no_color)
        yield Bar(lambda: self.palette, lambda palette: palette.bar, id="top")
        yield Bar(lambda: self.palette, lambda palette: palette.alarm, id="banner")
        yield Table(self.runs, self.palette, time.time(), id="runs")
        yield Bar(lambda: self.palette, lambda palette: palette.bar, id="keys")

    def on_mount(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._feed.begin()
        self.table.focus()
        self.query_one("#keys", Bar).say(self._key_parts())
        self.runs.narrow(self.filter.matches)
        self.call_later(self._begin)
        self.set_interval(1.0, self._tick)

    def on_unmount(self) -> None:
        self._feed.end()
        self.past.close()

    @property
    def table(self) -> Table:
        return self.query_one("#runs", Table)

    async def _begin(self) -> None:
        self._add(await asyncio.wrap_future(self._first))
        self.action_to_now()

    # News

    def _woken(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._due)

    def _due(self) -> None:
        wait = self._took_at + 1 / FRAMES - time.monotonic()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._take)
        else:
            self._take()

    def _take(self) -> None:
        self._took_at = time.monotonic()
        self.hear(self._feed.take())

    def hear(self, news: News) -> None:
        """Take in what is new, and show it."""
        self.gone = news.gone
        rows: list[Row] = []
        if news.snapshot is not None:
            told_, over = self.board.begin(news.snapshot)
            rows += told_
            if over:
                self._ask(self.past.rows(frozenset(over)), self._refresh)
        changed = [row(shape) for shape in news.runs.values()]
        self.board.put(changed)
        self.board.hosts |= news.hosts
        for sizes in news.outputs.values():
            self.board.printed(sizes)
        self._show([*rows, *changed])

    def _show(self, rows: list[Row]) -> None:
        if rows:
            self.runs.put(rows)
            self.table.changed()
        self._say()

    def _refresh(self, rows: list[Row]) -> None:
        self.board.put(rows)
        self._show(rows)

    def _add(self, rows: list[Row]) -> None:
        self.runs.more = len(rows) == PAGE
        self._show(self.board.add(rows))

    def _ask(self, answer: Future[Any], then: Any) -> None:
        async def wait() -> None:
            then(await asyncio.wrap_future(answer))

        self.run_worker(wait())

    def _tick(self) -> None:
        self.table.tick(time.time())
        self._say()

    def _say(self) -> None:
        states = self.runs.listing.states
        left: list[Part] = [(" sshsched ", "title", "")]
        for number, view in enumerate(("runs", "jobs", "hosts"), 1):
            left.append((f" {number} {view} ", "accent" if view == "runs" else "", f"view('{view}')"))
        right: list[Part] = [
            (f" {states[each]} {each}", each, "") for each in ("running", "waiting", "failure", "error") if states[each]
        ]
        self.query_one("#top", Bar).say(left, [*right, (" ", "", "")])
        banner = self.query_one("#banner", Bar)
        banner.display = self.gone is not None
        if self.gone is not None:
            since = time.strftime("%H:%M:%S", time.localtime(self.gone))
            banner.say(
                [(f" no scheduler since {since}: this is how things stood; it is looked for all the time", "", "")]
            )

    def _key_parts(self) -> list[Part]:
        parts: list[Part] = []
        for _, group in keys.GROUPS:
            for key in group:
                if key.footer:
                    parts.append(
                        (
                            f" {key.shown or key.key.split(',')[0]} {key.footer} ".replace("slash", "/").replace(
                                "question_mark", "?"
                            ),
                            "",
                            key.action,
                        )
                    )
        return parts + [(f" {action.key} {action.name} ", "", f"act('{action.name}')") for action in ACTIONS]

    # Keys

    def action_line(self, by: int) -> None:
        self.table.go(self.table.at + by)
        self._more()

    def action_page(self, by: int) -> None:
        self.action_line(by * max(1, self.table.room - 1))

    def action_edge(self, by: int) -> None:
        self.table.go(0 if by < 0 else len(self.runs) - 1)
        self._more()

    def action_to_now(self) -> None:
        self.table.go(min(self.runs.listing.now_at + 1, len(self.runs) - 1))

    def action_sideways(self, by: int) -> None:
        self.table.sideways(by)

    def _more(self) -> None:
        """Read on in the past once the cursor comes near to the end of what has been read."""
        if self.runs.more and not self._reading and self.table.at + PAGE // 2 > len(self.runs):
            self._reading = True

            def then(rows: list[Row]) -> None:
                self._reading = False
                self._add(rows)

            self._ask(self.past.page(self.filter.where, self.runs.listing.oldest()), then)

    def action_unfold(self) -> None:
        if isinstance(self.table.key, int) and self.runs.listing.unfold(self.table.key):
            self.table.changed()

    def action_choose(self) -> None:
        if isinstance(self.table.key, int) and self.table.key > NOW:
            self.runs.chosen_ids ^= {self.table.key}
            self.table.go(self.table.at + 1)
            self.table.refresh()

    def acted_on(self) -> list[Row]:
        """The runs that are chosen, or else the one under the cursor."""
        ids: Iterable[int] = sorted(self.runs.chosen_ids)
        if not ids and isinstance(self.table.key, int):
            ids = [self.table.key]
        return [self.board.rows[each] for each in ids if each in self.board.rows]

    def action_act(self, name: str) -> None:
        action = next(each for each in ACTIONS if each.name == name)
        asked = question(action, self.acted_on())
        if not asked.names:
            self.notify(asked.title, severity="warning", markup=False)
            return
        from sshsched.tui.ask import Ask

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._act(action, list(asked.names)))

        self.push_screen(Ask(asked.title, asked.lines), answered)

    async def _act(self, action: Action, names: list[str]) -> None:
        try:
            answer = await asyncio.to_thread(
                self.outside.ask, lambda client: action.call(client, names, self.outside.user)
            )
        except SshschedError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self.runs.chosen_ids -= {int(each[1:]) for each in names}
        self.notify(told(action, answer), markup=False)
        self.table.refresh()

    async def action_back(self) -> None:
        self.runs.chosen_ids.clear()
        self.table.refresh()

    def action_add_term(self, negated: bool = False) -> None:
        if term := self.table.term():
            self.narrow(added(self.filter.text, f"!{term}" if negated else term))

    def on_table_wanted(self, message: Table.Wanted) -> None:
        if message.term:
            self.narrow(added(self.filter.text, message.term))

    def narrow(self, text: str) -> None:
        """List only what a filter asks for."""
        try:
            self.filter = parse(text, time.time())
        except SshschedError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        self.runs.narrow(self.filter.matches)
        self.table.changed()
        self._say()
        self._ask(self.past.page(self.filter.where), self._add)

    def on_resize(self, _: events.Resize) -> None:
        self.call_after_refresh(self._say)
