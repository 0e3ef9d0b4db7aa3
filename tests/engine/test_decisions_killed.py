"""kill -9 before and after each commit while decisions follow each other: nothing is lost or made twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from sshsched.config.templates import render
from sshsched.domain.draft import Draft
from sshsched.domain.events import (
    Claim,
    Cleaned,
    Event,
    FailedWanted,
    HoldWanted,
    HostUp,
    MarkWanted,
    ReleaseWanted,
    Report,
    Reported,
    StartWanted,
    Submitted,
    Swept,
    Woken,
)
from sshsched.domain.instructions import Clean, Instruction, Look, Notice, Start
from sshsched.domain.model import Outcome, Output, Run
from sshsched.domain.plan import Deed, Flow, Plan, Retry, Rule, Step
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.engine.board import Board
from sshsched.engine.core import Core
from sshsched.engine.made import Maker
from sshsched.engine.notices import Notices
from sshsched.kinds.rules import KindRules
from sshsched.store.filter import RunFilter
from sshsched.store.memory import MemoryStore
from tests.engine.clockwork import T0, KilledError, Mortal

TRUE = Program("true")
TELL = Deed("exec", {"command": "true"}, ("retry", "success"))
STEPS = (Step("a", "box", TRUE), Step("b", "box", TRUE, needs=("a",)), Step("c", "box", TRUE, needs=("b",)))
JOBS = {
    "flaky": Plan(retry=Retry(1, 5.0), actions=(TELL, Deed("schedule", {"job": "second"}, ("success",)))),
    "second": Plan(actions=(TELL,)),
    "load": Plan(),
    "after": Plan(conditions=(Rule("dependency", {"job": "load"}),)),
    "locked": Plan(locks={"db": 1}, actions=(TELL,)),
    "asks": Plan(conditions=(Rule("manual", {}),)),
    "steps": Plan(flow=Flow(STEPS), actions=(TELL,)),
}


@dataclass
class World:
    """What outlives schedulers: the store, the host and its programs, and whoever is told."""

    now: float = T0
    store: MemoryStore = field(default_factory=MemoryStore)
    begun: Counter[int] = field(default_factory=Counter)
    running: set[int] = field(default_factory=set)
    ended: dict[int, Outcome] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    fails: set[str] = field(default_factory=set)
    """Jobs and steps whose first attempts fail."""
    acts: int = 0
    """How many of the story's acts are done."""

    def __post_init__(self) -> None:
        self.mortal = Mortal(self.store)

    def clock(self) -> float:
        return self.now

    def runs(self, name: str = "") -> list[Run]:
        """The runs of a job or step, or all, oldest first."""
        found = self.store.runs(RunFilter(), limit=1000)[::-1]
        return [run for run in found if not name or name == (run.step or run.job_id)]

    def states(self, name: str) -> list[str]:
        return [str(run.state) for run in self.runs(name)]

    @asynccontextmanager
    async def scheduler(self) -> AsyncIterator[Scheduler]:
        made = Scheduler(self, await self.store.live(), await self.store.last_id())
        try:
            yield made
        finally:
            made.working.cancel()
            await asyncio.gather(made.working, return_exceptions=True)


