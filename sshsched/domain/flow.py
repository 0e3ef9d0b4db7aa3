"""What becomes of a workflow: which steps begin when another has ended, and how its root comes to an end.

Rule: a step's end costs what needs it, not how many steps there are; all steps are looked at only at the beginning, by
hand, and when nothing runs any more. Every step ends up as a run: one that can never begin is made skipped, and says
why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from sshsched.domain import words
from sshsched.domain.begin import Beginning, again, over
from sshsched.domain.events import Advanced, Extracted
from sshsched.domain.graph import graph_of
from sshsched.domain.handing import WARNED, failed_words, progress, waits_for_outputs
from sshsched.domain.instructions import Advance, Extract, Instruction, Make, Save
from sshsched.domain.model import Cause, Reason, Run, StopAsked
from sshsched.domain.plan import Step
from sshsched.domain.program import Program
from sshsched.domain.saves import end, moved, note
from sshsched.domain.states import State
from sshsched.domain.steps import FAILED, Steps, place_of, round_of
from sshsched.domain.view import View

HELD = "failed: "
"""What the words of a workflow that holds itself begin with."""
NOTHING = Program()
"""What a run holds that was over before it began."""
ONCE_MORE = frozenset({Reason.UPSTREAM_FAILED, Reason.TAKEN_OVER})
"""Why a step was skipped that runs again together with what failed."""


def advanced(view: View, event: Advanced) -> Iterator[Instruction]:
    """A step has moved, or the root has begun."""
    root = view.runs.get(event.root)
    if root is not None and root.plan.flow is not None and root.state in (State.RUNNING, State.STOPPING):
        yield from Course(view, root, event.at).go_on(event.step)


def begun(view: View, root: Run, at: float) -> Iterator[Instruction]:
    """The steps of a workflow may begin. What it has taken over from another one and failed there runs again."""
    yield from Course(view, root, at).failed_again(root.by)
    yield Advance(root.id)


def extracted(view: View, event: Extracted) -> Iterator[Instruction]:
    """What a step hands on is known: now those who need it may begin."""
    run = view.by_root.get(event.root, Steps()).get(event.run_id)
    if run is None:
        return
    warned = (*run.warned, WARNED) if event.missing else run.warned
    new = replace(run, values=event.values, warned=warned)
    yield Save(new, run.state, tuple(note(new, event.at, words) for words in event.missing))
    yield Advance(event.root, run.step)


def stop_root(
    view: View, root: Run, asked: StopAsked, stop: Callable[[Run], Iterable[Instruction]]
) -> Iterator[Instruction]:
    """No step begins any more, and those that have begun are stopped, one by one, by `stop`."""
    if root.state is State.STOPPING:
        stopping = Save(replace(root, stop_asked=asked, held=""), root.state)
    else:
        why = words.root_stopped(root, asked)
        stopping = moved(root, State.STOPPING, asked.at, words.reason_of(asked.cause), why, stop_asked=asked, held="")
    yield stopping
    live = list(view.by_root.get(root.id, Steps()).live.values())
    for run in live:
        yield from stop(run)
    if not live:
        yield Advance(root.id)


def release_root(root: Run, at: float, by: str) -> Iterator[Instruction]:
    """A workflow that holds itself goes on to its end as a failure: only what answers failures begins."""
    if root.held.startswith(HELD) and root.state is State.RUNNING:
        yield moved(root, State.STOPPING, at, Reason.BY_HAND, f"released by {by}", held="")
        yield Advance(root.id)
    elif root.held:
        let_go = replace(root, held="")
        yield Save(let_go, root.state, (note(let_go, at, f"released by {by}"),))
        yield Advance(root.id)


def rerun_failed(view: View, root: Run, at: float, by: str) -> Iterator[Instruction]:
    """New runs of the steps that failed, and of those that were called off for that; the workflow goes on from there.

    Nothing is to be done where it is on its way to its end, or where nothing has failed.
    """
    if root.state is not State.RUNNING:
        return
    makes = list(Course(view, root, at).failed_again(by))
    if makes:
        on = replace(root, held="" if root.held.startswith(HELD) else root.held)
        yield Save(on, root.state, (note(on, at, f"{by} asked for the failed steps again"),))
        yield from makes


class Course:
    """One workflow at one moment. Raises nothing; asks `view`, changes nothing."""

    def __init__(self, view: View, root: Run, at: float) -> None:
        assert root.plan.flow is not None
        self._view = view
        self._root = root
        self._at = at
        self._flow = root.plan.flow
        self._graph = graph_of(root.plan.flow)
        self._steps = view.by_root.get(root.id) or Steps()
        self._begin = Beginning(view, root, self._graph, self._steps, at)

    # Going on --------------------------------------------------------------------------------------------------------

    def go_on(self, moved_step: str) -> Iterator[Instruction]:
        """All that follows from a step's move, or from anything."""
        done = list(self._after(moved_step)) if moved_step else []
        if self._stopped():
            yield from self._call_off(f"skipped: {self._root.message}", Reason.BY_HAND)
        if not moved_step or not (done or self._steps.live):
            done = list(self._look_at_all())
        yield from done
        if done or self._steps.live:
            yield from self._tell()
        else:
            yield from self._settle()

    def _after(self, name: str) -> Iterator[Instruction]:
        step = self._graph.owner(place_of(name))
        run = self._steps.newest(place_of(name))
        if step is None or run is None or not run.finished:
            return
        if self._too_many():
            yield from self._call_off(self._too_many_words(), Reason.UPSTREAM_FAILED)
        own = list(self._own(step, run))
        yield from own
        if not own and self._verdict(step) is not None:
            for dependent in self._graph.dependents[step.name]:
                yield from self._look(self._graph.steps[dependent])

    def _look_at_all(self) -> Iterator[Instruction]:
        for step in self._flow.steps:
            if step.outputs or step.until:
                for run in self._runs(step):
                    yield from self._own(step, run)
            yield from self._look(step)

    def _own(self, step: Step, run: Run) -> Iterator[Instruction]:
        """What is still to be done for a step that has ended, before anybody else may go by it."""
        if not run.finished:
            return
        if waits_for_outputs(step, run):
            if run.output.complete or run.output.lost:
                yield Extract(run, step.outputs)
        elif step.until and (number := round_of(run.step)) and not self._stopped():
            yield from self._begin.next_round(step, number)

    def _look(self, step: Step) -> Iterator[Make]:
        """Begin a step, or say that it never will, if its needs have come to that."""
        if self._stopped() or (self._root.held and not self._root.held.startswith(HELD)) or self._begun(step):
            return
        verdicts = {need: self._verdict(self._graph.steps[need]) for need in step.needs}
        if any(verdict is None for verdict in verdicts.values()):
            return
        if step.when == "always":
            yield from self._begin.step(step)
        elif step.when == "failure":
            if any(verdict is State.FAILURE or self._for_failure(need) for need, verdict in verdicts.items()):
                yield from self._begin.step(step)
            else:
                yield over(self._root, step.name, State.SKIPPED, Reason.NOT_NEEDED, "nothing that it needs has failed")
        elif bad := [need for need, verdict in verdicts.items() if verdict is not State.SUCCESS]:
            failed = any(verdicts[need] is State.FAILURE for need in bad)
            if not failed or not self._holds():
                yield self._never(step, bad, failed)
        elif not self._too_many():
            yield from self._begin.step(step)
        elif not self._holds():
            yield over(self._root, step.name, State.SKIPPED, Reason.UPSTREAM_FAILED, self._too_many_words())

    def _never(self, step: Step, bad: list[str], failed: bool) -> Make:
        tainted = failed or any(self._for_failure(need) for need in bad)
        reason = Reason.UPSTREAM_FAILED if tainted else Reason.NOT_NEEDED
        told = ", ".join(f"{run.step} ({run.name}: {run.state})" for need in bad for run in self._bad(need))
        return over(self._root, step.name, State.SKIPPED, reason, f"it needs {told}")

    # How it stands ---------------------------------------------------------------------------------------------------

    def _runs(self, step: Step) -> list[Run]:
        return self._steps.runs(step.name)

    def _bad(self, name: str) -> list[Run]:
        return [run for run in self._runs(self._graph.steps[name]) if run.state is not State.SUCCESS][:3]

    def _begun(self, step: Step) -> bool:
        """Whether a step needs no more looking at. One that was over before it began does if its needs ran again."""
        runs = self._runs(step)
        if not runs or runs[0].program != NOTHING:
            return bool(runs)
        needs = (self._runs(self._graph.steps[need]) for need in step.needs)
        return not any(run.id > runs[0].id for found in needs for run in found)

    def _verdict(self, step: Step) -> State | None:
        """What a step has come to: success, failure or skipped; None while that is open."""
        runs = self._runs(step)
        if not self._begun(step) or any(not run.finished or waits_for_outputs(step, run) for run in runs):
            return None
        if step.until and round_of(runs[0].step) and any(self._begin.next_round(step, round_of(runs[0].step))):
            return None
        if any(run.state in FAILED for run in runs):
            return State.FAILURE
        return State.SKIPPED if any(run.state is State.SKIPPED for run in runs) else State.SUCCESS

    def _for_failure(self, name: str) -> bool:
        run = self._steps.newest(name)
        return run is not None and run.state is State.SKIPPED and run.reason is Reason.UPSTREAM_FAILED

    def _stopped(self) -> bool:
        return self._root.stop_asked is not None

    def _holds(self) -> bool:
        return self._flow.on_failure == "hold" and self._root.state is State.RUNNING

    def _too_many(self) -> bool:
        return self._flow.max_fail is not None and len(self._steps.failed) > self._flow.max_fail

    def _too_many_words(self) -> str:
        return f"more than {self._flow.max_fail} steps have failed"

    # Coming to an end ------------------------------------------------------------------------------------------------

    def _tell(self) -> Iterator[Save]:
        """The root says how far it is; one that held itself goes on."""
        held = "" if self._root.held.startswith(HELD) else self._root.held
        told = replace(self._root, message=progress(self._graph, self._steps), held=held)
        if told.message != self._root.message or held != self._root.held:
            yield Save(told, self._root.state)

    def _settle(self) -> Iterator[Instruction]:
        """Nothing runs and nothing more can begin: the end, or a failure that somebody has to look at."""
        root, failed = self._root, bool(self._steps.failed)
        by_hand = root.held and not root.held.startswith(HELD)
        handing = (run for step in self._flow.steps for run in self._runs(step) if waits_for_outputs(step, run))
        if by_hand or any(handing):
            yield from self._tell()
        elif root.stop_asked is not None:
            for step in self._flow.steps:
                if not self._runs(step):
                    yield over(root, step.name, State.SKIPPED, Reason.NOT_NEEDED, root.message)
            reason = Reason.TIMEOUT if root.stop_asked.cause is Cause.TIMEOUT else Reason.STOPPED
            yield from self._end(State.FAILURE, reason, f"{words.root_stopped(root, root.stop_asked)}: ")
        elif failed and self._holds():
            yield from self._hold()
        elif left := [step.name for step in self._flow.steps if self._verdict(step) is None]:
            yield from self._end(State.ERROR, Reason.STEPS, f"could never begin: {', '.join(left[:3])}; ")
        else:
            yield from self._end(State.FAILURE if failed else State.SUCCESS, Reason.STEPS)

    def _end(self, state: State, reason: Reason, before: str = "") -> Iterator[Instruction]:
        why = before + progress(self._graph, self._steps)
        yield from end(replace(self._root, held=""), state, self._at, reason, why, cleaned=True)

    def _hold(self) -> Iterator[Instruction]:
        root = self._root
        held = HELD + failed_words(self._steps)
        if root.held == held:
            return
        why = f"{progress(self._graph, self._steps)}; held: `rerun --failed`, `release` or `stop` it"
        new = replace(root, held=held, message=why)
        yield Save(new, root.state, (note(new, self._at, why),))
        if not root.held:
            yield from self._view.rules.follow(new, "held", self._view, self._at)

    def _call_off(self, why: str, reason: Reason) -> Iterator[Instruction]:
        """What has been made and has not begun does not any more, unless it answers failures and nobody said stop."""
        for place, run in self._steps.live.items():
            step = self._graph.owner(place)
            if not run.on_host and (self._stopped() or (step is not None and step.when == "success")):
                yield from end(run, State.SKIPPED, self._at, reason, why, cleaned=True)

    # Once more -------------------------------------------------------------------------------------------------------

    def failed_again(self, by: str) -> Iterator[Make]:
        """The steps that failed, as they were; those that could not even be made, as their templates are now."""
        for place, run in self._steps.failed.items():
            step = self._graph.owner(place)
            if run.program != NOTHING or step is None:
                yield again(run, by)
            elif not any(each.state in FAILED for need in step.needs for each in self._runs(self._graph.steps[need])):
                yield from self._begin.step(step)  # or else when its needs have ended again
        for step in self._flow.steps:
            for run in self._runs(step):
                if run.state is State.SKIPPED and run.reason in ONCE_MORE and run.program != NOTHING:
                    yield again(run, by)
