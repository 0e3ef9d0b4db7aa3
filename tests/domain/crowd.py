"""Many runs of several jobs on a few hosts: the real turn, the real kinds, hosts of a few lines, and a clock.

Rule: what must hold is checked after every turn, from what was saved alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sshsched.domain.draft import Draft
from sshsched.domain.events import (
    Claim,
    Cleaned,
    Event,
    HoldWanted,
    HostDown,
    HostUp,
    MarkWanted,
    ReleaseWanted,
    Report,
    Reported,
    Restarted,
    StartWanted,
    StopWanted,
    Submitted,
    Woken,
)
from sshsched.domain.instructions import Clean, Instruction, Save, Seal, Start, StopProgram
from sshsched.domain.model import Outcome, Output, Run, StopAsked
from sshsched.domain.plan import Plan, Retry, Rule
from sshsched.domain.program import Program
from sshsched.domain.states import FINISHED, ON_HOST, State
from sshsched.domain.view import Group, HostView
from sshsched.engine.board import Board
from sshsched.engine.made import Maker
from sshsched.engine.turn import Turn
from sshsched.kinds.rules import KindRules
from sshsched.store.memory import MemoryStore

HOSTS = {"a": 1, "b": 2, "c": None}
GROUPS = {
    "@ab": Group(("a", "b")),
    "@all": Group(("c", "b", "a"), "least_busy"),
    "@sticky": Group(("a", "b"), "sticky"),
}
CAPACITY = {"db": 2}
LOAD = "load"


def plan(*rules: tuple[str, Mapping[str, Any]], **more: Any) -> Plan:
    return Plan(conditions=tuple(Rule(kind, options) for kind, options in rules), **more)


JOBS: dict[str, tuple[str, Plan]] = {
    LOAD: ("c", plan()),
    "plain": ("a", plan(priority=1)),
    "one": ("@ab", plan(("max_running", {}))),
    "two": ("@all", plan(("max_running", {"count": 2, "args": "any"}))),
    "once": ("b", plan(("skip_duplicate", {}))),
    "after": ("@sticky", plan(("dependency", {"job": LOAD}))),
    "locked": ("c", plan(locks={"db": 1})),
    "greedy": ("@all", plan(("max_running", {"args": "any"}), locks={"db": 2})),
    "again": ("b", plan(retry=Retry(2, 5.0, 2.0))),
    "patient": ("c", Plan((Rule("dependency", {"job": "never"}, 30.0, "skip"),))),
    "asks": ("a", plan(("manual", {}))),
}


@dataclass
class Crowd:
    """`last` is what the store has; `programs` are those that run on a host now."""

    now: float = 1_000_000.0
    store: MemoryStore = field(default_factory=MemoryStore)
    last: dict[int, Run] = field(default_factory=dict)
    programs: dict[int, str] = field(default_factory=dict)
    begun: Counter[int] = field(default_factory=Counter)
    succeeded: set[tuple[str | None, tuple[tuple[str, str], ...]]] = field(default_factory=set)
    up: set[str] = field(default_factory=set)
    maker: Maker = field(default_factory=lambda: Maker(0))

    def __post_init__(self) -> None:
        self.restart()

    # The engine ------------------------------------------------------------------------------------------------------

    def restart(self) -> None:
        """A new scheduler: all that it knows is what was saved; its links come up anew."""
        live = [run for run in self.last.values() if not run.settled]
        holds = dict(self.store.held)
        self.board = Board(
            live, rules=KindRules(_fill, _nobody), past=self.store, groups=GROUPS, capacity=CAPACITY, holds=holds
        )
        for name, slots in HOSTS.items():
            self.board.set_host(HostView(name, slots=slots))
        up, self.up = self.up, set()
        self.turn(Restarted(self.now))
        for name in sorted(up):
            self.connect(name)

    def turn(self, *events: Event) -> None:
        """Decide and save, then let the hosts do as they are told."""
        turn = Turn(self.board, self.maker.run, lambda: self.now)
        for event in events:
            turn.take(event)
        turn.settle()
        self.store.put(turn.saves)
        for save in turn.saves:
            if isinstance(save, Save):
                self._saved(save)
        self.board.sweep()
        self.check()
        for act in turn.acts:
            self._do(act)

    def _saved(self, save: Save) -> None:
        run, old = save.run, self.last.get(save.run.id)
        self.last[run.id] = run
        if run.state is State.STARTING and (old is None or old.state is not State.STARTING):
            self._allowed(run)
        if run.state is State.SUCCESS:
            self.succeeded.add((run.job_id, tuple(sorted(run.args.items()))))

    def _allowed(self, run: Run) -> None:
        if not run.forced and run.job_id == "after":
            assert (LOAD, tuple(sorted(run.args.items()))) in self.succeeded, "it began before what it depends on"
        if run.asked in GROUPS:
            assert run.host in GROUPS[run.asked].hosts
        assert run.host in self.up, "it was given a host that is not there"

    def check(self) -> None:
        """What must hold whatever happens."""
        on = [run for run in self.last.values() if run.state in ON_HOST]
        busy = Counter(run.host for run in on)
        for host, slots in HOSTS.items():
            assert slots is None or busy[host] <= slots, "more runs than slots"
        held = Counter[str]()
        for run in on:
            held.update(run.plan.locks)
        assert all(held[name] <= CAPACITY.get(name, 1) for name in held), "more of a lock than there is"
        free = [run for run in on if not run.forced]
        assert max(Counter((run.job_id, str(run.args)) for run in free if run.job_id == "one").values(), default=0) <= 1
        assert sum(run.job_id == "two" for run in free) <= 2
        assert sum(run.job_id == "greedy" for run in free) <= 1
        for run in self.last.values():
            assert run.state is not State.WAITING or run.message.startswith("waits for "), "it waits without a reason"

    # The hosts -------------------------------------------------------------------------------------------------------

    def _do(self, act: Instruction) -> None:
        if isinstance(act, Start) and act.run.id not in self.begun:
            self.begun[act.run.id] += 1
            self.programs[act.run.id] = act.run.host
            self._say(act.run, Report("boot", claim=Claim.PROGRAM, pid=1, started_at=self.now, alive=True))
        elif isinstance(act, StopProgram) and act.run.id in self.programs:
            self.finish(act.run.id, 15)
        elif isinstance(act, Seal):
            self._say(act.run, Report("boot", claim=Claim.SEALED))
        elif isinstance(act, Clean):
            self.turn(Cleaned(self.now, (act.run.id,)))

    def _say(self, run: Run, report: Report) -> None:
        self.turn(Reported(self.now, run.id, report, Output(complete=report.outcome is not None)))

    def finish(self, number: int, code: int) -> None:
        """A program ends."""
        if number in self.programs and self.programs[number] in self.up:
            del self.programs[number]
            stopping = self.last[number].stop_asked is not None
            outcome = Outcome(exit_code=code, started_at=self.now, ended_at=self.now)
            cause = self.last[number].stop_asked
            self._say(
                self.last[number],
                Report(
                    "boot", claim=Claim.PROGRAM, pid=1, started_at=self.now, outcome=outcome,
                    stopping=cause and cause.cause, stop_done=stopping,
                ),
            )  # fmt: skip

    # What may happen at any time -------------------------------------------------------------------------------------

    def submit(self, job: str, which: int, count: int = 1, host: str = "") -> None:
        usual, its = JOBS[job]
        host = host or ("a" if job == "locked" and which % 2 else usual)
        draft = Draft(host, Program("x"), job, {"date": str(which % 2)}, by="x", plan=its, start_within=1e6)
        self.turn(Submitted(self.now, tuple(self.maker.run(draft, self.now) for _ in range(count))))

    def connect(self, host: str) -> None:
        if host not in self.up:
            self.up.add(host)
            self.turn(HostUp(self.now, host, "boot", f"/{host}"))

    def cut(self, host: str) -> None:
        if host in self.up:
            self.up.remove(host)
            self.turn(HostDown(self.now, host, "no route"))

    def end_one(self, which: int, code: int) -> None:
        there = [number for number, host in self.programs.items() if host in self.up]
        if there:
            self.finish(there[which % len(there)], code)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        if due := self.board.due(self.now):
            self.turn(Woken(self.now, due))

    def by_hand(self, what: str, which: int) -> None:
        if not self.last:
            return
        number = which % len(self.last) + 1
        run = self.last[number]
        match what:
            case "stop":
                self.turn(StopWanted((number,), StopAsked(self.now, "ann")))
            case "start":
                self.turn(StartWanted(self.now, (number,), "ann"))
            case "hold":
                self.turn(HoldWanted(self.now, (number,), ("job:one",) if which % 3 == 0 else (), "ann"))
            case "hold host":
                self.turn(HoldWanted(self.now, (), ("host:b",), "ann"))
            case "release":
                self.turn(ReleaseWanted(self.now, (number,), ("job:one", "host:b"), "ann"))
            case "mark" if run.finished and run.settled:
                self.turn(MarkWanted(self.now, (run,), State.SUCCESS, "ann"))

    # And in the end --------------------------------------------------------------------------------------------------

    def calm(self) -> None:
        """All hosts are up, nothing is held, every program ends well; whoever waits for a person gets one."""
        for name in HOSTS:
            self.connect(name)
        held = tuple(number for number, run in self.last.items() if run.held)
        self.turn(ReleaseWanted(self.now, held, ("job:one", "host:b", "host:a", "*"), "ann"))
        for date in range(2):
            self.submit(LOAD, date)
        for _ in range(60):
            while self.programs:
                self.finish(next(iter(self.programs)), 0)
            self.pass_time(20.0)
            asks = tuple(n for n, run in self.last.items() if run.job_id == "asks" and run.state is State.WAITING)
            if asks:
                self.turn(StartWanted(self.now, asks, "ann"))
            if all(run.state in FINISHED for run in self.last.values()):
                return


def _fill(text: str, _values: Mapping[str, Any]) -> str:
    return text


def _nobody(job_id: str, args: Mapping[str, str], spare: Mapping[str, str], by: str) -> Draft:
    raise ValueError(job_id)