class Scheduler:
    """One life of a scheduler, whose only host is up."""

    def __init__(self, world: World, live: Sequence[Run], last_id: int) -> None:
        self._world = world
        rules = KindRules(render, lambda job, args, spare, by: draft(job, by))
        holds = dict(world.store.held)
        self.maker = Maker(last_id)
        self._board = Board(live, rules=rules, past=world.store, holds=holds)
        self._core = Core(world.mortal, self._board, self.maker.run, self._perform, self, world.clock)
        self._notices = Notices(
            world.store.untold(), deliver=self._deliver, route=lambda _: "", say=self._core.say, clock=world.clock
        )
        self.working = asyncio.create_task(self._work())
        self._core.post(HostUp(world.now, "box", "boot", "/spool"))

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._core.run())
            group.create_task(self._notices.run())

    async def say(self, event: Event) -> None:
        """Have it decided. Raises KilledError if the scheduler dies over that."""
        task = asyncio.ensure_future(self._core.say(event))
        await asyncio.wait([task, self.working], return_when=asyncio.FIRST_COMPLETED)
        if self.working.done():
            task.cancel()
            with pytest.raises(ExceptionGroup) as died:
                await self.working
            assert died.group_contains(KilledError)
            raise KilledError

    async def go_on(self) -> None:
        """Let time pass and programs end until nothing changes any more."""
        world, before = self._world, -1
        while before != world.mortal.steps or self._notices.waits:
            before = world.mortal.steps
            await self.say(Swept("nowhere"))
            for number in sorted(world.running):
                world.running.remove(number)
                run = self._board.view.runs[number]
                failed = run.attempt == 1 and run.rerun_of is None and (run.step or run.job_id) in world.fails
                world.ended[number] = Outcome(exit_code=int(failed), started_at=world.now, ended_at=world.now)
                self._report(run)
            world.now += 10.0
            await self.say(Woken(world.now, self._board.due(world.now)))

    # The host, and whoever is told -----------------------------------------------------------------------------------

    def _perform(self, host: str, instruction: Instruction) -> None:
        world = self._world
        assert isinstance(instruction, Start | Look | Clean), instruction
        run = instruction.run
        if isinstance(instruction, Clean):
            self._core.post(Cleaned(world.now, (run.id,)))
            return
        if isinstance(instruction, Start) and run.id not in world.begun:
            world.begun[run.id] += 1
            world.running.add(run.id)
        if run.id in world.begun:
            self._report(run)

    def _report(self, run: Run) -> None:
        outcome = self._world.ended.get(run.id)
        claimed = Report("boot", claim=Claim.PROGRAM, pid=7, started_at=T0, alive=outcome is None, outcome=outcome)
        self._core.post(Reported(self._world.now, run.id, claimed, Output(complete=outcome is not None)))

    async def _deliver(self, notice: Notice) -> None:
        self._world.told[notice.id] += 1

    def run_changed(self, run: Run) -> None:
        pass

    def host_changed(self, host: str) -> None:
        pass

    def host_wanted(self, host: str) -> None:
        pass

    def told(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            self._notices.saved(notice)


def draft(job: str, by: str = "ann") -> Draft:
    plan = JOBS[job]
    whole = Draft("box", TRUE, job, {}, by=by, plan=plan, start_within=1e9)
    return whole if plan.flow is None else Draft("", Program(), job, {}, by=by, plan=plan)


# Stories ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Act:
    """What somebody does, and how they see that it was taken: who got no answer looks, and asks again."""

    event: Callable[[World, Scheduler], Event]
    taken: Callable[[World], Any]


def submit(job: str, count: int = 1) -> Act:
    def event(world: World, scheduler: Scheduler) -> Event:
        return Submitted(world.now, tuple(scheduler.maker.run(draft(job), world.now) for _ in range(count)))

    return Act(event, lambda world: any(run.by == "ann" for run in world.runs(job)))


def hold(key: str) -> Act:
    return Act(lambda world, _: HoldWanted(world.now, (), (key,), "ann"), lambda world: key in world.store.held)


def release(key: str) -> Act:
    return Act(lambda world, _: ReleaseWanted(world.now, (), (key,), "ann"), lambda world: key not in world.store.held)


def start(job: str) -> Act:
    return Act(
        lambda world, _: StartWanted(world.now, tuple(run.id for run in world.runs(job)), "ann"),
        lambda world: all(run.forced for run in world.runs(job)),
    )


def mark(job: str, state: State) -> Act:
    return Act(
        lambda world, _: MarkWanted(world.now, tuple(world.runs(job)[-1:]), state, "ann"),
        lambda world: world.states(job)[-1] == state,
    )


def rerun_failed(job: str, step: str) -> Act:
    return Act(
        lambda world, _: FailedWanted(world.now, tuple(run.id for run in world.runs(job)), "ann"),
        lambda world: len(world.runs(step)) > 1,
    )


OK = ["success"]
STORIES: Mapping[str, tuple[set[str], list[Act], Mapping[str, list[str]], int]] = {
    "a retry, and a run that follows": ({"flaky"}, [submit("flaky")], {"flaky": ["failure", *OK], "second": OK}, 3),
    "dependencies, held and let go": (
        set(),
        [submit("after", 3), hold("job:load"), submit("load"), release("job:load")],
        {"after": OK * 3, "load": OK},
        0,
    ),
    "a dependency that is marked": (
        {"load"},
        [submit("after", 2), submit("load"), mark("load", State.SUCCESS)],
        {"after": OK * 2, "load": OK},
        0,
    ),
    "a lock passed on": (set(), [submit("locked", 4)], {"locked": OK * 4}, 4),
    "an approval": (set(), [submit("asks", 2), start("asks")], {"asks": OK * 2}, 0),
    "everything held": (set(), [hold("*"), submit("locked", 2), release("*")], {"locked": OK * 2}, 2),
    "a workflow": (set(), [submit("steps")], {"steps": OK, "a": OK, "b": OK, "c": OK}, 1),
    "a workflow that goes on": (
        {"b"},
        [submit("steps"), rerun_failed("steps", "b")],
        {"steps": OK, "a": OK, "b": ["failure", *OK], "c": OK},
        1,
    ),
}
"""Whose first attempts fail; the acts; how the runs of each job and step end, oldest first; how many are told of."""


async def lived(world: World, acts: Sequence[Act]) -> None:
    """A life of a scheduler: what is still to be done of a story, and whatever follows."""
    async with world.scheduler() as scheduler:
        await scheduler.go_on()
        for act in acts[world.acts :]:
            if not act.taken(world):
                await scheduler.say(act.event(world, scheduler))
            world.acts += 1
            await scheduler.go_on()


@pytest.mark.parametrize("story", STORIES)
async def test_killed_at_each_commit(story: str) -> None:
    """Wherever the scheduler dies, the next one brings the same runs to the same ends, once, and tells of all."""
    at = 1
    while await killed(story, at):
        at += 1

    assert 8 < at, "hardly any commit was reached"


async def killed(story: str, at: int) -> bool:
    """A story with a kill at that step, gone on with by the next scheduler. Whether the step was ever reached."""
    fails, acts, ends, notices = STORIES[story]
    world = World(fails=fails)
    world.mortal.dies_at = at
    died = False
    try:
        await lived(world, acts)
    except KilledError:
        died = True
        await lived(world, acts)

    assert ends == {name: world.states(name) for name in ends}, f"killed at {at}"
    assert sum(map(len, ends.values())) == len(world.runs())
    assert {1} == set(world.begun.values()), "a program was started twice"
    assert [] == world.store.untold()
    assert notices == len(world.told)
    assert [] == [run.name for run in world.runs() if not run.settled]
    return died
