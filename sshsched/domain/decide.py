"""What follows from what happened: `decide(view, event)` gives the instructions, and does nothing.

Rule: one event, one handler. What a run waits for is in `waiting.py`, what a host says of it in `reports.py`, what
people want in `hands.py`, what follows its moves in `after.py` and `flow.py`; how it is saved and ended in `saves.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sshsched.domain import flow, keys, words
from sshsched.domain.after import after
from sshsched.domain.events import (
    Advanced,
    Asked,
    Cleaned,
    Considered,
    Delivered,
    Event,
    Extracted,
    FailedWanted,
    Fetched,
    HoldWanted,
    HostDown,
    HostUp,
    Learnt,
    MarkWanted,
    Moved,
    ReleaseWanted,
    Reported,
    Restarted,
    StartRefused,
    StartWanted,
    StopWanted,
    Submitted,
    Swept,
    TimePassed,
    Told,
    Woken,
)
from sshsched.domain.hands import failed_wanted, hold_wanted, mark_wanted, release_wanted, start_wanted, stop_wanted
from sshsched.domain.instructions import Advance, Clean, Consider, Instruction, Look, Save, Seal, Stir
from sshsched.domain.model import LogEntry, Reason, Run
from sshsched.domain.parallel import limited
from sshsched.domain.reports import reported, start_refused
from sshsched.domain.resume import take_over
from sshsched.domain.saves import note, rest, start
from sshsched.domain.states import State
from sshsched.domain.telling import delivered, told
from sshsched.domain.timers import ends_at
from sshsched.domain.view import View
from sshsched.domain.waiting import asked, considered, restarted, woken


def decide(view: View, event: Event) -> list[Instruction]:
    """The instructions that follow from the event, in the order in which they are to be done."""
    handler: Callable[[View, Any], Iterator[Instruction]] = _HANDLERS[type(event)]
    return list(handler(view, event))


# Before the host -------------------------------------------------------------------------------------------------


def submitted(view: View, event: Submitted) -> Iterator[Instruction]:
    """New runs are stored before anybody hears of them."""
    yield from _new(view, event.runs, event.at)
    if event.taken:
        (root,) = event.runs
        yield from take_over(root, event.taken)
    if event.follows is not None and (asker := view.runs.get(event.follows)) is not None:
        names = ", ".join(run.name for run in event.runs)
        yield Save(asker, asker.state, (note(asker, event.at, f"its action made {names}"),))


def time_passed(view: View, event: TimePassed) -> Iterator[Instruction]:
    """A schedule's place in time moves together with the runs that fell due, or neither does."""
    yield from event.cursors
    yield from _new(view, event.runs, event.at)


def learnt(view: View, event: Learnt) -> Iterator[Instruction]:
    """Whoever waits for this fact is asked again."""
    yield Stir(event.key)


def _new(view: View, runs: tuple[Run, ...], at: float) -> Iterator[Instruction]:
    for given in runs:
        root = None if given.root is None or given.finished else view.runs.get(given.root)
        run = given if root is None else limited(replace(given, stop_at=ends_at(root)), root)
        yield Save(run, None, (LogEntry(run.id, at, None, run.state, run.reason, words.created(run)),))
        if run.attempt > 1 and run.rerun_of is not None and (last := view.runs.get(run.rerun_of)) is not None:
            yield Save(replace(last, retried_by=run.id), last.state)


# The host comes and goes -----------------------------------------------------------------------------------------


def host_up(view: View, event: HostUp) -> Iterator[Instruction]:
    """What was under way when the link broke is looked at or asked for again: all of it is harmless twice."""
    for run in view.by_host.get(event.host, {}).values():
        if run.finished:
            yield rest(run)
            continue
        if run.unreachable_since is not None:
            seen = words.running(run.pid) if run.state is State.RUNNING else run.message
            back = replace(run, unreachable_since=None, message=seen)
            yield Save(back, run.state, (note(back, event.at, f"{event.host} is back"),))
            run = back
        if run.state is State.STARTING and run.spool and run.spool.boot == event.boot:
            late = event.at - (run.starting_since or event.at) > run.start_within
            yield Seal(run) if late or run.reason is Reason.HOST_REFUSED else start(run, event.at)
        yield Look(run)  # tells too whether a stop that was asked for has arrived
    yield Stir(keys.host(event.host))
    yield Consider(event.host)


def swept(view: View, event: Swept) -> Iterator[Instruction]:
    """Look at what is there, and go on with what could not be brought to its end."""
    for run in view.by_host.get(event.host, {}).values():
        yield rest(run) if run.finished else Look(run)


def host_down(view: View, event: HostDown) -> Iterator[Instruction]:
    """Unreachable is no failure: what runs there goes on, and we say since when we cannot see it."""
    for run in view.by_host.get(event.host, {}).values():
        if run.on_host and run.unreachable_since is None:
            # The others say what is asked of them; what runs would only say its process id.
            why = event.message if run.state is State.RUNNING else run.message
            away = replace(run, unreachable_since=event.at, message=why)
            yield Save(away, run.state, (note(away, event.at, event.message),))
    yield Stir(keys.host(event.host))
    yield Consider(event.host)


# What came back, and what is over ----------------------------------------------------------------------------------


def fetched(view: View, event: Fetched) -> Iterator[Instruction]:
    """Bytes first, then the word that they are here; the spool goes only after both."""
    run = view.runs.get(event.run_id)
    if run is None or run.settled:
        return
    run = replace(run, output=event.output)
    yield Save(run, run.state)
    if run.finished and (run.output.complete or run.output.lost):
        yield Clean(run)
        if run.root is not None:
            yield Advance(run.root, run.step)  # what it hands on can be found now


def cleaned(view: View, event: Cleaned) -> Iterator[Instruction]:
    """Nothing is left there."""
    for number in event.run_ids:
        if (run := view.runs.get(number)) is not None and run.finished:
            stdout, stderr = event.sums.get(number, (None, None))
            output = replace(run.output, stdout_sha256=stdout, stderr_sha256=stderr)
            yield Save(replace(run, cleaned=True, output=output), run.state)


_HANDLERS: dict[type, Callable[[View, Any], Iterator[Instruction]]] = {
    Restarted: restarted,
    Submitted: submitted,
    TimePassed: time_passed,
    Woken: woken,
    Asked: asked,
    Considered: considered,
    Moved: after,
    Advanced: flow.advanced,
    Extracted: flow.extracted,
    Learnt: learnt,
    HostUp: host_up,
    HostDown: host_down,
    StartRefused: start_refused,
    Reported: reported,
    Fetched: fetched,
    Cleaned: cleaned,
    Told: told,
    Delivered: delivered,
    StopWanted: stop_wanted,
    HoldWanted: hold_wanted,
    ReleaseWanted: release_wanted,
    StartWanted: start_wanted,
    MarkWanted: mark_wanted,
    FailedWanted: failed_wanted,
    Swept: swept,
}
