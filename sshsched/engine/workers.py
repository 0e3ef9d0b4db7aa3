"""The hosts that are worked on: a worker with a link for each, begun when somebody needs it, let go when nobody has.

Rule: a mistake on one host costs nobody else anything.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import PurePosixPath

from sshsched.domain.events import Event, HostDown, HostUp, Report, Reported
from sshsched.domain.hosts import Host
from sshsched.domain.model import Run, run_id
from sshsched.domain.placement import candidates
from sshsched.domain.shape import Shape
from sshsched.domain.states import State
from sshsched.domain.view import HostView
from sshsched.engine.board import Board, host_shape
from sshsched.engine.check import check
from sshsched.engine.handed import Handed
from sshsched.engine.hosts import HostWorker
from sshsched.engine.incoming import Outputs
from sshsched.errors import HostError
from sshsched.remote.answers import Hello
from sshsched.remote.link import Link
from sshsched.remote.transport import Transport

LINGER = 600.0  # seconds that a link outlives its last run

log = logging.getLogger("sshsched")


class Workers:
    """Made for one engine. `hosts` gives an alias of ssh_config for a name that it does not list."""

    def __init__(
        self,
        board: Board,
        post: Callable[[Event], None],
        *,
        instance: str,
        transport: Callable[[Host], Transport],
        hosts: Callable[[], Mapping[str, Host]],
        outputs: Outputs,
        handed: Handed,
        clock: Callable[[], float],
    ) -> None:
        self._handed = handed
        self._board = board
        self._post = post
        self._instance = instance
        self._transport = transport
        self._hosts = hosts
        self._outputs = outputs
        self._clock = clock
        self._workers: dict[str, tuple[HostWorker, asyncio.Task[None]]] = {}
        self._idle_since: dict[str, float] = {}
        self._followed: Counter[int] = Counter()
        self._watching: dict[int, HostWorker] = {}

    async def run(self) -> None:
        """Close the links that nobody has needed for a while, until cancelled; then all of them."""
        for host in self._board.needed_hosts():
            self.worker(host)
        try:
            while True:
                await asyncio.sleep(LINGER / 10)
                await self._let_go()
        finally:
            tasks = [task for _, task in self._workers.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def worker(self, name: str) -> HostWorker:
        """The worker of a host, begun if there is none."""
        self._idle_since.pop(name, None)
        host = self._host(name)
        if (known := self._board.host(name)).slots != host.slots:
            self._board.set_host(replace(known, slots=host.slots))
        if name not in self._workers:
            link = Link(self._transport(host), self._instance, self, root=self._root(host), env=host.env)
            worker = HostWorker(link, self._outputs, self._board.view.runs.get, self._post, self._handed)
            self._workers[name] = (worker, asyncio.create_task(self._supervise(worker), name=f"host {name}"))
        worker = self._workers[name][0]
        worker.link.env = host.env
        return worker

    def hurry(self, runs: Iterable[Run]) -> None:
        """Somebody waits for these new runs: do not put off a connection that failed before."""
        for asked in {run.asked for run in runs if run.state is State.WAITING and not run.plan.conditions}:
            for host in candidates(self._board.view, asked).hosts:
                self.worker(host).link.hurry()

    @contextmanager
    def follow(self, number: int) -> Iterator[None]:
        """While entered, the output of this run comes in as it is written, wherever it is placed."""
        self._followed[number] += 1
        if (run := self._board.view.runs.get(number)) is not None:
            self.moved(run)
        try:
            yield
        finally:
            self._followed[number] -= 1
            if not self._followed[number]:
                del self._followed[number]
                if (worker := self._watching.pop(number, None)) is not None:
                    worker.unwatch(number)

    def moved(self, run: Run) -> None:
        """A run has changed: if it is followed, its output can be had once it has a host."""
        if run.id in self._followed and run.id not in self._watching and run.host and not run.finished:
            self._watching[run.id] = self.worker(run.host)
            self._watching[run.id].watch(run.id)

    async def check(self, name: str) -> Shape:
        """Connect, probe and report. Raises HostError where nothing could be learnt."""
        return await check(self._host(name), self._transport(self._host(name)), self._instance, self._clock)

    def shapes(self) -> list[Shape]:
        """The hosts that matter now."""
        names = self._board.view.hosts.keys() | self._workers.keys() | self._hosts().keys()
        return [self.shape(name) for name in sorted(names)]

    def shape(self, name: str) -> Shape:
        """One of them."""
        link = self._workers[name][0].link if name in self._workers else None
        latency = None if link is None else link.latency
        return host_shape(self._board, name, self._host(name).slots, latency, wanted=link is not None)

    # What links tell -------------------------------------------------------------------------------------------------

    def link_up(self, host: str, hello: Hello) -> None:
        log.info("%s: connected", host)
        self._post(HostUp(self._clock(), host, hello.boot, hello.spool))

    def link_down(self, host: str, error: HostError) -> None:
        known = self._board.host(host)
        if known.up or known.problem != error.message:
            log.warning("%s: %s", host, error.message)
        if host in self._workers:
            self._workers[host][0].lost()
        self._post(HostDown(self._clock(), host, error.message, error.permanent))

    def noticed(self, host: str, word: str, name: str, report: Report | None) -> None:
        if word == "probed":
            self._workers[host][0].probed(name)
            return
        number = run_id(name.partition("-")[0])
        run = None if number is None else self._board.view.runs.get(number)
        if run is None or not name.endswith(run.key) or run.finished:
            return
        if report is not None:
            self._post(Reported(self._clock(), run.id, report))
        else:
            self._workers[host][0].look(run.id)

    # Inside ----------------------------------------------------------------------------------------------------------

    async def _supervise(self, worker: HostWorker) -> None:
        while True:
            try:
                await worker.run()
            except* Exception:
                log.exception("%s: unexpected; connecting anew", worker.link.host)
            await asyncio.sleep(1)

    async def _let_go(self) -> None:
        needed, now = self._board.needed_hosts(), self._clock()
        for name in [name for name in self._workers if name not in needed]:
            if now - self._idle_since.setdefault(name, now) > LINGER:
                _, task = self._workers.pop(name)
                del self._idle_since[name]
                self._board.set_host(HostView(name))
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def _root(self, host: Host) -> str | None:
        """Where the spools of this host go: for as long as any is left from before, where that one is.

        hosts.yaml may have been changed under a live run. Looked for elsewhere, its spool would seem to be gone, and a
        start that is sent again would not find its claim.
        """
        for run in self._board.view.by_host.get(host.name, {}).values():
            if run.spool is not None:
                return str(PurePosixPath(run.spool.path).parents[2])  # ROOT/INSTANCE/HOST/RUN: see docs/spool.md
        return host.spool

    def _host(self, name: str) -> Host:
        # Not get(): of a name that it does not list, the mapping makes an alias of ssh_config with the usual slots.
        return self._hosts()[name]
