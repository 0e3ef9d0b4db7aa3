"""What follows from what happened: `decide(view, event)` gives the instructions, and does nothing.

Rule: a run gets its spool, and with it leave to start, only in `considered`. What a host says of a run is weighed in
`reports.py`; how a run is saved and ended is in `saves.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sshsched.domain import words
from sshsched.domain.events import (
    Cleaned,
    Considered,
    Event,
    Fetched,
    HostDown,
    HostUp,
    Reported,
    StartRefused,
    StopWanted,
    Submitted,
    Swept,
    TimePassed,
)
from sshsched.domain.instructions import Clean, Consider, Instruction, Look, Save, Seal, StopProgram
from sshsched.domain.model import LogEntry, Reason, Run, Spool
from sshsched.domain.reports import reported, start_refused
from sshsched.domain.saves import end, moved, note, rest, start, stop_passed
from sshsched.domain.states import State
from sshsched.domain.view import View


def decide(view: View, event: Event) -> list[Instruction]:
    """The instructions that follow from the event, in the order in which they are to be done."""
    handler: Callable[[View, Any], Iterator[Instruction]] = _HANDLERS[type(event)]
    return list(handler(view, event))


# Before the host -------------------------------------------------------------------------------------------------


def submitted(view: View, event: Submitted) -> Iterator[Instruction]:
    """New runs are stored before anybody hears of them."""
    yield from _new(event.runs, event.at)


def time_passed(view: View, event: TimePassed) -> Iterator[Instruction]:
    """A schedule's place in time moves together with the runs that fell due, or neither does."""
    yield from event.cursors
    yield from _new(event.runs, event.at)


def _new(runs: tuple[Run, ...], at: float) -> Iterator[Instruction]:
    for run in runs:
        yield Save(run, None, (LogEntry(run.id, at, None, run.state, run.reason, words.created(run)),))
        if run.state is State.WAITING:
            yield Consider(run.host)


def ticked(view: View, event: Ticked) -> Iterator[Instruction]:
    """What is due waits from now on; what has waited too long, or until its stop time, does not start any more."""
    for run in view.runs.values():
        if run.state is State.SCHEDULED and run.due_at <= event.at:
            yield moved(run, State.WAITING, event.at, Reason.DUE, "its time has come", waiting_since=event.at)
            yield Consider(run.host)
        elif run.state is State.WAITING and event.at - (run.waiting_since or event.at) >= run.start_within:
            why = words.too_late(run)
            yield from end(run, State.ERROR, event.at, Reason.NOT_STARTED, why, cleaned=True)
        elif run.state is State.WAITING and stop_passed(run, event.at):
            yield from _never(run, event.at)


def considered(view: View, event: Considered) -> Iterator[Instruction]:
    """Start the oldest waiting runs of a host that is up, as far as its slots go; tell the others why they wait."""
    waiting = dict(view.waiting.get(event.host, {}))
    host = view.hosts.get(event.host)
    for run in [run for run in waiting.values() if stop_passed(run, event.at)]:
        del waiting[run.id]
        yield from _never(run, event.at)
    if not waiting:
        return
    if host is None or not host.up:
        if host is not None and host.permanent:
            for run in waiting.values():
                yield from end(run, State.ERROR, event.at, Reason.NOT_STARTED, host.problem, cleaned=True)
        else:
            yield from _tell(waiting, words.waits_for_host(event.host, host))
        return
    taken = sum(run.on_host for run in view.by_host.get(event.host, {}).values()) if host.slots is not None else 0
    free = len(waiting) if host.slots is None else max(0, host.slots - taken)
    for run in list(waiting.values())[:free]:
        spool = Spool(f"{host.spool}/{run.name}-{run.key}", host.boot)
        save = moved(
            run,
            State.STARTING,
            event.at,
            Reason.HOST_READY,
            f"{event.host} is ready",
            starting_since=event.at,
            spool=spool,
        )
        yield save
        yield start(save.run, event.at)
    yield from _tell(dict(list(waiting.items())[free:]), f"waits for one of {host.slots} slots on {event.host}")


