"""What follows from what people ask for: stop, skip, hold, release, start, mark.

Rule: a wish is saved before anything is done for it, with the name of who had it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from sshsched.domain import flow, keys, words
from sshsched.domain.events import FailedWanted, HoldWanted, MarkWanted, ReleaseWanted, StartWanted, StopWanted
from sshsched.domain.instructions import Consider, Instruction, Reconsider, Save, SaveHold, Stir, StopProgram
from sshsched.domain.model import LogEntry, Reason, Run, StopAsked
from sshsched.domain.saves import end, moved, note
from sshsched.domain.shape import iso
from sshsched.domain.states import MARKS, State
from sshsched.domain.view import View


def stop_wanted(view: View, event: StopWanted) -> Iterator[Instruction]:
    """What has not begun is skipped; what runs is asked to end; what is ending is asked again, the new way."""
    for number in event.run_ids:
        run = view.runs.get(number)
        if run is None or run.finished:
            continue
        if run.plan.flow is not None and run.state is not State.WAITING and run.state is not State.SCHEDULED:
            yield from flow.stop_root(view, run, event.asked, partial(stop, asked=event.asked))
        else:
            yield from stop(run, event.asked)


def stop_late(view: View, root: Run, asked: StopAsked) -> Iterator[Instruction]:
    """A workflow whose time is over ends, each step as its own program says; their hosts may be at it already."""

    def own(run: Run) -> Iterator[Instruction]:
        if run.state is not State.STOPPING:
            rung = run.program.stop
            yield from stop(run, StopAsked(asked.at, words.SCHEDULE, signal=rung.signal, grace=rung.grace))

    yield from flow.stop_root(view, root, asked, own)


def stop(run: Run, asked: StopAsked) -> Iterator[Instruction]:
    """One run that has a program."""
    if not run.on_host:
        yield from end(run, State.SKIPPED, asked.at, Reason.BY_HAND, f"skipped by {asked.by}", cleaned=True)
        return
    why = f"{asked.by} asked it to end with {asked.signal}, KILL after {words.seconds(asked.grace)}"
    if run.state is State.STOPPING:
        again = replace(run, stop_asked=asked, message=why)
        yield Save(again, run.state, (note(again, asked.at, why),))
        yield StopProgram(again)
    else:
        save = moved(run, State.STOPPING, asked.at, Reason.STOP_ASKED, why, stop_asked=asked)
        yield save
        yield StopProgram(save.run)


def hold_wanted(view: View, event: HoldWanted) -> Iterator[Instruction]:
    """What is held does not start; what runs goes on."""
    said = f"held by {event.by or 'somebody'} since {iso(event.at)}"
    for number in event.run_ids:
        run = view.runs.get(number)
        if run is not None and run.state in (State.SCHEDULED, State.WAITING) and not run.held:
            held = replace(run, held=said, forced=False)
            yield Save(held, run.state, (note(held, event.at, said),))
            yield Reconsider(run.id)
    for key in event.keys:
        yield SaveHold(key, said)
        for asked, line in view.waiting.items():
            if key in (keys.EVERYTHING, keys.host(asked)) or key.startswith("job:"):
                for run in line:
                    if key in (keys.EVERYTHING, f"job:{run.job_id}", keys.host(asked)):
                        yield Reconsider(run.id)


def release_wanted(view: View, event: ReleaseWanted) -> Iterator[Instruction]:
    """What was held is asked again; a workflow that waits for a decision ends."""
    for number in event.run_ids:
        run = view.runs.get(number)
        if run is None or not run.held or run.finished:
            continue
        by = event.by or "somebody"
        if run.plan.flow is not None and run.state is State.RUNNING:
            yield from flow.release_root(run, event.at, by)
            continue
        free = replace(run, held="")
        yield Save(free, run.state, (note(free, event.at, f"released by {by}"),))
        yield Reconsider(run.id)
    for key in event.keys:
        yield SaveHold(key, None)
        yield Stir(keys.hold(key))
        if key.startswith("host:"):
            yield Consider(key.removeprefix("host:"))


def start_wanted(view: View, event: StartWanted) -> Iterator[Instruction]:
    """A run starts past its time, its holds and its conditions; locks and slots it waits for still."""
    for number in event.run_ids:
        run = view.runs.get(number)
        if run is None or run.state not in (State.SCHEDULED, State.WAITING):
            continue
        why = f"{event.by or 'somebody'} started it past its conditions"
        if run.state is State.SCHEDULED:
            yield moved(run, State.WAITING, event.at, Reason.BY_HAND, why, waiting_since=event.at, forced=True, held="")
        else:
            free = replace(run, forced=True, held="", reason=Reason.BY_HAND)
            yield Save(free, run.state, (note(free, event.at, why),))
            yield Reconsider(run.id)


def failed_wanted(view: View, event: FailedWanted) -> Iterator[Instruction]:
    """What failed in a workflow runs again, and the workflow goes on from there."""
    for number in event.run_ids:
        if (root := view.runs.get(number)) is not None and root.plan.flow is not None:
            yield from flow.rerun_failed(view, root, event.at, event.by or "somebody")


def mark_wanted(view: View, event: MarkWanted) -> Iterator[Instruction]:
    """A finished run is taken for another outcome from now on. What its program did stays as it was seen."""
    for given in event.runs:
        run = view.runs.get(given.id, given)
        if run.finished and event.state in MARKS[run.state]:
            why = f"marked by {event.by or 'somebody'}; it was {run.state}: {run.message}"
            row = LogEntry(run.id, event.at, run.state, event.state, Reason.BY_HAND, why)
            yield Save(replace(run, state=event.state, reason=Reason.BY_HAND, message=why), run.state, (row,))
