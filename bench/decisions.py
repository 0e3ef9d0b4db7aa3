"""What one decision costs among 100, 1,000 and 10,000 runs that wait: the real turn and kinds, without store and hosts.

Rule: a decision costs what it touches, not what exists, so the rates of a line should be alike. Processor time counts.
In the end a whole scheduler has a run beside them.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.figures import Figure, Rival, Sizes, seconds
from bench.place import Bench, bench
from sshsched.domain.draft import Draft
from sshsched.domain.events import Claim, Cleaned, Event, HostUp, Report, Reported, Submitted
from sshsched.domain.instructions import Clean, Start
from sshsched.domain.model import Outcome, Output, Run
from sshsched.domain.plan import Plan, Rule
from sshsched.domain.program import Program
from sshsched.domain.view import Group, HostView
from sshsched.engine.board import Board
from sshsched.engine.made import Maker
from sshsched.engine.turn import Turn
from sshsched.kinds.rules import KindRules

FEW, MANY = 100, (1_000, 10_000)
ROUNDS = 250
LEAST = 0.5  # of the rate among 100 is left among 10,000: caches and the garbage collector take their part
FLEET = {f"h{number}": 4 for number in range(8)}


@dataclass(frozen=True)
class Mix:
    """Runs that wait for something. `run` gives the n-th of them, `frees` what has to end first for it to begin."""

    name: str
    run: Callable[[int], Draft]
    hosts: Callable[[], Mapping[str, int | None]]
    frees: Callable[[int], Draft] | None = None
    groups: Mapping[str, Group] = field(default_factory=dict)
    locks: Mapping[str, int] = field(default_factory=dict)


def draft(host: str, job: str, number: int, *rules: tuple[str, Mapping[str, Any]], **more: Any) -> Draft:
    plan = Plan(conditions=tuple(Rule(kind, options) for kind, options in rules), **more)
    return Draft(host, Program("true"), job, {"n": str(number)}, by="bench", plan=plan, start_within=1e9)


def alone() -> Mapping[str, int | None]:
    return {"box": 4}


def fleet() -> Mapping[str, int | None]:
    return FLEET


def thousand() -> Mapping[str, int | None]:
    return {f"h{number}": 1 for number in range(1000)}


def wide(number: int) -> str:
    return f"@g{number % 10}" if number % 4 == 0 else f"h{number % 1000}"


WIDE = {f"@g{number}": Group(tuple(f"h{each}" for each in range(number, 1000, 10))) for number in range(10)}
GROUPS = {"@fleet": Group(tuple(FLEET), "least_busy"), "@half": Group(tuple(FLEET)[:4])}
MIXES = (
    Mix("slots of one host", lambda n: draft("box", f"j{n % 50}", n), alone),
    Mix("the same, three priorities", lambda n: draft("box", f"j{n % 50}", n, priority=n % 3), alone),
    Mix(
        "max_running: 1 of one job",
        lambda n: draft("box", "j", n, ("max_running", {"args": "any"})),
        lambda: {"box": None},
    ),
    Mix(
        "a dependency of its own each",
        lambda n: draft("box", "after", n, ("dependency", {"job": "load"})),
        alone,
        frees=lambda n: draft("box", "load", n),
    ),
    Mix("one lock, eight hosts", lambda n: draft(f"h{n % 8}", "j", n, locks={"db": 1}), fleet, locks={"db": 2}),
    Mix("one lock, a thousand hosts", lambda n: draft(f"h{n % 1000}", "j", n, locks={"db": 1}), thousand),
    Mix("a thousand full hosts", lambda n: draft(f"h{n % 1000}", "j", n), thousand),
    Mix("a thousand hosts and groups of them", lambda n: draft(wide(n), "j", n), thousand, groups=WIDE),
    Mix("two groups of hosts", lambda n: draft(("@fleet", "@half")[n % 2], "j", n), fleet, groups=GROUPS),
    Mix(
        "a group, max_running and a lock",
        lambda n: draft("@fleet", f"j{n % 20}", n, ("max_running", {"args": "any"}), locks={"db": 1}),
        fleet,
        groups=GROUPS,
        locks={"db": 8},
    ),
)


def figures(sizes: Sizes) -> Iterator[Figure]:
    """Events a second that are decided, with all that follows, among few and among many that wait."""
    for mix in MIXES:
        few = _rate(mix, FEW, sizes.rounds)
        for count in MANY:
            rate = _rate(mix, count, sizes.rounds)
            aim = ("", None) if count < MANY[-1] else (f">= x {LEAST}", rate >= LEAST * few)
            yield Figure(f"decisions, {count:,} wait: {mix.name}", rate, "/s", Rival(f"{FEW} wait", few), *aim)
    yield from _whole()


def _whole() -> Iterator[Figure]:
    """A run from submitting to its end and output, through a scheduler in which so many others wait."""
    with bench() as place, place.serving():
        place.warm()
        _wait(place, 0, FEW)
        few, there = _alone(place), FEW
        for count in MANY:
            _wait(place, there, count)
            there = count
            yield Figure(f"a run beside {count:,} that wait", _alone(place), "ms", Rival(f"beside {FEW}", few))


def _wait(place: Bench, first: int, last: int) -> None:
    """Have these runs wait for a job that never comes."""
    plan = {"conditions": [{"kind": "dependency", "options": {"job": "never"}}]}
    drafts = [{**place.draft("true"), "job": "after", "args": {"n": str(n)}, "plan": plan} for n in range(first, last)]
    with place.client() as client:
        for at in range(0, len(drafts), 1000):
            client.submit(drafts[at : at + 1000])


def _alone(place: Bench) -> float:
    """Milliseconds, the median of thirty."""
    draft = place.draft("true")
    return statistics.median(seconds(lambda: place.finish([draft])) for _ in range(30)) * 1000


def _rate(mix: Mix, count: int, rounds: int) -> float:
    crowd = Crowd(mix, count)
    crowd.rate(1)  # the first run of a job tells its args
    return statistics.median(crowd.rate(ROUNDS) for _ in range(rounds))


class Crowd:
    """So many runs that wait, and hosts whose programs end when they are told to."""

    def __init__(self, mix: Mix, count: int) -> None:
        self._mix = mix
        self._now = 1_000_000.0
        self._turns = 0
        self._next = count
        self._freed = 0
        self._programs: deque[Run] = deque()
        self._maker = Maker(0)
        self._board = Board(rules=KindRules(_fill, _nobody), groups=mix.groups, capacity=mix.locks)
        for name, slots in mix.hosts().items():
            self._board.set_host(HostView(name, slots=slots))
            self._turn(HostUp(self._now, name, "boot", f"/{name}"))
        self._submit(*(mix.run(number) for number in range(count)))
        self._fill_up(count)

    def _fill_up(self, count: int) -> None:
        """What began at once, and has to be made up for, so that as many wait as were asked for."""
        while (more := count - sum(run.state == "waiting" for run in self._board.view.runs.values())) > 0:
            self._submit(*(self._mix.run(self._next + number) for number in range(more)))
            self._next += more

    def rate(self, rounds: int) -> float:
        """Events a second over so many ends of programs, each made up for by a new run."""
        began, before = time.process_time(), self._turns
        for _ in range(rounds):
            self._round()
        return (self._turns - before) / (time.process_time() - began)

    def _round(self) -> None:
        if self._mix.frees is not None:
            self._submit(self._mix.frees(self._freed))
            self._freed += 1
            self._finish()
        self._finish()
        self._submit(self._mix.run(self._next))
        self._next += 1

    def _submit(self, *drafts: Draft) -> None:
        self._turn(Submitted(self._now, tuple(self._maker.run(each, self._now) for each in drafts)))

    def _finish(self) -> None:
        run = self._programs.popleft()
        outcome = Outcome(exit_code=0, started_at=self._now, ended_at=self._now)
        self._report(run, Report("boot", claim=Claim.PROGRAM, pid=1, started_at=self._now, outcome=outcome))

    def _report(self, run: Run, report: Report) -> None:
        self._turn(Reported(self._now, run.id, report, Output(complete=report.outcome is not None)))

    def _turn(self, event: Event) -> None:
        self._turns += 1
        self._now += 0.001
        turn = Turn(self._board, self._maker.run, lambda: self._now)
        turn.take(event)
        turn.settle()
        self._board.sweep()
        for act in turn.acts:
            if isinstance(act, Start):
                self._programs.append(act.run)
                self._report(act.run, Report("boot", claim=Claim.PROGRAM, pid=1, started_at=self._now, alive=True))
            elif isinstance(act, Clean):
                self._turn(Cleaned(self._now, (act.run.id,)))


def _fill(text: str, _values: Mapping[str, Any]) -> str:
    return text


def _nobody(job_id: str, args: Mapping[str, str], spare: Mapping[str, str], by: str) -> Draft:
    raise ValueError(job_id)
