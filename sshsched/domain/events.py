"""What happens: small frozen data, nothing else.

Rule: an effect never changes a run. It posts an event, and `decide()` says what that means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sshsched.domain.instructions import Notice, SaveCursor
from sshsched.domain.model import Cause, Outcome, Output, Run, StopAsked
from sshsched.domain.states import State
from sshsched.domain.view import Fact

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
class Restarted:
    """A scheduler has taken up its live runs: the time to ask again what waits."""

    at: float


@dataclass(frozen=True, slots=True)
class Submitted:
    """New runs, with ids, as the first thing known of them. `follows` is the run whose action asked for them.

    `taken` are steps of a workflow that has ended, which the one new run takes over.
    """

    at: float
    runs: tuple[Run, ...]
    follows: int | None = None
    taken: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Schedules were asked what has fallen due: their new runs, and how far each schedule has come with them."""

    at: float
    runs: tuple[Run, ...]
    cursors: tuple[SaveCursor, ...]


@dataclass(frozen=True, slots=True)
class Woken:
    """The time of these runs has come: for whatever they had waited until now."""

    at: float
    run_ids: tuple[int, ...]


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
class Asked:
    """The time to ask a waiting run's conditions: said when something that it waits for may have changed."""

    at: float
    run_id: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A run has just been saved in another state, or for the first time: the time to see what follows from that."""

    at: float
    old: Run | None
    run: Run


@dataclass(frozen=True, slots=True)
class Advanced:
    """A step of a workflow has moved, or its root has begun: the time to see which steps begin now.

    `step` is the step of the run that moved; without it everything is looked at.
    """

    at: float
    root: int
    step: str = ""


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a step of a workflow hands on has been looked for in its output; `missing` says what is not there."""

    at: float
    root: int
    run_id: int
    values: Mapping[str, str]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Learnt:
    """A probe has answered."""

    at: float
    key: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class HoldWanted:
    """Somebody wants nothing of this to start: `keys` are job:NAME, host:NAME, or * for everything."""

    at: float
    run_ids: tuple[int, ...]
    keys: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class ReleaseWanted:
    """Somebody lets go what was held."""

    at: float
    run_ids: tuple[int, ...]
    keys: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class StartWanted:
    """Somebody wants waiting or scheduled runs to start now, past their conditions."""

    at: float
    run_ids: tuple[int, ...]
    by: str


@dataclass(frozen=True, slots=True)
class MarkWanted:
    """Somebody knows better how finished runs are to be taken. They are given as the store has them."""

    at: float
    runs: tuple[Run, ...]
    state: State
    by: str


@dataclass(frozen=True, slots=True)
class Told:
    """Jobs and the last day were looked at: what is to be told of them, and up to when they have been looked at."""

    at: float
    cursors: tuple[SaveCursor, ...]
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Delivered:
    """A notice was delivered, or was not: here it is as it stands now. `note` is what the log says of that, if it is
    news."""

    at: float
    notice: Notice
    note: str = ""


@dataclass(frozen=True, slots=True)
class FailedWanted:
    """Somebody wants the failed steps of live workflows to run again."""

    at: float
    run_ids: tuple[int, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Swept:
    """Time for the slow look at everything on a host: it catches what no journal line could tell."""

    host: str


Event = (
    Restarted
    | Submitted
    | TimePassed
    | Woken
    | Asked
    | Moved
    | Advanced
    | Extracted
    | Learnt
    | HoldWanted
    | ReleaseWanted
    | StartWanted
    | MarkWanted
    | FailedWanted
    | HostUp
    | HostDown
    | StartRefused
    | Reported
    | Fetched
    | StopWanted
    | Cleaned
    | Told
    | Delivered
    | Considered
    | Swept
)
