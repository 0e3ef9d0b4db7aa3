"""The sentences of the run log: what people read of a decision. Rule: each tells no more than is known."""

from __future__ import annotations

import signal

from sshsched.domain import shape
from sshsched.domain.model import Cause, Outcome, Reason, Run, StopAsked
from sshsched.domain.view import HostView

SCHEDULE = "schedule"
"""Who asks for runs that are made by a schedule, and for their end."""
TIME_LIMIT = "its time limit"
"""Who asks for the end of a workflow that takes too long."""


def seconds(number: float) -> str:
    """90 s, 1.5 s: short, and with the unit."""
    return f"{number:.3f}".rstrip("0").rstrip(".") + " s"


def signal_name(number: int) -> str:
    """SIGTERM for 15, `signal 77` for one that this machine has no name for."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def created(run: Run) -> str:
    if run.finished:
        return run.message
    what = run.job_id or "an ad hoc command"
    if run.root is not None:
        what = f"step {run.step} of r{run.root}"
    where = f" on {run.asked}" if run.asked else ""
    if run.attempt > 1:
        return f"{what}{where}, attempt {run.attempt} after r{run.rerun_of}"
    if run.by == SCHEDULE:
        return f"{what}{where}, scheduled for {shape.iso(run.schedule_time)}"
    again = f", again after r{run.rerun_of}" if run.rerun_of is not None else ""
    return f"{what}{where}, asked for by {run.by or 'nobody'}{again}"


def too_late(run: Run) -> str:
    why = f" ({run.message})" if run.message else ""
    return f"not started within {seconds(run.start_within)}{why}"


def waits_for_host(name: str, host: HostView | None) -> str:
    """What follows "waits for "."""
    return f"a connection to {name}" if host is None or not host.problem else f"{name}: {host.problem}"


def running(pid: int | None) -> str:
    return f"process {pid}"


def rebooted(run: Run) -> str:
    if run.started_at is None:
        return (
            "the host was rebooted while it started; whether the program began is unknown, and it is not started again"
        )
    return "the host was rebooted while it ran, and the program left no status"


def lost(run: Run) -> str:
    return "the program is gone and left no status: it was killed together with its chaperone"


def spool_gone(run: Run) -> str:
    process = f"; process {run.pid} may still run" if run.pid else ""
    return f"its spool on the host was removed or damaged by somebody else{process}"


def stopped_before_start(run: Run) -> str:
    by = run.stop_asked.by if run.stop_asked else "somebody"
    return f"stopped by {by} before it started"


def stop_passed(run: Run) -> str:
    why = f" ({run.message})" if run.message else ""
    return f"its stop time, {shape.iso(run.stop_at)}, came before it could start{why}"


def root_stopped(root: Run, asked: StopAsked) -> str:
    """Why no step of a workflow begins any more."""
    if asked.cause is Cause.TIMEOUT and root.plan.flow is not None:
        return f"not finished within {seconds(root.plan.flow.finish_within or 0)}"
    return stopping(asked.cause, root) if asked.by == SCHEDULE else f"stopped by {asked.by}"


def asked_by(cause: Cause) -> str:
    """Who asked for a stop that we did not send: the host's timer of a stop time, or of a timeout."""
    return SCHEDULE if cause is Cause.STOP else "the host"


def stopping(cause: Cause, run: Run) -> str:
    if cause is Cause.TIMEOUT:
        return f"timeout after {seconds(run.program.timeout or 0)}"
    if cause is Cause.ABANDONED:
        return f"no scheduler showed itself for {seconds(run.program.abandon_after or 0)}"
    by_schedule = run.stop_at is not None and (run.stop_asked is None or run.stop_asked.by == SCHEDULE)
    return f"its stop time, {shape.iso(run.stop_at)}, came" if by_schedule else "it was asked to end"


def survivors(pids: tuple[int, ...]) -> str:
    if not pids:
        return "nobody of its tree is left"
    return "cannot be ended, even with KILL: process " + ", ".join(map(str, pids))


def reason_of(cause: Cause) -> Reason:
    return {Cause.TIMEOUT: Reason.TIMEOUT, Cause.ABANDONED: Reason.ABANDONED, Cause.STOP: Reason.STOP_ASKED}[cause]


def reason_of_end(outcome: Outcome) -> Reason:
    if outcome.cause is not None:
        return {Cause.TIMEOUT: Reason.TIMEOUT, Cause.ABANDONED: Reason.ABANDONED, Cause.STOP: Reason.STOPPED}[
            outcome.cause
        ]
    return Reason.EXITED if outcome.signal is None else Reason.SIGNALLED


def ended(outcome: Outcome, run: Run) -> str:
    """exit 3; killed by SIGTERM (timeout after 2 s)."""
    if outcome.signal is not None:
        how = f"killed by {signal_name(outcome.signal)}" + (" (core dumped)" if outcome.core else "")
    elif outcome.certain:
        how = f"exit {outcome.exit_code}"
    else:
        code = outcome.exit_code or 0
        how = f"exit {code}, or killed by {signal_name(code - 128)}: this host cannot tell"
    if outcome.cause is not None:
        how += f" ({stopping(outcome.cause, run)})"
    elif outcome.leftover:
        how += "; it left processes behind"
    return how
