"""Runs and what belongs to them: frozen data, no behaviour beyond what follows from the fields alone.

Times are seconds since 1970-01-01T00:00Z as floats, on the scheduler's clock. Durations are seconds. Sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from sshsched.domain.plan import NO_PLAN, Plan
from sshsched.domain.program import GRACE, Program
from sshsched.domain.states import FINISHED, ON_HOST, State

START_WITHIN = 3600.0

Stream = Literal["stdout", "stderr"]
STREAMS: tuple[Stream, ...] = ("stdout", "stderr")


class Reason(StrEnum):
    """Why a run made its last move: the closed list that scripts may rely on."""

    CREATED = "created"
    DUE = "due"
    HOST_READY = "host-ready"
    CLAIMED = "claimed"
    STOP_ASKED = "stop-asked"
    TIMEOUT = "timeout"
    ABANDONED = "abandoned"
    EXITED = "exited"
    SIGNALLED = "signalled"
    STOPPED = "stopped"
    BY_HAND = "by-hand"
    READY = "ready"
    STEPS = "steps"
    """A workflow: its steps have come to an end."""
    # Without an outcome from the program:
    NOT_STARTED = "not-started"
    HOST_REFUSED = "host-refused"
    LOST = "lost"
    REBOOTED = "rebooted"
    SPOOL_GONE = "spool-gone"
    CONFIG = "config"
    CONDITION = "condition"
    UPSTREAM_FAILED = "upstream-failed"
    """A step that this one needs has failed, or was skipped for that."""
    TAKEN_OVER = "taken-over"
    """A step of a workflow that takes up another: it ended so there."""
    NOT_NEEDED = "not-needed"
    """A step whose case did not come about: there was no failure to answer, or nothing to repeat it for."""


class Cause(StrEnum):
    """Who asked a program to end before its time."""

    STOP = "stop"
    TIMEOUT = "timeout"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Spool:
    """Where a run's truth lies on its host. Committed before the first byte of a start is sent."""

    path: str
    boot: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended, as far as the host could tell.

    `exit_code` and `signal` exclude each other. `certain` is False where the host cannot tell an exit code above 128
    from a death by signal; then `exit_code` holds what the shell said. What is None is unknown.
    """

    exit_code: int | None = None
    signal: int | None = None
    certain: bool = True
    core: bool = False
    cause: Cause | None = None
    started_at: float | None = None
    ended_at: float | None = None
    cpu_user: float | None = None
    cpu_system: float | None = None
    max_rss: int | None = None
    leftover: bool = False
    """Processes of the program's group outlived it."""


@dataclass(frozen=True, slots=True)
class Output:
    """What has been fetched and is durable here, byte for byte."""

    stdout: int = 0
    stderr: int = 0
    complete: bool = False
    """Nothing is missing: all that the program had written by its end has been fetched."""
    lost: bool = False
    """The rest cannot be had any more: the spool is gone."""
    stdout_sha256: str | None = None
    stderr_sha256: str | None = None
    """Of all bytes that are kept here, taken when the run was cleaned; None before that, and where there are none."""


@dataclass(frozen=True, slots=True)
class StopAsked:
    """A wish to end a run, kept until it has come true."""

    at: float
    by: str
    cause: Cause = Cause.STOP
    signal: str = "TERM"
    grace: float = GRACE


@dataclass(frozen=True, slots=True)
class Run:
    """One instance of a job, or an ad hoc command, with all it needs: nothing is read from a job file again."""

    id: int
    host: str
    """Where it runs, once that has been decided; empty before, and for a root run."""
    program: Program
    created_at: float
    state: State
    asked: str = ""
    """What was asked for: a host, @GROUP, or tags:A,B. Empty in a root run."""
    key: str = ""
    """Part of the spool's name that no other run of any scheduler has, also not one of a store that was set back."""
    job_id: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    by: str = ""
    attempt: int = 1
    rerun_of: int | None = None
    """The run that this one repeats: by hand, or as the next attempt if `attempt` is above 1."""
    retried_by: int | None = None
    """The next attempt of this one."""
    root: int | None = None
    """The root run of the workflow that this one is a step of."""
    step: str = ""
    plan: Plan = NO_PLAN
    schedule_time: float | None = None
    not_before: float | None = None
    """The time before which it does not start, apart from its schedule: of another attempt."""
    start_within: float = START_WITHIN
    stop_rule: str = ""
    """When its schedule ends it, as text that `kinds.options` reads: a rerun works out its own time from this."""
    stop_at: float | None = None
    """When its schedule ends it; the host sees to that alone."""
    reason: Reason = Reason.CREATED
    message: str = ""
    waiting_since: float | None = None
    ready_since: float | None = None
    """Since when nothing but a place on a host is missing."""
    forced: bool = False
    """Somebody had it start past its conditions."""
    held: str = ""
    """Who holds it back, and since when; empty if nobody does."""
    warned: tuple[str, ...] = ()
    """The warnings that have been given: late, long."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What it hands on to later steps."""
    starting_since: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    spool: Spool | None = None
    pid: int | None = None
    stop_asked: StopAsked | None = None
    unreachable_since: float | None = None
    survivors: tuple[int, ...] = ()
    outcome: Outcome | None = None
    output: Output = Output()
    cleaned: bool = False
    """Nothing of this run is left on its host, or nothing ever was."""

    @property
    def name(self) -> str:
        """r123"""
        return f"r{self.id}"

    @property
    def finished(self) -> bool:
        return self.state in FINISHED

    @property
    def on_host(self) -> bool:
        return self.state in ON_HOST

    @property
    def settled(self) -> bool:
        """Finished, its output here, and nothing left to do for it anywhere."""
        return self.finished and self.cleaned

    @property
    def due_at(self) -> float:
        """The time from which it is late."""
        if self.not_before is not None:
            return self.not_before
        return self.created_at if self.schedule_time is None else self.schedule_time


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One row of the run log: a move, or a note where `old` equals `new`."""

    run_id: int
    at: float
    old: State | None
    new: State
    reason: Reason
    message: str


def run_id(text: str) -> int | None:
    """The number in `r123` (or plain `123`); None if the text is no run id."""
    digits = text[1:] if text[:1] == "r" else text
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None
