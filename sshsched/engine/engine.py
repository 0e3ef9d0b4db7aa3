"""The engine as the service sees it: runs are made, stopped and watched here, hosts come and go with them.

Rule: an engine belongs to one store, and its caller holds the store's lock.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from sshsched import __version__
from sshsched.domain.draft import Draft
from sshsched.domain.events import (
    FailedWanted,
    HoldWanted,
    HostDown,
    HostUp,
    MarkWanted,
    ReleaseWanted,
    Report,
    Reported,
    StartWanted,
    StopWanted,
    Submitted,
    TimePassed,
)
from sshsched.domain.hosts import Host
from sshsched.domain.instructions import Extract, Instruction, Notice, SaveCursor
from sshsched.domain.model import Run, StopAsked, run_id
from sshsched.domain.placement import candidates
from sshsched.domain.shape import Shape, iso
from sshsched.domain.states import State
from sshsched.domain.view import Group, HostView, Past, Rules
from sshsched.domain.waiting import explain
from sshsched.engine.bare import NO_PAST, NO_RULES
from sshsched.engine.board import Board, host_shape
from sshsched.engine.changes import Changes
from sshsched.engine.check import check
from sshsched.engine.core import Core, Saver
from sshsched.engine.groups import Groups
from sshsched.engine.hosts import HostWorker, Outputs
from sshsched.engine.made import Made, Maker
from sshsched.engine.schedules import Begin, Schedules
from sshsched.engine.teller import Teller, Telling
from sshsched.engine.values import Values
from sshsched.engine.watch import watch
from sshsched.errors import HostError, RefusedError
from sshsched.kinds.jobs import Job
from sshsched.remote.answers import Hello
from sshsched.remote.link import Link
from sshsched.remote.transport import Transport

LINGER = 600.0  # seconds that a link outlives its last run

log = logging.getLogger("sshsched")


class Publisher(Protocol):
    """Who hears of saved changes: the service's hub."""

    def publish(self, run: Run) -> None: ...
    def publish_host(self, shape: Shape) -> None: ...
    def publish_output(self, run_id: int, stdout_size: int, stderr_size: int) -> None: ...
    def publish_jobs(self, shape: Shape) -> None: ...


@dataclass(frozen=True, slots=True)
class Given:
    """What decisions are made with, beside the runs: kinds, the past, groups, locks and what is held back."""

    rules: Rules = NO_RULES
    past: Past = NO_PAST
    groups: Callable[[str], Group | None] = lambda asked: None
    locks: Mapping[str, int] = field(default_factory=dict)
    holds: Mapping[str, str] = field(default_factory=dict)


