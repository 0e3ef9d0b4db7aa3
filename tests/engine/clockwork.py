"""A scheduler's time with a clock that the test sets: the real core, store and schedules, without hosts.

Rule: what dies is the whole process. The store and the files are all that the next one finds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sshsched.config.templates import render
from sshsched.domain.events import TimePassed
from sshsched.domain.instructions import Instruction, Notice, SaveCursor, Saving
from sshsched.domain.model import Run
from sshsched.domain.program import Program
from sshsched.domain.shape import Shape
from sshsched.engine.board import Board
from sshsched.engine.core import Core
from sshsched.engine.made import Made, Maker
from sshsched.engine.schedules import Begin, Schedules
from sshsched.errors import Problem
from sshsched.kinds.jobs import Job, Scheduled
from sshsched.kinds.options import Options
from sshsched.kinds.schedules.base import Schedule
from sshsched.kinds.schedules.every import Every
from sshsched.store.filter import RunFilter
from sshsched.store.memory import MemoryStore

T0 = 1_700_000_000.0
ON_TIME = 120.0


class KilledError(Exception):
    """kill -9"""


def job(name: str, *schedules: Schedule, options: Options | None = None, **more: Any) -> Job:
    """A job whose runs wait for ever, for its host is nowhere."""
    timed = tuple(Scheduled(each, options or Options()) for each in schedules)
    given = {"program": Program("true"), "start_within": 1e9, "file": f"jobs/{name}.yaml"} | more
    return Job(name, "nowhere", schedules=timed, **given)


def every(interval: float, phase: float = 0.0) -> Every:
    return Every(interval, phase)


@dataclass
class Files:
    """The jobs folder: jobs by id, and the ids of those whose files are broken now."""

    jobs: dict[str, Job] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    render = staticmethod(render)

    def load(self) -> tuple[Mapping[str, Job], Sequence[Problem]]:
        good = {name: each for name, each in self.jobs.items() if name not in self.broken}
        return good, [Problem(f"jobs/{name}.yaml", 1, 1, "", "is broken") for name in sorted(self.broken)]

    def stamp(self) -> object:
        return object()


class Mortal:
    """A store whose process dies just before (odd) or just after (even) a commit, as its number says."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.dies_at = 0
        self.steps = 0

    async def commit(self, saves: Sequence[Saving]) -> None:
        self._step()
        await self.store.commit(saves)
        self._step()

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.dies_at:
            raise KilledError


class Process:
    """One life of a scheduler."""

    def __init__(self, world: World, last_id: int, cursors: Mapping[tuple[str, str], float]) -> None:
        self.heard: list[Shape] = []
        self._world = world
        self._maker = Maker(last_id)
        self._core = Core(world.mortal, Board(), self._maker.run, self._perform, self, world.clock)
        begin = Begin(world.files, cursors, world.boot, world.since)
        self.schedules = Schedules(begin, self._make, self.heard.append, world.clock)
        self._working = asyncio.create_task(self._core.run())

    async def lives(self, work: Any) -> Any:
        """What the work gives. Raises KilledError if the process dies over it."""
        task = asyncio.ensure_future(work)
        await asyncio.wait([task, self._working], return_when=asyncio.FIRST_COMPLETED)
        if self._working.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise KilledError
        return task.result()

    async def turn(self) -> None:
        """All that is due at this instant."""
        while await self.lives(self.schedules.turn()) == 0:
            pass

    async def end(self) -> None:
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)

    async def _make(self, at: float, made: Sequence[Made], cursors: Sequence[SaveCursor]) -> None:
        runs = tuple(self._maker.run(each.draft, at, over=each.over) for each in made)
        if runs or cursors:
            await self._core.say(TimePassed(at, runs, tuple(cursors)))

    def _perform(self, host: str, instruction: Instruction) -> None:
        raise AssertionError("no host is ever up here")

    def run_changed(self, run: Run) -> None:
        pass

    def host_changed(self, host: str) -> None:
        pass

    def host_wanted(self, host: str) -> None:
        pass

    def told(self, notices: Sequence[Notice]) -> None:
        raise AssertionError("nobody is told anything here")


@dataclass
class World:
    """What outlives schedulers."""

    files: Files = field(default_factory=Files)
    now: float = T0
    boot: str = "first"
    since: float | None = None
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.mortal = Mortal(self.store)

    def clock(self) -> float:
        return self.now

    @asynccontextmanager
    async def process(self) -> AsyncIterator[Process]:
        """A scheduler that has come up; it is killed on leaving."""
        made = Process(self, await self.store.last_id(), await self.store.cursors())
        try:
            await made.lives(made.schedules.begin())
            yield made
        finally:
            await made.end()

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        return self.store.runs(RunFilter(), limit=1_000_000)[::-1]

    def times(self, name: str = "a") -> list[float]:
        """The scheduled times of a job's runs since T0, in seconds, in the order in which they were made."""
        return [(run.schedule_time or 0.0) - T0 for run in self.runs() if run.job_id == name]

    def edit(self, name: str, **changes: Any) -> None:
        """Change a job's file."""
        self.files.jobs[name] = replace(self.files.jobs[name], **changes)


def world(*jobs: Job) -> World:
    return World(Files({each.id: each for each in jobs}))


def policy_says(times: Iterable[float], options: Options, asked: float, now: float) -> list[float]:
    """Which of a schedule's times run when it is asked at `now`, after `asked`. Written without kinds/due.py."""
    if not options.enabled:
        return []
    oldest = -1.0 if options.catch_up.max_age is None else now - options.catch_up.max_age
    young = [time for time in times if asked < time <= now and time > oldest]
    on_time = [time for time in young if time > now - ON_TIME]
    late = {"all": young, "latest": young[-1:], "none": []}[options.catch_up.policy]
    return young if options.catch_up.policy == "all" else on_time or late
