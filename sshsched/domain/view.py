"""What a decision may look at, and the questions that it may ask of kinds.

Rule: asking changes nothing. The same view gives the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sshsched.domain.line import Lines
from sshsched.domain.model import Run
from sshsched.domain.plan import NO_FAN, Fan, Plan, Rule
from sshsched.domain.states import State
from sshsched.domain.steps import Steps

if TYPE_CHECKING:
    from sshsched.domain.draft import Draft
    from sshsched.domain.instructions import Make, SaveNotice


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
class Group:
    """The hosts that an @GROUP or tags:A,B stands for at this moment, and how one of them is chosen."""

    hosts: tuple[str, ...]
    strategy: str = "round_robin"
    fan: Fan = NO_FAN


# Conditions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Probe:
    """A question to a host: sh text whose exit code 0 means yes, asked again every so many seconds.

    The host ends it after `limit` seconds, which is a no.
    """

    host: str
    script: str
    every: float = 10.0
    limit: float = 30.0

    @property
    def key(self) -> str:
        return f"probe:{self.host}:{self.script}"


@dataclass(frozen=True, slots=True)
class Fact:
    """What a probe answered: yes or no, and the host's words; or why it could not be asked."""

    at: float
    ok: bool
    words: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """The condition holds now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """It does not hold yet: why, in words that follow "waits for ", and when it is worth asking again.

    `on` are keys (`domain/keys.py`), `until` is a time in seconds since 1970, `probe` is what has to be found out.
    """

    why: str
    on: tuple[str, ...] = ()
    until: float | None = None
    probe: Probe | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """It can never hold: the run ends in this state, with these words."""

    why: str
    state: State = State.ERROR


Answer = Ready | Wait | Never


class Past(Protocol):
    """The finished runs that decisions no longer hold: asked by index, and quick."""

    def found(
        self,
        job_id: str,
        args: Mapping[str, str],
        states: frozenset[State],
        since: float,
        shared: Mapping[str, str] = {},
    ) -> int | None:
        """The id of the newest run of a job in one of these states, finished since then, whose args hold these.

        Of `shared`, it must hold those that have the name of an arg which the job's newest run has. Steps of workflows
        do not count, nor runs after which another attempt was made.
        """

    def names(self, job_id: str) -> frozenset[str] | None:
        """The names of the args of a job's newest run; None if it has had none."""


class Rules(Protocol):
    """The kinds of conditions and actions, and templates. What is wrong with a kind is an answer about that run."""

    def ask(self, rule: Rule, run: Run, view: View, at: float) -> Answer:
        """Whether a condition of a run holds."""

    def plan(self, plan: Plan, fill: Callable[[str, str], str]) -> Plan:
        """A plan with its texts filled in by `fill(where, text)`. Raises ValueError with what is wrong."""

    def fill(self, text: str, values: Mapping[str, Any]) -> str:
        """A text with its templates filled in. Raises ValueError with the reason."""

    def draft(self, job_id: str, args: Mapping[str, str], spare: Mapping[str, str], by: str) -> Draft:
        """A run of another job as that is now. Params that `args` leaves out are taken from `spare`, by name.

        Raises ValueError, with what is wrong.
        """

    def follow(self, run: Run, occasion: str, view: View, at: float) -> Sequence[Make | SaveNotice]:
        """What the actions of a run do on an occasion; see `Deed.on`."""


@dataclass(frozen=True, slots=True)
class View:
    """All live runs, and all that matters to them. What is asked for by name and missing is empty or free."""

    runs: Mapping[int, Run]
    by_host: Mapping[str, Mapping[int, Run]]
    """The runs that are on their host, or have ended there and are not cleaned."""
    waiting: Lines
    """The runs that are ready and wait for a place, by what they asked for."""
    busy: Mapping[str, int]
    """How many runs are on each host."""
    parked: Mapping[str, Lines]
    """The runs that wait for a key, by what they asked for."""
    hosts: Mapping[str, HostView]
    by_job: Mapping[str, Mapping[int, Run]]
    """The live runs of a job, and those that ended in this turn, steps of workflows apart: by the keys of `keys.job`,
    with args and without, the oldest first."""
    running: Mapping[str, Mapping[int, Run]]
    """Those of them that are on their hosts."""
    names: Mapping[str, frozenset[str]]
    """The names of the args of the newest run of each job that has had one since the scheduler began."""
    by_root: Mapping[int, Steps]
    """The runs of the steps of a live root, ended or not."""
    locks: Mapping[str, Mapping[int, int]]
    """Who holds a named lock: run ids, and how much of it each has."""
    capacity: Mapping[str, int]
    """How much of a lock there is; one of each that is not named."""
    holds: Mapping[str, str]
    """What is held back (job:NAME, host:NAME, *), and in whose words."""
    facts: Mapping[str, Fact]
    groups: Mapping[str, Group]
    """What an @GROUP or tags:A,B stands for now."""
    turns: Mapping[str, int]
    """How many runs each group has been given a host for: where round robin goes on."""
    past: Past
    rules: Rules
