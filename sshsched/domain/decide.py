"""What follows from what happened: `decide(view, event)` gives the instructions, and does nothing.

Rule: a run's program is started only from `considered`, and a run ends only through `_end`. What the host's spool says
is the truth about a program; what we remember of it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sshsched.domain import words
from sshsched.domain.events import (
    Claim,
    Clean,
    Cleaned,
    Consider,
    Considered,
    Event,
    Fetch,
    Fetched,
    HostDown,
    HostUp,
    Instruction,
    Look,
    Reported,
    Save,
    Seal,
    Start,
    StartRefused,
    StopProgram,
    StopWanted,
    Submitted,
    Swept,
    Ticked,
    View,
)
from sshsched.domain.model import Cause, LogEntry, Outcome, Reason, Run, Spool, StopAsked
from sshsched.domain.states import State, move

RESEND_AFTER = 10.0  # seconds: a host that took longer to get from start to claim is asked again, which is harmless
LADDER_WITHIN = 2.0  # seconds in which a stop that was asked for shows on the host, or is asked for again
CLIMB_AGAIN_AFTER = 30.0  # seconds after the grace time: the ladder itself may have been killed


def decide(view: View, event: Event) -> list[Instruction]:
    """The instructions that follow from the event, in the order in which they are to be done."""
    handler: Callable[[View, Any], Iterator[Instruction]] = _HANDLERS[type(event)]
    return list(handler(view, event))


# Before the host -------------------------------------------------------------------------------------------------


def submitted(view: View, event: Submitted) -> Iterator[Instruction]:
    """New runs are stored before anybody hears of them."""
    for run in event.runs:
        yield Save(run, None, (LogEntry(run.id, event.at, None, run.state, Reason.CREATED, words.created(run)),))
        if run.state is State.WAITING:
            yield Consider(run.host)


def ticked(view: View, event: Ticked) -> Iterator[Instruction]:
    """What is due waits from now on; what has waited too long does not start any more."""
    for run in view.runs.values():
        if run.state is State.SCHEDULED and run.due_at <= event.at:
            yield _moved(run, State.WAITING, event.at, Reason.DUE, "its time has come", waiting_since=event.at)
            yield Consider(run.host)
        elif run.state is State.WAITING and event.at - (run.waiting_since or event.at) >= run.start_within:
            why = words.too_late(run)
            yield from _end(run, State.ERROR, event.at, Reason.NOT_STARTED, why, cleaned=True)


def considered(view: View, event: Considered) -> Iterator[Instruction]:
    """Start the oldest waiting runs of a host that is up, as far as its slots go; tell the others why they wait."""
    waiting = view.waiting.get(event.host, {})
    host = view.hosts.get(event.host)
    if not waiting:
        return
    if host is None or not host.up:
        if host is not None and host.permanent:
            for run in waiting.values():
                yield from _end(run, State.ERROR, event.at, Reason.NOT_STARTED, host.problem, cleaned=True)
        else:
            yield from _tell(waiting, words.waits_for_host(event.host, host))
        return
    taken = sum(run.on_host for run in view.by_host.get(event.host, {}).values()) if host.slots is not None else 0
    free = len(waiting) if host.slots is None else max(0, host.slots - taken)
    for run in list(waiting.values())[:free]:
        spool = Spool(f"{host.spool}/{run.name}-{run.key}", host.boot)
        save = _moved(
            run,
            State.STARTING,
            event.at,
            Reason.HOST_READY,
            f"{event.host} is ready",
            starting_since=event.at,
            spool=spool,
        )
        yield save
        yield Start(save.run)
    yield from _tell(dict(list(waiting.items())[free:]), f"waits for one of {host.slots} slots on {event.host}")


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
            yield _rest(run)
            continue
        if run.unreachable_since is not None:
            back = replace(run, unreachable_since=None)
            yield Save(back, run.state, (_note(back, event.at, f"{event.host} is back"),))
            run = back
        if run.state is State.STARTING and run.spool and run.spool.boot == event.boot:
            late = event.at - (run.starting_since or event.at) > run.start_within
            yield Seal(run) if late or run.reason is Reason.HOST_REFUSED else Start(run)
        yield Look(run)  # tells too whether a stop that was asked for has arrived
    yield Consider(event.host)


def swept(view: View, event: Swept) -> Iterator[Instruction]:
    """Look at what is there, and go on with what could not be brought to its end."""
    for run in view.by_host.get(event.host, {}).values():
        yield _rest(run) if run.finished else Look(run)


def host_down(view: View, event: HostDown) -> Iterator[Instruction]:
    """Unreachable is no failure: what runs there goes on, and we say since when we cannot see it."""
    for run in view.by_host.get(event.host, {}).values():
        if run.on_host and run.unreachable_since is None:
            away = replace(run, unreachable_since=event.at)
            yield Save(away, run.state, (_note(away, event.at, event.message),))
    yield Consider(event.host)


# What the host says of one run -----------------------------------------------------------------------------------


def start_refused(view: View, event: StartRefused) -> Iterator[Instruction]:
    """Nothing was launched; the seal makes sure of it."""
    run = view.runs.get(event.run_id)
    if run is not None and run.state is State.STARTING:
        said = replace(run, reason=Reason.HOST_REFUSED, message=event.message)
        yield Save(said, run.state, (_note(said, event.at, event.message),))
        yield Seal(said)


def reported(view: View, event: Reported) -> Iterator[Instruction]:
    """The spool's word on a run, in whatever state we believed it to be."""
    run = view.runs.get(event.run_id)
    if run is None or not run.on_host:
        return
    known = run if event.output is None else replace(run, output=event.output)
    steps = list(_resolve(known, event))
    if known.output != run.output and not any(isinstance(step, Save) for step in steps):
        steps.insert(0, Save(known, run.state))
    yield from steps