class Engine:
    """Made with what the store holds; `work()` is its life. Without `schedules` it starts only what it is asked for."""

    def __init__(
        self,
        store: Saver,
        instance: str,
        live: Sequence[Run],
        last_id: int,
        *,
        transport: Callable[[Host], Transport],
        hosts: Callable[[], Mapping[str, Host]],
        given: Given = Given(),
        outputs: Outputs,
        publisher: Publisher,
        mode: str,
        schedules: Begin | None = None,
        telling: Telling | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        groups = Groups(given.groups)
        self._maker = Maker(last_id, groups)
        self._board = Board(
            live,
            rules=given.rules,
            past=given.past,
            groups=groups,
            capacity=given.locks,
            holds=given.holds,
        )
        self._core = Core(store, self._board, self._maker.run, self._perform, self, clock)
        self._instance = instance
        self._transport = transport
        self._hosts = hosts
        self._outputs = outputs
        self._values = Values(outputs, self._core.post, clock)
        self._publisher = publisher
        self._mode = mode
        self._clock = clock
        self._schedules = (
            Schedules(schedules, self._time_passed, publisher.publish_jobs, clock) if schedules is not None else None
        )
        self._teller = (
            None
            if telling is None
            else Teller(
                telling,
                instance,
                say=self._core.say,
                runs=self._board.view.runs.get,
                live=lambda job_id: self._board.view.by_job.get(job_id, {}),
                jobs=self.jobs,
                holds=lambda job_id: self._schedules is None or self._schedules.last.holds(job_id),
                clock=clock,
            )
        )
        self._began = clock()
        self._workers: dict[str, tuple[HostWorker, asyncio.Task[None]]] = {}
        self._idle_since: dict[str, float] = {}
        self._sizes: dict[int, tuple[int, int]] = {}
        self.ending = asyncio.Event()
        self.handed_over = False

    async def work(self) -> None:
        """Work until cancelled. Programs on hosts are never touched by the end of it."""
        for host in self._board.needed_hosts():
            self._worker(host)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._core.run())
                group.create_task(self._values.run())
                group.create_task(self._let_go())
                group.create_task(self._pass_time())
                if self._teller is not None:
                    group.create_task(self._teller.deliver())
        finally:
            tasks = [task for _, task in self._workers.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # What the service asks -------------------------------------------------------------------------------------------

    async def submit(self, drafts: Sequence[Draft]) -> list[Run]:
        """Make runs; returns once they are saved."""
        now = self._clock()
        runs = tuple(self._maker.run(draft, now) for draft in drafts)
        self._hurry(runs)
        changed = await self._core.say(Submitted(now, runs))
        return [changed.get(run.id, run) for run in runs]

    async def stop(self, ids: Sequence[int], asked: StopAsked) -> list[Run]:
        """Have these live runs end; returns them once the wish is saved."""
        before = [run for number in ids if (run := self._board.view.runs.get(number))]
        changed = await self._core.say(StopWanted(tuple(ids), asked))
        return [changed.get(run.id, run) for run in before]

    async def want(
        self, event: FailedWanted | StartWanted | MarkWanted | HoldWanted | ReleaseWanted
    ) -> Mapping[int, Run]:
        """Have a wish decided; returns the runs that it changed, once that is saved."""
        return await self._core.say(event)

    def holds(self) -> dict[str, str]:
        """What is held back apart from single runs, and in whose words."""
        return dict(self._board.view.holds)

    def draft(self, job_id: str, args: Mapping[str, str], by: str) -> Draft:
        """A run of a job as that is now. Raises ValueError with what is wrong."""
        return self._board.view.rules.draft(job_id, args, {}, by)

    def explain(self, drafts: Sequence[Draft]) -> list[str]:
        """What would happen to each run if it were made now; nothing does."""
        now = self._clock()
        return [explain(self._board.view, self._maker.copy().run(draft, now), now) for draft in drafts]

    def run(self, number: int) -> Run | None:
        """A run that is not settled yet."""
        return self._board.view.runs.get(number)

    def live(self) -> Iterable[Run]:
        """All runs that are not settled yet."""
        return self._board.view.runs.values()

    def idle(self) -> bool:
        """Whether nothing is left to do."""
        waits = (self._schedules and self._schedules.waits) or (self._teller and self._teller.waits)
        return not self._board.view.runs and not waits

    def hosts(self) -> list[Shape]:
        """The hosts that matter now."""
        names = self._board.view.hosts.keys() | self._workers.keys() | self._hosts().keys()
        return [self._host_shape(name) for name in sorted(names)]

    async def check_host(self, name: str) -> Shape:
        """Connect, probe and report. Raises HostError where nothing could be learnt."""
        return await check(self._host(name), self._transport(self._host(name)), self._instance, self._clock)

    def status(self) -> Shape:
        """About the scheduler itself."""
        states: dict[str, int] = {}
        for run in self._board.view.runs.values():
            states[str(run.state)] = states.get(str(run.state), 0) + 1
        return {
            "version": __version__,
            "pid": os.getpid(),
            "mode": self._mode,
            "since": iso(self._began),
            "instance": self._instance,
            "live": states,
            "jobs": self._schedules and self._schedules.status(),
            "store": self._core.problem or "ok",
            "holds": self.holds(),
            "hosts": self.hosts(),
        }

    def jobs(self) -> Mapping[str, Job]:
        """The jobs as they are now; none where no schedules run."""
        return {} if self._schedules is None else self._schedules.jobs

    @contextmanager
    def follow(self, number: int) -> Iterator[None]:
        """While entered, the output of this run comes in as it is written."""
        run = self._board.view.runs.get(number)
        if run is None or run.finished:
            yield
            return
        worker = self._worker(run.host)
        worker.watch(number)
        try:
            yield
        finally:
            worker.unwatch(number)

    async def reload(self, dry_run: bool) -> Shape:
        """Read the job files again; returns what that changes. Raises RefusedError where no schedules run."""
        if self._schedules is None:
            raise RefusedError(
                "this scheduler runs no schedules, as `run` started it; `sshsched serve` takes over from it"
            )
        changes = await self._schedules.reload(dry_run=dry_run)
        return {**changes.shape(), "dry_run": dry_run}

    @property
    def waiting_events(self) -> int:
        """How many events have not been decided yet."""
        return self._core.waiting

    def known_jobs(self) -> Changes | None:
        """The jobs as they were last read; None where no schedules run, and before that."""
        loaded = self._schedules is not None and self._schedules.loaded_from is not None
        return self._schedules.last if self._schedules is not None and loaded else None

    def shutdown(self, handover: bool) -> None:
        """End soon, and say whether another scheduler is to take over."""
        self.handed_over = handover
        self.ending.set()

    # What links tell -------------------------------------------------------------------------------------------------

    def link_up(self, host: str, hello: Hello) -> None:
        log.info("%s: connected", host)
        self._core.post(HostUp(self._clock(), host, hello.boot, hello.spool))

    def link_down(self, host: str, error: HostError) -> None:
        known = self._board.host(host)
        if known.up or known.problem != error.message:
            log.warning("%s: %s", host, error.message)
        if host in self._workers:
            self._workers[host][0].lost()
        self._core.post(HostDown(self._clock(), host, error.message, error.permanent))

    def noticed(self, host: str, word: str, name: str, report: Report | None) -> None:
        if word == "probed":
            self._workers[host][0].probed(name)
            return
        number = run_id(name.partition("-")[0])
        run = None if number is None else self._board.view.runs.get(number)
        if run is None or not name.endswith(run.key) or run.finished:
            return
        if report is not None:
            self._core.post(Reported(self._clock(), run.id, report))
        else:
            self._workers[host][0].look(run.id)

    # What the core tells ---------------------------------------------------------------------------------------------

    def run_changed(self, run: Run) -> None:
        self._publisher.publish(run)
        sizes = (run.output.stdout, run.output.stderr)
        if self._sizes.get(run.id, (0, 0)) != sizes:
            self._sizes[run.id] = sizes
            self._publisher.publish_output(run.id, *sizes)
        if run.settled:
            self._sizes.pop(run.id, None)

    def host_wanted(self, host: str) -> None:
        self._worker(host)

    def told(self, notices: Sequence[Notice]) -> None:
        if self._teller is not None:
            self._teller.told(notices)

    def host_changed(self, host: str) -> None:
        self._publisher.publish_host(self._host_shape(host))

    # Inside ----------------------------------------------------------------------------------------------------------

    async def _pass_time(self) -> None:
        """Load the jobs, make the runs that fall due, and look after the files."""
        if self._schedules is None:
            return
        schedules, folder = self._schedules, self._schedules.folder
        await schedules.begin()
        gc.freeze()  # jobs stay for years: nobody needs to look for garbage among them again and again
        async with asyncio.TaskGroup() as group:
            group.create_task(schedules.run())
            if self._teller is not None:
                group.create_task(self._teller.make_rounds())
            group.create_task(watch(folder.stamp, lambda: schedules.loaded_from, schedules.reload))

    async def _time_passed(self, at: float, made: Sequence[Made], cursors: Sequence[SaveCursor]) -> None:
        runs = tuple(self._maker.run(each.draft, at, over=each.over) for each in made)
        self._hurry(runs)
        if runs or cursors:
            await self._core.say(TimePassed(at, runs, tuple(cursors)))

    def _hurry(self, runs: Iterable[Run]) -> None:
        for asked in {run.asked for run in runs if run.state is State.WAITING and not run.plan.conditions}:
            for host in candidates(self._board.view, asked).hosts:
                self._worker(host).link.hurry()

    def _perform(self, host: str, instruction: Instruction) -> None:
        if isinstance(instruction, Extract):
            self._values.find(instruction)
        else:
            self._worker(host).perform(instruction)

    def _worker(self, name: str) -> HostWorker:
        """The worker of a host, begun if there is none."""
        self._idle_since.pop(name, None)
        slots = self._host(name).slots
        if (known := self._board.host(name)).slots != slots:
            self._board.set_host(replace(known, slots=slots))
        if name not in self._workers:
            host = self._host(name)
            link = Link(self._transport(host), self._instance, self, root=host.spool, env=host.env)
            worker = HostWorker(link, self._outputs, self._board.view.runs.get, self._core.post)
            self._workers[name] = (worker, asyncio.create_task(self._supervise(worker), name=f"host {name}"))
        return self._workers[name][0]

    async def _supervise(self, worker: HostWorker) -> None:
        """A mistake of ours on one host is logged and costs that host a reconnect, and nobody else anything."""
        while True:
            try:
                await worker.run()
            except* Exception:
                log.exception("%s: unexpected; connecting anew", worker.link.host)
            await asyncio.sleep(1)

    async def _let_go(self) -> None:
        """Close the links that nobody has needed for a while."""
        while True:
            await asyncio.sleep(LINGER / 10)
            needed, now = self._board.needed_hosts(), self._clock()
            for name in [name for name in self._workers if name not in needed]:
                if now - self._idle_since.setdefault(name, now) > LINGER:
                    _, task = self._workers.pop(name)
                    del self._idle_since[name]
                    self._board.set_host(HostView(name))
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task

    def _host(self, name: str) -> Host:
        # Not get(): of a name that it does not list, the mapping makes an alias of ssh_config with the usual slots.
        return self._hosts()[name]

    def _host_shape(self, name: str) -> Shape:
        return host_shape(self._board, name, self._host(name).slots, wanted=name in self._workers)
