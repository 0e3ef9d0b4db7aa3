"""What stands between a run's time and its start, and between its end and what follows: data that the run carries.

Rule: plain data only. What a kind of condition or action means is for `kinds/` to say, so a stored run whose kind is
gone still loads and shows. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sshsched.domain.program import Program

Then = Literal["error", "skip"]
When = Literal["success", "failure", "always"]

STRATEGIES = ("round_robin", "random", "least_busy", "first", "sticky", "all")
"""How hosts are chosen out of a group; `all` is a run on each."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition as data: its kind, the options of that kind, and how long it may hold a run.

    After `max_wait` seconds of waiting the run ends as `then` says; None is no limit but the run's own.
    """

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    max_wait: float | None = None
    then: Then = "error"


@dataclass(frozen=True, slots=True)
class Deed:
    """An action as data: its kind, the options of that kind, and the occasions that it answers.

    Occasions are the states, and `retry` (an attempt ended, and another follows), `held` (a workflow waits for a
    decision), `late` (not started in time), `long` (still running). Texts in the options are filled in when one comes.
    """

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """How often, when and after what a run is tried again by itself.

    The pause before attempt n + 1 is `delay * factor ** (n - 1)` seconds, at most `longest`, and up to the share
    `jitter` of it more. `on` lists outcomes: failure, error, timeout, signal, or exit codes as text.
    """

    count: int = 0
    delay: float = 0.0
    factor: float = 1.0
    longest: float = 3600.0
    jitter: float = 0.0
    on: tuple[str, ...] = ("failure", "error")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a workflow. Its texts may hold `{{ }}`, which are filled in when its needs are met.

    Every step that begins becomes a run of its own (`Run.root`, `Run.step`).
    """

    name: str
    """Unique in its workflow: build, or test[os=debian]."""
    host: str
    program: Program
    job: str = ""
    """The job that it is a run of; its texts know that job's params, and nothing of the workflow."""
    args: Mapping[str, str] = field(default_factory=dict)
    """What that job's params are, all of them; these texts do know the workflow."""
    needs: tuple[str, ...] = ()
    when: When = "success"
    """What its needs must have come to: all success; an end, and a failure among or before them; or just an end."""
    variables: Mapping[str, str] = field(default_factory=dict)
    foreach: str = ""
    """A template that gives the items for which this step is repeated, known only when its needs are met."""
    until: str = ""
    """A template: the step is repeated until it gives true, at most `most` times."""
    most: int = 1
    pause: float = 0.0
    """Seconds from the end of one round to the next."""
    bound: bool = False
    """Its texts have been filled in: braces in them are meant as they are."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """What it hands on: a name, and how it is found in its standard output (a regular expression, or json, last_line
    or text)."""
    max_parallel: int | None = None
    """Of a step that is repeated: how many of it run at once; a matrix counts as one step. None is no limit."""
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """The steps of a workflow, and what follows when one of them fails.

    `on_failure` of "hold" keeps the root live, and waiting for somebody, when nothing more can begin. After more than
    `max_fail` failed steps nothing begins any more but what answers failures; None is no limit. It is stopped
    `finish_within` seconds after it began. At most `max_parallel` of its steps run at once.
    """

    steps: tuple[Step, ...]
    on_failure: Literal["hold", "fail"] = "hold"
    max_fail: int | None = None
    finish_within: float | None = None
    max_parallel: int | None = None


@dataclass(frozen=True, slots=True)
class Fan:
    """How a run on all hosts of a group proceeds.

    The first `canary` hosts go before the rest. After more than `max_fail` failures no further host begins; None is no
    limit.
    """

    max_fail: int | None = None
    canary: int = 0


NO_FAN = Fan()
"""All at once, whatever becomes of them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All decisions about a run that were made in its job file."""

    conditions: tuple[Rule, ...] = ()
    max_wait: float | None = None
    """How long all conditions together may hold it; `then` says what follows."""
    then: Then = "error"
    actions: tuple[Deed, ...] = ()
    retry: Retry = Retry()
    idempotent: bool = False
    """It may be tried again also where nobody knows whether its program ended."""
    locks: Mapping[str, int] = field(default_factory=dict)
    """How much of each named lock it holds from its start to its end."""
    rooms: Mapping[str, int] = field(default_factory=dict)
    """How much there is of those among its locks that belong to its workflow alone."""
    priority: int = 0
    """Higher starts first where slots or locks are short."""
    strategy: str = ""
    """How a host is chosen out of a group, instead of the group's own way."""
    fan: Fan = NO_FAN
    """With the strategy `all`, instead of the group's own."""
    late_after: float | None = None
    """Seconds after which a run that has not started is `late`."""
    long_after: float | None = None
    """Seconds after which a program that still runs is `long`."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the program, and the name of the secret that each holds. Never the secret itself."""
    flow: Flow | None = None
    """The steps of a workflow: then this run is its root, and has no program of its own."""


NO_PLAN = Plan()
"""Nothing stands between."""
