"""What follows from what a host says of one run: the spool's word, in whatever state we believed the run to be.

Rule: what the host's spool says is the truth about a program; what we remember of it is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sshsched.domain import words
from sshsched.domain.events import Claim, Reported, StartRefused
from sshsched.domain.instructions import Instruction, Look, Save, Seal, StopProgram
from sshsched.domain.model import Cause, Outcome, Reason, Run, StopAsked
from sshsched.domain.saves import end, moved, note, start, stop_passed
from sshsched.domain.states import State
from sshsched.domain.view import View

RESEND_AFTER = 10.0  # seconds: a host that took longer to get from start to claim is asked again, which is harmless
LADDER_WITHIN = 2.0  # seconds in which a stop that was asked for shows on the host, or is asked for again
CLIMB_AGAIN_AFTER = 30.0  # seconds after the grace time: the ladder itself may have been killed


def start_refused(view: View, event: StartRefused) -> Iterator[Instruction]:
    """Nothing was launched; the seal makes sure of it."""
    run = view.runs.get(event.run_id)
    if run is not None and run.state is State.STARTING:
        said = replace(run, reason=Reason.HOST_REFUSED, message=event.message)
        yield Save(said, run.state, (note(said, event.at, event.message),))
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
        yield from end(run, State.ERROR, at, Reason.REBOOTED, words.rebooted(run))
    elif report.claim is Claim.PROGRAM:
        yield from _claimed(run, event)
    elif run.state is State.STARTING or (run.state is State.STOPPING and run.started_at is None):
        yield from _unclaimed(run, event)
    elif not event.knew:
        yield Look(run)  # this look was on its way when the journal told of the claim
    else:
        yield from end(run, State.ERROR, at, Reason.SPOOL_GONE, words.spool_gone(run), lost=True)


def _sealed(run: Run, at: float) -> Iterator[Instruction]:
    """Never started, never will; unless we know better, and our own stop has sealed where a spool had been removed."""
    if run.state is State.STOPPING and run.started_at is None:
        yield from end(run, State.SKIPPED, at, Reason.BY_HAND, words.stopped_before_start(run), never=True)
    elif run.state is State.STARTING:
        why = words.stop_passed(run) if stop_passed(run, at) else words.too_late(run)
        why = run.message if run.reason is Reason.HOST_REFUSED else why
        yield from end(run, State.ERROR, at, Reason.NOT_STARTED, why, never=True)
    else:
        yield from end(run, State.ERROR, at, Reason.SPOOL_GONE, words.spool_gone(run), lost=True)


def _unclaimed(run: Run, event: Reported) -> Iterator[Instruction]:
    """No process has the claim yet. Whether one will is for the seal to say, or for another start."""
    report, at = event.report, event.at
    since = at - (run.starting_since or at)
    if run.state is State.STOPPING:
        if not event.sealing:
            yield StopProgram(run)
    elif run.reason is Reason.HOST_REFUSED and not report.exists:
        # Only a start makes the folder, and every start so far has been answered. A seal may still be on its way.
        yield from end(run, State.ERROR, at, Reason.NOT_STARTED, run.message, never=True)
    elif event.sealing:
        return  # the host could not even seal: the next sweep asks again
    elif report.refused is not None:
        said = replace(run, reason=Reason.HOST_REFUSED, message=report.refused or "the host refused to start it")
        yield Save(said, run.state, (note(said, at, said.message),))
        yield Seal(said)
    elif run.reason is Reason.HOST_REFUSED or since > run.start_within:
        yield Seal(run)
    elif since > RESEND_AFTER:
        yield start(run, at)


def _claimed(run: Run, event: Reported) -> Iterator[Instruction]:
    """A program got the claim and has no status yet."""
    report, at = event.report, event.at
    if not report.alive:
        yield from end(run, State.ERROR, at, Reason.LOST, words.lost(run))
        return
    if run.state is State.STARTING:
        save = moved(
            run,
            State.RUNNING,
            at,
            Reason.CLAIMED,
            words.running(report.pid),
            pid=report.pid,
            started_at=_between(run, report.started_at, at),
        )
        yield save
        run = save.run
    elif run.started_at is None:
        run = replace(run, pid=report.pid, started_at=_between(run, report.started_at, at))
        yield Save(run, run.state)
    yield from _stop_goes_on(run, event)


def _stop_goes_on(run: Run, event: Reported) -> Iterator[Instruction]:
    """Somebody asked the program to end: the host by its own timers, or we; and it has not come to its end."""
    report, at = event.report, event.at
    if report.stopping is None:
        # A ladder takes a moment to say that it is there, and a second one would signal the program twice.
        if run.stop_asked is not None and not event.sealing and at - run.stop_asked.at > LADDER_WITHIN:
            yield StopProgram(run)
        return
    asked = run.stop_asked or StopAsked(
        at, words.asked_by(report.stopping), report.stopping, run.program.stop.signal, run.program.stop.grace
    )
    if run.state is not State.STOPPING:
        why = words.stopping(report.stopping, run)
        save = moved(run, State.STOPPING, at, words.reason_of(report.stopping), why, stop_asked=asked)
        yield save
        run = save.run
    elif run.survivors != report.survivors:
        named = replace(run, survivors=report.survivors, message=words.survivors(report.survivors))
        yield Save(named, run.state, (note(named, at, named.message),))
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
            run = replace(run, pid=report.pid, started_at=_between(run, report.started_at, at))
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
        started_at=run.started_at or _between(run, outcome.started_at, at),
    )
    yield from end(run, state, at, words.reason_of_end(outcome), words.ended(outcome, run))


def _between(run: Run, moment: float | None, at: float) -> float:
    """A moment that the host told, put between the intent and now: on our clock it is off by some milliseconds."""
    return max(run.starting_since or 0.0, min(at if moment is None else moment, at))
