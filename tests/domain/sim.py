"""A host of a few lines, and a turn of the engine: for histories of events that no real host would survive.

Rule: the host keeps the promises of host.sh and no others. A claim is taken once; requests of one link are executed in
order or not at all; an answer may be lost, late, or overtaken by the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sshsched.domain.draft import Draft
from sshsched.domain.events import (
    Claim,
    Cleaned,
    Event,
    Fetched,
    HostDown,
    HostUp,
    Report,
    Reported,
    StartRefused,
    StopWanted,
    Submitted,
    Swept,
    Woken,
)
from sshsched.domain.instructions import Clean, Fetch, Instruction, Look, Over, Save, Seal, Start, StopProgram
from sshsched.domain.model import Cause, Outcome, Output, Run, StopAsked
from sshsched.domain.program import Program
from sshsched.domain.states import MOVES, State
from sshsched.engine.board import Board
from sshsched.engine.turn import Turn


@dataclass
class Spool:
    """One run's folder."""

    claim: Claim = Claim.NONE
    boot: str = ""
    program: bool = False
    chaperone: bool = False
    status: Outcome | None = None
    stop: Cause | None = None
    stopped: bool = False


@dataclass
class World:
    """One host, the link to it, and what the engine believes."""

    slots: int | None = None
    now: float = 1_000_000.0
    boot: str = "boot-1"
    up: bool = False
    full: bool = False
    spools: dict[int, Spool] = field(default_factory=dict)
    launched: list[int] = field(default_factory=list)
    """Chaperones on their way to the claim."""
    requests: list[tuple[Instruction, bool]] = field(default_factory=list)
    answers: list[Event] = field(default_factory=list)
    journal: list[tuple[str, int]] = field(default_factory=list)
    begun: dict[int, int] = field(default_factory=dict)
    harmed: set[int] = field(default_factory=set)
    """Runs to which something was done that no program does."""
    last: dict[int, Run] = field(default_factory=dict)
    board: Board = field(default_factory=Board)

    # The engine ------------------------------------------------------------------------------------------------------

    def turn(self, *events: Event) -> None:
        """Decide, save and act, as the engine does."""
        turn = Turn(self.board, self.made, lambda: self.now)
        for event in events:
            if isinstance(event, HostUp):
                self.board.set_host(replace(self.board.host("box"), slots=self.slots))
            turn.take(event)
        turn.settle()
        for save in turn.saves:
            if isinstance(save, Save):
                self._save(save)
        self.board.sweep()
        for act in turn.acts:
            self.ask(act)

    def made(self, draft: Draft, now: float, not_before: float | None, over: Over | None) -> Run:
        raise AssertionError("nothing is made of this job")

    def _save(self, step: Save) -> None:
        old = self.last.get(step.run.id)
        assert (old.state if old else None) == step.old, "a save that the store would refuse"
        if old is not None and old.state is not step.run.state:
            assert step.run.state in MOVES[old.state]
        if old is not None and old.finished:
            assert replace(step.run, output=old.output, cleaned=old.cleaned) == old, "a finished run was changed"
        self.last[step.run.id] = step.run
        busy = sum(run.on_host for run in self.board.view.runs.values())
        assert self.slots is None or busy <= self.slots, "more runs than slots"

    def ask(self, act: Instruction) -> None:
        """Send it, if there is a link."""
        if self.up:
            run = act.run  # type: ignore[union-attr]  # the others are no requests
            self.requests.append((act, self.last[run.id].started_at is not None))

    # The host --------------------------------------------------------------------------------------------------------

    def execute(self) -> None:
        """The host does what the oldest request says, and answers."""
        if not self.requests:
            return
        act, knew = self.requests.pop(0)
        run: Run = act.run  # type: ignore[union-attr]
        now = self.now
        match act:
            case Start():
                if self.full and run.id not in self.spools:
                    self.answers.append(StartRefused(now, run.id, "disk full"))
                elif self.spools.setdefault(run.id, Spool()).claim is Claim.NONE:
                    self.launched.append(run.id)
            case Look():
                output = Output(1, 1, complete=self.report(run.id).outcome is not None)
                self.answers.append(Reported(now, run.id, self.report(run.id), output, knew=knew))
            case Seal() | StopProgram():
                spool = self.spools.get(run.id, Spool())
                if spool.claim is Claim.NONE and not self.full:
                    self.spools[run.id] = spool
                    spool.claim = Claim.SEALED
                self.answers.append(Reported(now, run.id, self.report(run.id), sealing=True, knew=knew))
                if isinstance(act, StopProgram) and spool.claim is Claim.PROGRAM and spool.boot == self.boot:
                    spool.stop = spool.stop or Cause.STOP
            case Fetch():
                there = run.id in self.spools
                self.answers.append(Fetched(now, run.id, Output(2, 2, complete=there, lost=not there)))
            case Clean():
                self.spools.pop(run.id, None)
                self.answers.append(Cleaned(now, (run.id,)))

    def report(self, number: int) -> Report:
        """What a look at the spool shows."""
        spool = self.spools.get(number)
        if spool is None:
            return Report(self.boot, exists=False)
        claimed = spool.claim is Claim.PROGRAM
        return Report(
            self.boot,
            claim=spool.claim,
            pid=number if claimed else None,
            started_at=self.now if claimed else None,
            alive=spool.program or spool.chaperone,
            outcome=spool.status and replace(spool.status, cause=spool.stop),
            stopping=spool.stop,
            stop_done=spool.stopped,
        )

    # What may happen at any time -------------------------------------------------------------------------------------

    def submit(self, which: int) -> None:
        number = len(self.last) + 1
        if number < 6:
            scheduled = which % 3 == 0
            state = State.SCHEDULED if scheduled else State.WAITING
            run = Run(
                number,
                "box",
                Program(command="x"),
                self.now,
                state,
                asked="box",
                key=f"k{number}",
                schedule_time=self.now + 5 if scheduled else None,
                start_within=60.0,
                waiting_since=None if scheduled else self.now,
            )
            self.turn(Submitted(self.now, (run,)))

    def stop(self, which: int) -> None:
        if self.last:
            number = which % len(self.last) + 1
            self.turn(StopWanted((number,), StopAsked(self.now, "somebody", grace=1.0)))

    def time(self, which: int) -> None:
        self.now += (0.5, 3.0, 12.0, 45.0, 70.0)[which % 5]
        self.turn(Woken(self.now, self.board.due(self.now)))

    def sweep(self, _which: int = 0) -> None:
        if self.up:
            self.turn(Swept("box"))

    def connect(self, _which: int = 0) -> None:
        if not self.up:
            self.up = True
            self.turn(HostUp(self.now, "box", self.boot, "/spool"))

    def cut(self, which: int) -> None:
        """Some requests get through before, no answer does; what was heard already may still be decided."""
        if self.up:
            for _ in range(which):
                self.execute()
            self.requests.clear()
            del self.answers[which // 2 :]
            self.journal.clear()
            self.up = False
            self.turn(*self.answers, HostDown(self.now, "box", "cut"))
            self.answers.clear()

    def work(self, which: int) -> None:
        for _ in range(which + 1):
            self.execute()

    def hear(self, which: int) -> None:
        """Answers in their order, in one turn with others or not."""
        heard, self.answers = self.answers[: which + 1], self.answers[which + 1 :]
        self.turn(*heard)

    def notice(self, _which: int = 0) -> None:
        """A journal line, before or after answers that are on their way."""
        if self.journal:
            word, number = self.journal.pop(0)
            run = self.board.view.runs.get(number)
            if run is None or run.finished:
                return
            if word == "started":
                report = Report(self.boot, claim=Claim.PROGRAM, pid=number, started_at=self.now, alive=True)
                self.turn(Reported(self.now, number, report))
            else:
                self.ask(Look(run))

    def claim(self, which: int) -> None:
        """A chaperone's child comes to the claim; without a folder it cannot even open its files."""
        if self.launched:
            number = self.launched.pop(which % len(self.launched))
            spool = self.spools.get(number)
            if spool is not None and spool.claim is Claim.NONE:
                spool.claim, spool.boot, spool.program, spool.chaperone = Claim.PROGRAM, self.boot, True, True
                self.begun[number] = self.begun.get(number, 0) + 1
                self.say("started", number)

    def finish(self, which: int) -> None:
        """A program ends, and its chaperone tells."""
        self._some(which, lambda spool: spool.program and spool.chaperone, self._finish)

    def _finish(self, number: int, spool: Spool) -> None:
        spool.program = spool.chaperone = False
        spool.status = Outcome(exit_code=number % 2)
        self.say("ended", number)

    def climb(self, which: int) -> None:
        """A stop ladder comes to its end."""
        self._some(which, lambda spool: spool.stop is not None and not spool.stopped, self._climb)

    def _climb(self, number: int, spool: Spool) -> None:
        if spool.program and spool.chaperone:
            spool.status = Outcome(signal=15)
        spool.program = spool.chaperone = False
        spool.stopped = True
        self.say("stopped", number)

    def kill(self, which: int) -> None:
        """Somebody kills a program together with its chaperone."""
        self._some(which, lambda spool: spool.program, self._kill)

    def _kill(self, number: int, spool: Spool) -> None:
        spool.program = spool.chaperone = False
        self.harmed.add(number)

    def remove(self, which: int) -> None:
        """Somebody removes the spool of a run that we have seen running."""
        self._some(which, lambda spool: spool.program, self._remove)

    def _remove(self, number: int, spool: Spool) -> None:
        # Before that nothing could be promised: the claim is the only trace of a start.
        starting = number in self.launched or any(act.run.id == number for act, _ in self.requests)  # type: ignore[union-attr]
        if self.last[number].started_at is not None and not starting:
            del self.spools[number]
            self.harmed.add(number)

    def reboot(self, which: int) -> None:
        """The host goes down with all that runs there, comes back as another boot, and may have lost its spools."""
        self.cut(0)
        if which % 2:
            self.spools.clear()
        self.boot = f"boot-{int(self.boot.removeprefix('boot-')) + 1}"
        self.launched.clear()
        self.harmed |= {number for number, run in self.last.items() if run.on_host}
        for spool in self.spools.values():
            spool.program = spool.chaperone = False

    def fill(self, _which: int = 0) -> None:
        """The host's disk fills up, or somebody makes room."""
        self.full = not self.full

    def say(self, word: str, number: int) -> None:
        if self.up:
            self.journal.append((word, number))

    def _some(self, which: int, fits: Callable[[Spool], Any], do: Callable[[int, Spool], None]) -> None:
        found = [(number, spool) for number, spool in self.spools.items() if fits(spool)]
        if found:
            do(*found[which % len(found)])

    # And in the end --------------------------------------------------------------------------------------------------

    def calm(self) -> None:
        """From now on the host answers everything, truthfully, and every program ends."""
        self.full = False
        for _ in range(40):
            self.connect()
            for _ in range(20):
                self.work(10)
                self.hear(10)
                self.notice()
                self.claim(0)
                self.finish(0)
                self.climb(0)
            self.time(2)
            self.sweep()
            if not self.board.view.runs:
                return