def _never(run: Run, at: float) -> Iterator[Instruction]:
    return end(run, State.ERROR, at, Reason.NOT_STARTED, words.stop_passed(run), cleaned=True)


def _tell(waiting: dict[int, Run] | Any, why: str) -> Iterator[Instruction]:
    """Newest first: behind the first who knows already, all know."""
    for run in reversed(list(waiting.values())):
        if run.message == why:
            return
        yield Save(replace(run, message=why), run.state)


# The host comes and goes -----------------------------------------------------------------------------------------


def host_up(view: View, event: HostUp) -> Iterator[Instruction]:
    """What was under way when the link broke is looked at or asked for again: all of it is harmless twice."""
    for run in view.by_host.get(event.host, {}).values():
        if run.finished:
            yield rest(run)
            continue
        if run.unreachable_since is not None:
            back = replace(run, unreachable_since=None)
            yield Save(back, run.state, (note(back, event.at, f"{event.host} is back"),))
            run = back
        if run.state is State.STARTING and run.spool and run.spool.boot == event.boot:
            late = event.at - (run.starting_since or event.at) > run.start_within
            yield Seal(run) if late or run.reason is Reason.HOST_REFUSED else start(run, event.at)
        yield Look(run)  # tells too whether a stop that was asked for has arrived
    yield Consider(event.host)


def swept(view: View, event: Swept) -> Iterator[Instruction]:
    """Look at what is there, and go on with what could not be brought to its end."""
    for run in view.by_host.get(event.host, {}).values():
        yield rest(run) if run.finished else Look(run)


def host_down(view: View, event: HostDown) -> Iterator[Instruction]:
    """Unreachable is no failure: what runs there goes on, and we say since when we cannot see it."""
    for run in view.by_host.get(event.host, {}).values():
        if run.on_host and run.unreachable_since is None:
            away = replace(run, unreachable_since=event.at)
            yield Save(away, run.state, (note(away, event.at, event.message),))
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


def cleaned(view: View, event: Cleaned) -> Iterator[Instruction]:
    """Nothing is left there."""
    for number in event.run_ids:
        if (run := view.runs.get(number)) is not None and run.finished:
            stdout, stderr = event.sums.get(number, (None, None))
            output = replace(run.output, stdout_sha256=stdout, stderr_sha256=stderr)
            yield Save(replace(run, cleaned=True, output=output), run.state)


# By hand ---------------------------------------------------------------------------------------------------------


def stop_wanted(view: View, event: StopWanted) -> Iterator[Instruction]:
    """What has not begun is skipped; what runs is asked to end; what is ending is asked again, the new way."""
    asked = event.asked
    for number in event.run_ids:
        run = view.runs.get(number)
        if run is None or run.finished:
            continue
        if not run.on_host:
            why = f"skipped by {asked.by}"
            yield from end(run, State.SKIPPED, asked.at, Reason.BY_HAND, why, cleaned=True)
            continue
        why = f"{asked.by} asked it to end with {asked.signal}, KILL after {words.seconds(asked.grace)}"
        if run.state is State.STOPPING:
            again = replace(run, stop_asked=asked, message=why)
            yield Save(again, run.state, (note(again, asked.at, why),))
            yield StopProgram(again)
        else:
            save = moved(run, State.STOPPING, asked.at, Reason.STOP_ASKED, why, stop_asked=asked)
            yield save
            yield StopProgram(save.run)


_HANDLERS: dict[type, Callable[[View, Any], Iterator[Instruction]]] = {
    Submitted: submitted,
    TimePassed: time_passed,
    Ticked: ticked,
    Considered: considered,
    HostUp: host_up,
    HostDown: host_down,
    StartRefused: start_refused,
    Reported: reported,
    Fetched: fetched,
    Cleaned: cleaned,
    StopWanted: stop_wanted,
    Swept: swept,
}