def _resolve(run: Run, event: Reported) -> Iterator[Instruction]:
    report, at = event.report, event.at
    rebooted = run.spool is None or report.boot != run.spool.boot
    if report.claim is Claim.SEALED:
        yield from _sealed(run, at)
    elif report.outcome is not None:
        yield from _ended(run, event, report.outcome, rebooted=rebooted)
    elif rebooted:
        yield from _end(run, State.ERROR, at, Reason.REBOOTED, words.rebooted(run))
    elif report.claim is Claim.PROGRAM:
        yield from _claimed(run, event)
    elif run.state is State.STARTING or (run.state is State.STOPPING and run.started_at is None):
        yield from _unclaimed(run, event)
    elif not event.knew:
        yield Look(run)  # this look was on its way when the journal told of the claim
    else:
        yield from _end(run, State.ERROR, at, Reason.SPOOL_GONE, words.spool_gone(run), lost=True)


def _sealed(run: Run, at: float) -> Iterator[Instruction]:
    """Never started, never will."""
    if run.state is State.STOPPING:
        yield from _end(run, State.SKIPPED, at, Reason.BY_HAND, words.stopped_before_start(run))
    elif run.state is State.STARTING:
        why = run.message if run.reason is Reason.HOST_REFUSED else words.too_late(run)
        yield from _end(run, State.ERROR, at, Reason.NOT_STARTED, why)
    else:
        yield from _end(run, State.ERROR, at, Reason.SPOOL_GONE, words.spool_gone(run), lost=True)


def _unclaimed(run: Run, event: Reported) -> Iterator[Instruction]:
    """No process has the claim yet. Whether one will is for the seal to say, or for another start."""
    report, at = event.report, event.at
    since = at - (run.starting_since or at)
    if run.state is State.STOPPING:
        if not event.sealing:
            yield StopProgram(run)
    elif run.reason is Reason.HOST_REFUSED and not report.exists:
        # Only a start makes the folder, and every start so far has been answered.
        yield from _end(run, State.ERROR, at, Reason.NOT_STARTED, run.message, cleaned=True)
    elif event.sealing:
        return  # the host could not even seal: the next sweep asks again
    elif report.refused is not None:
        said = replace(run, reason=Reason.HOST_REFUSED, message=report.refused or "the host refused to start it")
        yield Save(said, run.state, (_note(said, at, said.message),))
        yield Seal(said)
    elif run.reason is Reason.HOST_REFUSED or since > run.start_within:
        yield Seal(run)
    elif since > RESEND_AFTER:
        yield Start(run)


def _claimed(run: Run, event: Reported) -> Iterator[Instruction]:
    """A program got the claim and has no status yet."""
    report, at = event.report, event.at
    if not report.alive:
        yield from _end(run, State.ERROR, at, Reason.LOST, words.lost(run))
        return
    if run.state is State.STARTING:
        save = _moved(
            run,
            State.RUNNING,
            at,
            Reason.CLAIMED,
            words.running(report),
            pid=report.pid,
            started_at=report.started_at or at,
        )
        yield save
        run = save.run
    elif run.started_at is None:
        run = replace(run, pid=report.pid, started_at=report.started_at or at)
        yield Save(run, run.state)
    yield from _stop_goes_on(run, event)


