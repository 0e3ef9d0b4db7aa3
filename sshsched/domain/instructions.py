"""What is to be done: small frozen data, nothing else.

Rule: the saves of a turn are performed in one transaction before anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sshsched.domain.draft import Draft
from sshsched.domain.model import LogEntry, Reason, Run
from sshsched.domain.plan import Deed
from sshsched.domain.states import State
from sshsched.domain.view import Probe


@dataclass(frozen=True, slots=True)
class Save:
    """Store this run. `old` is the state it must still have there (None: it must not exist); `log` is its new rows.

    The engine performs all saves of a turn in one transaction before anything else.
    """

    run: Run
    old: State | None
    log: tuple[LogEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class SaveCursor:
    """Store up to which instant a schedule of a job has been asked: in the transaction that stores what fell due.

    `until` of None forgets the schedule. `note` is a new row of the job's log, if it says anything.
    """

    job_id: str
    schedule: str
    until: float | None
    at: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class SaveHold:
    """Store that something is held back, and in whose words; None lets it go."""

    key: str
    words: str | None


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that somebody is to be told. It is delivered at least once, each time with the same id.

    `facts` is what is told: the run's JSON shape as it was then, or what a job's alert says.
    """

    id: str
    deed: Deed
    occasion: str
    facts: Mapping[str, Any]
    made_at: float
    run_id: int | None = None
    job_id: str | None = None
    tries: int = 0
    next_at: float = 0.0
    problem: str = ""
    done_at: float | None = None


@dataclass(frozen=True, slots=True)
class SaveNotice:
    """Store a notice as it is now; one that is new or not done is looked after by whoever delivers it.

    `note` is a new row in the log of its run, or else of its job, at the time `at`, if it says anything.
    """

    notice: Notice
    at: float = 0.0
    note: str = ""


Saving = Save | SaveCursor | SaveHold | SaveNotice


@dataclass(frozen=True, slots=True)
class Consider:
    """Say Considered of this host when all other events of the turn have been decided."""

    host: str


@dataclass(frozen=True, slots=True)
class Reconsider:
    """Say Asked of this run in this turn."""

    run_id: int


@dataclass(frozen=True, slots=True)
class Advance:
    """Say Advanced of this root in this turn, once all else has been decided. `step` is what moved; "" is anything."""

    root: int
    step: str = ""


@dataclass(frozen=True, slots=True)
class Stir:
    """Ask again what waits for this key: see `domain/keys.py`."""

    key: str


@dataclass(frozen=True, slots=True)
class Park:
    """A waiting run that is blocked: it is asked again when one of the keys is stirred, or when its time has come."""

    run_id: int
    on: tuple[str, ...]
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Over:
    """How a run is over before it began, and why; `took` is the run whose end it takes over, if it does that."""

    state: State
    reason: Reason
    why: str
    took: Run | None = None


@dataclass(frozen=True, slots=True)
class Make:
    """Make a run in this turn. `not_before` is the time from which it may start, in seconds since 1970.

    One that is over is only there to be seen: nothing is asked of any host. `follows` is the run whose action asks for
    it: the log of that one names the new one.
    """

    draft: Draft
    not_before: float | None = None
    follows: int | None = None
    over: Over | None = None


@dataclass(frozen=True, slots=True)
class Extract:
    """Find what a step hands on in its output, which is whole here: the answer comes as Extracted."""

    run: Run
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ask:
    """Find out a fact on a host: the answer comes as Learnt."""

    probe: Probe


@dataclass(frozen=True, slots=True)
class Start:
    """Send the start of this run. Sending twice starts once.

    The host ends it after `stop_in` seconds, which is what is left until the run's stop time.
    """

    run: Run
    stop_in: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """Look at this run's spool, and bring what output there is once it has ended."""

    run: Run


@dataclass(frozen=True, slots=True)
class Seal:
    """Make sure that this run never starts, or learn that it has."""

    run: Run


@dataclass(frozen=True, slots=True)
class StopProgram:
    """Let the host climb the stop ladder. Asking again is harmless."""

    run: Run


@dataclass(frozen=True, slots=True)
class Fetch:
    """Bring the rest of the output of a run that has ended."""

    run: Run


@dataclass(frozen=True, slots=True)
class Clean:
    """Remove the spool: outcome and output are durable here."""

    run: Run


Instruction = (
    Saving
    | Consider
    | Reconsider
    | Advance
    | Stir
    | Park
    | Make
    | Ask
    | Extract
    | Start
    | Look
    | Seal
    | StopProgram
    | Fetch
    | Clean
)
