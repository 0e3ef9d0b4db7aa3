"""What happens (events) and what is to be done (instructions): small frozen data, nothing else.

Rule: an effect never changes a run. It posts an event, and `decide()` says what that means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sshsched.domain.model import Cause, LogEntry, Outcome, Output, Run, StopAsked
from sshsched.domain.states import State

# What a host says ------------------------------------------------------------------------------------------------


class Claim(StrEnum):
    """Who holds a run's claim."""

    NONE = "none"
    PROGRAM = "program"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Report:
    """What one look at one spool showed. `boot` is the host's boot id at that moment."""

    boot: str
    exists: bool = True
    claim: Claim = Claim.NONE
    pid: int | None = None
    started_at: float | None = None
    alive: bool = False
    """The program, or the chaperone that is about to publish its status, lives."""
    outcome: Outcome | None = None
    refused: str | None = None
    """The host's own words on why the program could not be started; None if it did not refuse."""
    stopping: Cause | None = None
    """Somebody asked the program to end: we, or the host by itself."""
    stop_done: bool = False
    """The stop ladder has come to its end; `survivors` names whom it could not end."""
    survivors: tuple[int, ...] = ()


# Events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Submitted:
    """New runs, with ids, as the first thing known of them."""

    at: float
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Schedules were asked what has fallen due: their new runs, and how far each schedule has come with them."""

    at: float
    runs: tuple[Run, ...]
    cursors: tuple[SaveCursor, ...]


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed."""

    at: float


@dataclass(frozen=True, slots=True)
class HostUp:
    """A host answered hello; its older shells are gone."""

    at: float
    host: str
    boot: str
    spool: str


@dataclass(frozen=True, slots=True)
class HostDown:
    """A host cannot be talked to. Said again when the reason changes."""

    at: float
    host: str
    message: str
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class StartRefused:
    """The host answered a start by saying that it cannot: nothing was launched."""

    at: float
    run_id: int
    message: str


@dataclass(frozen=True, slots=True)
class Reported:
    """A look at a run's spool came back, with the output that is durable here since then, if any came along.

    `sealing` tells that the host had been asked to seal or to stop the run just before. `knew` is False if nothing was
    known of a claim when the host was asked: the journal may have told of one since.
    """

    at: float
    run_id: int
    report: Report
    output: Output | None = None
    sealing: bool = False
    knew: bool = True


@dataclass(frozen=True, slots=True)
class Fetched:
    """Output arrived and is durable here."""

    at: float
    run_id: int
    output: Output


@dataclass(frozen=True, slots=True)
class StopWanted:
    """Somebody wants runs to end: skipped before they start, stopped after."""

    run_ids: tuple[int, ...]
    asked: StopAsked


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The spools of these runs are gone. `sums` are the checksums of their standard output and error."""

    at: float
    run_ids: tuple[int, ...]
    sums: Mapping[int, tuple[str | None, str | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Considered:
    """The time to start what can be started on this host: said at the end of each turn that may have changed that."""

    at: float
    host: str


@dataclass(frozen=True, slots=True)
class Swept:
    """Time for the slow look at everything on a host: it catches what no journal line could tell."""

    host: str


Event = (
    Submitted
    | TimePassed
    | Ticked
    | HostUp
    | HostDown
    | StartRefused
    | Reported
    | Fetched
    | StopWanted
    | Cleaned
    | Considered
    | Swept
)

# Instructions ----------------------------------------------------------------------------------------------------


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


Saving = Save | SaveCursor


@dataclass(frozen=True, slots=True)
class Consider:
    """Say Considered of this host when all other events of the turn have been decided."""

    host: str


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


Instruction = Saving | Consider | Start | Look | Seal | StopProgram | Fetch | Clean


# What a decision may look at -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HostView:
    """A host as decisions see it. `slots` of None is no limit."""

    name: str
    slots: int | None = None
    up: bool = False
    boot: str = ""
    spool: str = ""
    since: float = 0.0
    problem: str = ""
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """All live runs and all hosts that matter to them."""

    runs: Mapping[int, Run]
    by_host: Mapping[str, Mapping[int, Run]]
    """The runs that are on their host, or have ended there and are not cleaned."""
    waiting: Mapping[str, Mapping[int, Run]]
    """The runs that wait for their host, oldest first."""
    hosts: Mapping[str, HostView]