def _stop_goes_on(run: Run, event: Reported) -> Iterator[Instruction]:
    """Somebody asked the program to end: the host's own timeout, or we; and it has not come to its end."""
    report, at = event.report, event.at
    if report.stopping is None:
        # A ladder takes a moment to say that it is there, and a second one would signal the program twice.
        if run.stop_asked is not None and not event.sealing and at - run.stop_asked.at > LADDER_WITHIN:
            yield StopProgram(run)
        return
    asked = run.stop_asked or StopAsked(
        at, "the host", report.stopping, run.program.stop.signal, run.program.stop.grace
    )
    if run.state is not State.STOPPING:
        why = words.stopping(report.stopping, run.program)
        save = _moved(run, State.STOPPING, at, words.reason_of(report.stopping), why, stop_asked=asked)
        yield save
        run = save.run
    elif run.survivors != report.survivors:
        named = replace(run, survivors=report.survivors, message=words.survivors(report.survivors))
        yield Save(named, run.state, (_note(named, at, named.message),))
        run = named
    if at - asked.at > asked.grace + CLIMB_AGAIN_AFTER:
        again = replace(run, stop_asked=replace(asked, at=at))
        yield Save(again, run.state)
        yield StopProgram(again)


def _ended(run: Run, event: Reported, outcome: Outcome, *, rebooted: bool) -> Iterator[Instruction]:
    """The program has ended. Where a stop is under way, the run has only when nobody of its tree is left."""
    report, at = event.report, event.at
    if report.stopping is not None and not rebooted and (not report.stop_done or report.survivors):
        if run.started_at is None:
            run = replace(run, pid=report.pid, started_at=report.started_at or at)
        yield from _stop_goes_on(run, event)
        return
    accepted = outcome.signal is None and outcome.exit_code in run.program.accept
    held = outcome.cause in (Cause.TIMEOUT, Cause.ABANDONED)  # Apsis: exit 0 after a timeout is a failure still
    state = State.SUCCESS if accepted and not held else State.FAILURE
    run = replace(
        run,
        outcome=outcome,
        survivors=(),
        pid=report.pid or run.pid,
        started_at=run.started_at or outcome.started_at or at,
    )
    yield from _end(run, state, at, words.reason_of_end(outcome), words.ended(outcome, run.program))


def _end(
    run: Run, state: State, at: float, reason: Reason, message: str, *, cleaned: bool = False, lost: bool = False
) -> Iterator[Instruction]:
    """The one way to a finished state. `cleaned`: nothing of it is on the host; `lost`: what was there is gone."""
    finished = run.outcome.ended_at if run.outcome and run.outcome.ended_at else at
    output = replace(run.output, lost=run.output.lost or lost, complete=run.output.complete or cleaned)
    save = _moved(
        run,
        state,
        at,
        reason,
        message,
        finished_at=finished,
        unreachable_since=None,
        cleaned=cleaned,
        output=output,
    )
    yield save
    if not cleaned:
        yield _rest(save.run)
    yield Consider(run.host)


def _rest(run: Run) -> Instruction:
    """What a finished run still needs."""
    return Clean(run) if run.output.complete or run.output.lost else Fetch(run)


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
            yield Save(replace(run, cleaned=True), run.state)


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
            yield from _end(run, State.SKIPPED, asked.at, Reason.BY_HAND, why, cleaned=True)
            continue
        why = f"{asked.by} asked it to end with {asked.signal}, KILL after {words.seconds(asked.grace)}"
        if run.state is State.STOPPING:
            again = replace(run, stop_asked=asked, message=why)
            yield Save(again, run.state, (_note(again, asked.at, why),))
            yield StopProgram(again)
        else:
            save = _moved(run, State.STOPPING, asked.at, Reason.STOP_ASKED, why, stop_asked=asked)
            yield save
            yield StopProgram(save.run)


# Rows ------------------------------------------------------------------------------------------------------------


def _moved(run: Run, state: State, at: float, reason: Reason, message: str, **changes: Any) -> Save:
    new = replace(run, state=move(run.state, state), reason=reason, message=message, **changes)
    return Save(new, run.state, (LogEntry(run.id, at, run.state, state, reason, message),))


def _note(run: Run, at: float, message: str) -> LogEntry:
    return LogEntry(run.id, at, run.state, run.state, run.reason, message)


_HANDLERS: dict[type, Callable[[View, Any], Iterator[Instruction]]] = {
    Submitted: submitted,
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
