"""A turn of the engine for workflows alone: runs are made, moved and extracted here, and nothing else happens.

Rule: `flow.py` decides; this does what it says, in the order in which the engine does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from sshsched.config.templates import render
from sshsched.domain import flow
from sshsched.domain.events import Advanced, Extracted
from sshsched.domain.handing import extracted
from sshsched.domain.instructions import Advance, Consider, Extract, Instruction, Make, Save, SaveNotice
from sshsched.domain.model import Output, Reason, Run, StopAsked
from sshsched.domain.plan import Flow, Plan, Rule, Step
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.domain.steps import Steps
from sshsched.domain.view import Answer, Ready, View
from sshsched.engine.values import search

ROOT = 1


class PlainRules:
    """No kinds; templates as job files have them. Remembers which occasions came."""

    def __init__(self) -> None:
        self.occasions: list[str] = []

    def ask(self, rule: Rule, run: Run, view: View, at: float) -> Answer:
        return Ready()

    def plan(self, plan: Plan, fill: Callable[[str, str], str]) -> Plan:
        return plan

    def fill(self, text: str, values: Mapping[str, Any]) -> str:
        return render(text, values)

    def follow(self, run: Run, occasion: str, view: View, at: float) -> Sequence[Make | SaveNotice]:
        self.occasions.append(occasion)
        return ()


def step(name: str, *needs: str, command: str = "true", host: str = "box", **more: Any) -> Step:
    """A step that runs a command."""
    return Step(name, host, Program(command=command), needs=needs, **more)


@dataclass
class Shop:
    """One workflow and its runs."""

    flow: Flow
    args: Mapping[str, str] = field(default_factory=dict)
    now: float = 1000.0
    runs: dict[int, Run] = field(default_factory=dict)
    steps: Steps = field(default_factory=Steps)
    rules: PlainRules = field(default_factory=PlainRules)
    outputs: dict[str, bytes] = field(default_factory=dict)
    """What each step prints."""
    begun: list[str] = field(default_factory=list)
    """The steps whose runs were made to run, in that order."""
    asked: deque[Advance] = field(default_factory=deque)

    def __post_init__(self) -> None:
        values: dict[str, Any] = {each.name: {} for each in fields(View)}
        values |= {"runs": self.runs, "by_root": {ROOT: self.steps}, "rules": self.rules}
        self.view = View(**values)
        plan = Plan(flow=self.flow)
        self.runs[ROOT] = Run(ROOT, "", Program(), self.now, State.RUNNING, args=self.args, plan=plan)
        self.perform([Advance(ROOT)])

    @property
    def root(self) -> Run:
        return self.runs[ROOT]

    def states(self) -> dict[str, str]:
        """The newest runs of all places."""
        names = dict.fromkeys(run.step.partition("#")[0] for run in self.steps.values())
        return {name: str(run.state) for name in names if (run := self.steps.newest(name))}

    def run(self, name: str) -> Run:
        """The newest run of this name."""
        return max((run for run in self.steps.values() if run.step == name), key=lambda run: run.id)

    def live(self) -> list[str]:
        return [run.step for run in self.steps.values() if not run.finished]

    # What happens ----------------------------------------------------------------------------------------------------

    def begin(self, *names: str) -> None:
        """These steps' programs have begun."""
        for name in names:
            self.move(replace(self.run(name), state=State.RUNNING, started_at=self.now))

    def end(self, *names: str, state: State = State.SUCCESS) -> None:
        """These steps' programs end, and their output is here."""
        for name in names:
            ended = replace(self.run(name), state=state, started_at=self.now, finished_at=self.now, cleaned=True)
            self.move(replace(ended, output=Output(complete=True)))

    def fail(self, *names: str) -> None:
        self.end(*names, state=State.FAILURE)

    def mark(self, name: str, state: State) -> None:
        self.move(replace(self.run(name), state=state))

    def stop(self) -> None:
        asked = StopAsked(self.now, "anna")
        self.perform(flow.stop_root(self.view, self.root, asked, self._stop))

    def release(self) -> None:
        self.perform(flow.release_root(self.root, self.now, "anna"))

    def rerun_failed(self) -> None:
        self.perform(flow.rerun_failed(self.view, self.root, self.now, "anna"))

    def restart(self) -> None:
        """A scheduler takes up what the store holds: everything is looked at."""
        fresh = Steps()
        for run in self.steps.values():
            fresh.put(run)
        self.steps = self.view.by_root[ROOT] = fresh  # type: ignore[index]
        self.perform([Advance(ROOT)])

    # The turn --------------------------------------------------------------------------------------------------------

    def perform(self, instructions: Iterable[Instruction]) -> None:
        """All of these and what follows from them, each decided before anything of it is done."""
        self._take(list(instructions))
        while self.asked:
            each = self.asked.popleft()
            self._take(list(flow.advanced(self.view, Advanced(self.now, each.root, each.step))))

    def _take(self, instructions: list[Instruction]) -> None:
        for act in instructions:
            if isinstance(act, Save):
                old = self.runs.get(act.run.id) or self.steps[act.run.id]
                assert old.state is act.old
                self._put(act.run)
            elif isinstance(act, Make):
                self._make(act)
            elif isinstance(act, Advance):
                self.asked.append(act)
            elif isinstance(act, Extract):
                values, missing = extracted(act.outputs, self.outputs.get(act.run.step, b""), search)
                self._take(list(flow.extracted(self.view, Extracted(self.now, ROOT, act.run.id, values, missing))))
            else:
                assert isinstance(act, Consider), act

    def _make(self, act: Make) -> None:
        number = max([ROOT, *self.steps]) + 1
        draft, over = act.draft, act.over
        run = Run(
            number,
            "" if over else draft.host,
            draft.program,
            self.now,
            over.state if over else State.WAITING,
            asked=draft.host,
            args=draft.args,
            root=draft.root,
            step=draft.step,
            plan=draft.plan,
            rerun_of=draft.rerun_of,
            reason=over.reason if over else Reason.CREATED,
            message=over.why if over else "",
            finished_at=self.now if over else None,
            cleaned=over is not None,
        )
        if over is None:
            self.begun.append(draft.step)
        self._put(run)

    def _put(self, run: Run) -> None:
        if run.id == ROOT:
            assert not self.root.finished, "a workflow that had ended was changed"
            self.runs[ROOT] = run
        else:
            old = self.steps.get(run.id)
            self.steps.put(run)
            if old is None or old.state is not run.state:
                self.asked.append(Advance(ROOT, run.step))

    def move(self, run: Run) -> None:
        """A run is now like this."""
        self._put(run)
        self.perform([])

    def _stop(self, run: Run) -> Iterator[Instruction]:
        state = State.FAILURE if run.on_host else State.SKIPPED
        ended = replace(run, state=state, reason=Reason.BY_HAND, finished_at=self.now, output=Output(complete=True))
        yield Save(ended, run.state)
