"""All that the screen knows, and how it comes to know it: news, pages of the past, job files.

Rule: everything here runs on one loop, and only threads wait. Whoever draws is told after each change, at most FRAMES
times a second for what the scheduler says.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any

from sshsched.errors import SshschedError
from sshsched.service.client import Client
from sshsched.store.filter import RunFilter
from sshsched.tui import outside as out
from sshsched.tui.feed import Feed, News
from sshsched.tui.filters import Filter, known
from sshsched.tui.hosts import Hosts
from sshsched.tui.jobs import SHOWN, Jobs
from sshsched.tui.model import COMING, Board, Command, Row, row
from sshsched.tui.past import PAGE, Past
from sshsched.tui.runs import Runs

FRAMES = 20
MOST_PLANNED = 30
AFTERWARDS = 0.3  # seconds: reading job files takes the processor, and the first frame comes first
MOST_ROWS = 200_000  # of the past; a filter finds what is older


class Live:
    """`told` is called whenever there is something else to draw; `now` is the clock, in seconds since 1970."""

    def __init__(
        self,
        outside: out.Outside,
        past: Past,
        filter: Filter,
        first: Future[list[Row]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self.outside, self.past, self.filter, self.now = outside, past, filter, now
        self.board = Board()
        self.runs = Runs(self.board)
        self.jobs = Jobs(self._need)
        self.hosts = Hosts(self.board)
        self.gone: float | None = None
        """Since when no scheduler answers."""
        self.trouble = ""
        """Why the past cannot be read; empty if it can."""
        self.serves = False
        """Whether the scheduler runs schedules, too."""
        self.problems = 0
        """In job files."""
        self._told: Callable[[], None] = lambda: None
        self._planned: list[out.Planned] = []
        self._first = first
        self._feed = Feed(outside.state_dir, self._woken, now)
        self._took_at = 0.0
        self._reading = False
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context = copy_context()
        """Of whoever draws: a thread has another one."""
        self.runs.narrow(filter.matches)

    def begin(self, told: Callable[[], None]) -> None:
        """Learn from now on."""
        self._told, self._loop, self._context = told, asyncio.get_running_loop(), copy_context()
        self._feed.begin()
        if self._first.done() and self._first.exception() is None:
            self._add(self._first.result())
        else:
            self._ask(self._first, self._add)
        self._loop.call_later(AFTERWARDS, self.read_jobs)

    def end(self) -> None:
        """Learn no more."""
        self._told = lambda: None
        self._feed.end()
        for task in self._tasks:
            task.cancel()
        self.past.close()

    def tick(self, now: float) -> None:
        """Time has passed: what was planned and is due is a run by now, or never will be."""
        if self._planned and self._planned[0].at <= now:
            self.read_jobs()

    def known(self) -> Any:
        """What can be offered while a filter is typed."""
        newest = (self.board.rows[each] for each in sorted(self.board.rows, reverse=True)[:2000])
        return known(newest, self.board.hosts, self.jobs.jobs)

    # News

    def _woken(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._due, context=self._context)

    def _due(self) -> None:
        wait = self._took_at + 1 / FRAMES - time.monotonic()
        if wait > 0 and self._loop is not None:
            self._loop.call_later(wait, self._take)
        else:
            self._take()

    def _take(self) -> None:
        self._took_at = time.monotonic()
        self.hear(self._feed.take())

    def hear(self, news: News) -> None:
        """Take in what is new."""
        was_gone, self.gone = self.gone, news.gone
        rows: list[Row] = []
        if news.snapshot is not None:
            rows, over = self.board.begin(news.snapshot)
            if over:
                self._ask(self.past.rows(frozenset(over)), self._again)
            if self.filter.text or was_gone is not None:
                self._first_page()
            self._spawn(self._mode())
        changed = [row(shape) for shape in news.runs.values()]
        self.board.put(changed)
        self.board.hosts |= news.hosts
        for sizes in news.outputs.values():
            self.board.printed(sizes)
        if news.snapshot is not None or news.hosts:
            self.hosts.changed()
        if news.jobs:
            self.read_jobs()
        if self.gone is not None and was_gone is None:
            self.serves = False
            self._plan()
        self._show([*rows, *changed])

    async def _mode(self) -> None:
        """Ask whether schedules are run at all: a scheduler in the background runs none."""

        def ask() -> bool:
            with Client(self.outside.state_dir) as client:
                return client.status().get("mode") == "serve"

        try:
            self.serves = await asyncio.to_thread(ask)
        except SshschedError:
            return  # gone again: that is told by the stream
        self._plan()
        self._told()

    def _show(self, rows: Iterable[Row]) -> None:
        rows = list(rows)
        if rows:
            self.runs.put(rows)
            self.jobs.hear(rows)
        self._told()

    # The past

    def narrow(self, filter: Filter) -> None:
        """List only what a filter asks for."""
        self.filter = filter
        self.runs.narrow(filter.matches)
        self._first_page()
        self._told()

    def more(self) -> None:
        """Read on in the past."""
        if self.runs.more and not self._reading and len(self.board.rows) < MOST_ROWS:
            self._reading = True
            self._page(self.runs.reached)

    def fetch(self, id: int) -> None:
        """Have this run among those that are known, however old it is."""
        if id not in self.board.rows:
            self._ask(self.past.rows(frozenset({id})), self._again)

    def _first_page(self) -> None:
        self._turn += 1
        self._reading = True
        self._page(None)

    def _page(self, before: int | None) -> None:
        turn = self._turn

        def then(rows: list[Row]) -> None:
            if turn == self._turn:
                self._reading = False
                self._add(rows)

        self._ask(self.past.page(self.filter.where, before), then)

    def _add(self, rows: list[Row]) -> None:
        self.runs.more = len(rows) == PAGE
        if rows:
            self.runs.reached = rows[-1].id
        self._show(self.board.add(rows))

    def _again(self, rows: list[Row]) -> None:
        self.board.put(rows)
        self._show(rows)

    # Jobs

    def read_jobs(self) -> None:
        """Read the job files, and what their schedules will bring."""
        self._planned = []

        async def read() -> None:
            try:
                found = await asyncio.to_thread(self.outside.jobs, self.now())
            except SshschedError as error:
                self.trouble = str(error)
                self._told()
                return
            self.problems = found.problems
            self.jobs.take(found.jobs)
            self._planned = list(found.planned)
            self._plan()
            self._told()

        self._spawn(read())

    def _plan(self) -> None:
        planned = self._planned[:MOST_PLANNED] if self.serves else []
        self.runs.plan([_row(number, each) for number, each in enumerate(planned, 1)])

    def _need(self, job: str) -> None:
        def then(rows: list[Row]) -> None:
            self.jobs.past(job, rows)
            self._told()

        self._ask(self.past.page(RunFilter(job=job), limit=SHOWN), then)

    # Waiting

    def _ask(self, answer: Future[Any], then: Callable[[Any], None]) -> None:
        async def wait() -> None:
            try:
                found = await asyncio.wrap_future(answer)
            except SshschedError as error:
                self.trouble = str(error)
                self._told()
                return
            self.trouble = ""
            then(found)

        self._spawn(wait())

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _row(number: int, planned: out.Planned) -> Row:
    return Row(
        -number,
        COMING,
        planned.host,
        planned.at,
        Command(planned.command),
        planned.job,
        planned.args,
        tuple(planned.labels),
        message=planned.note,
        schedule_time=planned.at,
    )
