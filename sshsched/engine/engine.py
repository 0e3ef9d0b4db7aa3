"""The engine as the service sees it: runs are made, stopped and watched here, hosts come and go with them.

Rule: an engine belongs to one store, and its caller holds the store's lock.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from sshsched import __version__
from sshsched.domain import keys
from sshsched.domain.draft import Draft
from sshsched.domain.events import (
    FailedWanted,
    HoldWanted,
    MarkWanted,
    ReleaseWanted,
    StartWanted,
    StopWanted,
    Submitted,
    TimePassed,
)
from sshsched.domain.hosts import Host
from sshsched.domain.instructions import Extract, Instruction, Notice, SaveCursor
from sshsched.domain.model import Run, StopAsked
from sshsched.domain.shape import Shape, iso
from sshsched.domain.view import Group, Past, Rules
from sshsched.domain.waiting import explain
from sshsched.engine.bare import NO_PAST, NO_RULES
from sshsched.engine.board import Board
from sshsched.engine.changes import Changes
from sshsched.engine.core import Core, Saver
from sshsched.engine.groups import Groups
from sshsched.engine.handed import Handed, no_secrets
from sshsched.engine.incoming import Outputs
from sshsched.engine.made import Made, Maker
from sshsched.engine.schedules import Begin, Schedules
from sshsched.engine.teller import Teller, Telling
from sshsched.engine.values import Values
from sshsched.engine.watch import watch
from sshsched.engine.workers import Workers
from sshsched.errors import RefusedError
from sshsched.kinds.jobs import Job
from sshsched.remote.transport import Transport


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
        self._workers = Workers(
            self._board,
            self._core.post,
            instance=instance,
            transport=transport,
            hosts=hosts,
            outputs=outputs,
            handed=Handed(no_secrets if telling is None else telling.secrets.of),
            clock=clock,
        )
        self._instance = instance
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
                live=lambda job_id: self._board.view.by_job.get(keys.job(job_id), {}),
                jobs=self.jobs,
                holds=lambda job_id: self._schedules is None or self._schedules.last.holds(job_id),
                clock=clock,
            )
        )
        self._began = clock()
        self._sizes: dict[int, tuple[int, int]] = {}
        self.ending = asyncio.Event()
        self.handed_over = False

    async def work(self) -> None:
        """Work until cancelled. Programs on hosts are never touched by the end of it."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._workers.run())
            group.create_task(self._core.run())
            group.create_task(self._values.run())
            group.create_task(self._pass_time())
            if self._teller is not None:
                group.create_task(self._teller.deliver())

    # What the service asks -------------------------------------------------------------------------------------------

    async def submit(self, drafts: Sequence[Draft], taken: Sequence[Run] = ()) -> list[Run]:
        """Make runs; returns once they are saved. A single one that is a workflow may take over steps of another."""
        now = self._clock()
        runs = tuple(self._maker.run(draft, now) for draft in drafts)
        self._workers.hurry(runs)
        changed = await self._core.say(Submitted(now, runs, taken=tuple(taken)))
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
        return self._workers.shapes()

    async def check_host(self, name: str) -> Shape:
        """Connect, probe and report. Raises HostError where nothing could be learnt."""
        return await self._workers.check(name)

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

    def follow(self, number: int) -> AbstractContextManager[None]:
        """While entered, the output of this run comes in as it is written."""
        return self._workers.follow(number)

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

    # What the core tells ---------------------------------------------------------------------------------------------

    def run_changed(self, run: Run) -> None:
        self._publisher.publish(run)
        self._workers.moved(run)
        sizes = (run.output.stdout, run.output.stderr)
        if self._sizes.get(run.id, (0, 0)) != sizes:
            self._sizes[run.id] = sizes
            self._publisher.publish_output(run.id, *sizes)
        if run.settled:
            self._sizes.pop(run.id, None)

    def host_wanted(self, host: str) -> None:
        self._workers.worker(host)

    def told(self, notices: Sequence[Notice]) -> None:
        if self._teller is not None:
            self._teller.told(notices)

    def host_changed(self, host: str) -> None:
        self._publisher.publish_host(self._workers.shape(host))

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
        self._workers.hurry(runs)
        if runs or cursors:
            await self._core.say(TimePassed(at, runs, tuple(cursors)))

    def _perform(self, host: str, instruction: Instruction) -> None:
        if isinstance(instruction, Extract):
            self._values.find(instruction)
        else:
            self._workers.worker(host).perform(instruction)
