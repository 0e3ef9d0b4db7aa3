"""A job as its file describes it, and what becomes of it once its args are known.

Rule: binding is pure. It fills in templates through the `render` that it is given, and its result needs no job file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

from sshsched.domain.draft import ASKED
from sshsched.domain.filling import filled_program
from sshsched.domain.model import START_WITHIN
from sshsched.domain.plan import NO_PLAN, Deed, Plan
from sshsched.domain.program import Program
from sshsched.domain.retention import Retention
from sshsched.errors import UsageError
from sshsched.kinds.plans import bind_plan

if TYPE_CHECKING:  # most commands meet a job without asking for its times
    from sshsched.domain.filling import Fill
    from sshsched.kinds.calendars import Calendar
    from sshsched.kinds.options import Options
    from sshsched.kinds.programs.written import Written
    from sshsched.kinds.schedules.base import Schedule

# What may stand where a user is named, also after templates have been filled in: nothing that sudo could take for an
# option. It may be a number, written #1000.
USER_NAME: Final = r"[A-Za-z0-9_.#][A-Za-z0-9_.@#\\-]*\$?"

Render = Callable[[str, Mapping[str, str]], str]
"""Fills in one text. Raises ValueError with the reason."""


@dataclass(frozen=True, slots=True)
class Param:
    """Something to be said anew for each run. Without a default it must be given; no choices means anything goes."""

    name: str
    default: str | None = None
    choices: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """When runs of a job are due, and with which args and options. Where it stands in its file is no part of it."""

    schedule: Schedule
    options: Options
    line: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Expect:
    """On each date of a calendar, a run of the job has succeeded by a time of day, or somebody is told.

    `deeds` say who is told; where there are none, those of the settings that answer `absent` do.
    """

    success_by: time
    tz: str
    calendar: Calendar
    deeds: tuple[Deed, ...] = ()
    line: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Job:
    """A template of runs. Texts in it may hold `{{ }}` until they are bound.

    Two jobs are equal if they do the same, wherever in the file they stand.
    """

    id: str
    host: str
    program: Program
    params: tuple[Param, ...] = ()
    description: str = ""
    labels: tuple[str, ...] = ()
    start_within: float = START_WITHIN
    plan: Plan = NO_PLAN
    schedules: tuple[Scheduled, ...] = ()
    expects: tuple[Expect, ...] = ()
    written: Written | None = None
    """A program of somebody's kind; then `program` is only what the job says beside it."""
    retention: Retention | None = None
    """How long its runs are kept; None: as those of all others."""
    file: str = field(default="", compare=False)
    line: int = field(default=1, compare=False)
    places: Mapping[str, int] = field(default_factory=dict, compare=False)
    """The lines of what may be wrong only beside other files: `condition[0]`, `action[1]`, `host`, `locks`."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The fields of a run that come from its job and args."""

    job_id: str
    host: str
    program: Program
    args: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    start_within: float = START_WITHIN
    plan: Plan = NO_PLAN


def bind(job: Job, args: Mapping[str, str], render: Render, at: float | None = None) -> Bound:
    """The job with these args, for a run that is scheduled at an instant.

    Texts may use the args, `job_id`, and `schedule_time` if the instant is given; a param of such a name goes before.
    Raises UsageError naming every arg that is missing, unknown or not among the choices.
    """
    whole = bind_args(job, args)
    time = {} if at is None else {"schedule_time": datetime.fromtimestamp(at, UTC).isoformat()}
    values = {"job_id": job.id, **time, **whole}

    def fill(where: str, text: str) -> str:
        try:
            filled = render(text, values)
        except ValueError as error:
            raise UsageError(f"job '{job.id}': {where}: {error}") from None
        if "\0" in filled:
            raise UsageError(f"job '{job.id}': {where}: a NUL character cannot be handed to any program")
        return filled

    if job.plan.flow is not None:  # its steps are filled in one by one, when they begin
        return Bound(job.id, "", job.program, whole, job.labels, job.start_within, _bound_plan(job, fill))
    filled = filled_program(job.program, fill)
    if job.written is not None:
        filled = _kinded(job, job.written, filled, fill)
    if filled.user is not None:
        _named(job, "user", filled.user, USER_NAME)
    host = _named(job, "host", fill("host", job.host), ASKED.pattern)
    return Bound(job.id, host, filled, whole, job.labels, job.start_within, _bound_plan(job, fill))


def _bound_plan(job: Job, fill: Callable[[str, str], str]) -> Plan:
    try:
        return job.plan if job.plan is NO_PLAN else bind_plan(job.plan, fill)
    except ValueError as error:
        raise UsageError(f"job '{job.id}': {error}") from None


def _kinded(job: Job, written: Written, beside: Program, fill: Fill) -> Program:
    from sshsched.kinds.programs.written import program_of  # most jobs have a command

    try:
        return program_of(written, beside, fill)
    except UsageError as error:
        said = str(error).removeprefix(f"job '{job.id}': ")
        raise UsageError(f"job '{job.id}': {said}") from None


def bind_args(job: Job, args: Mapping[str, str]) -> Mapping[str, str]:
    """All args of a run, defaults filled in, in the order of the params. Raises UsageError with all that is wrong."""
    wrong = [f"unknown arg '{name}'" for name in args if name not in {param.name for param in job.params}]
    whole = {}
    for param in job.params:
        value = args.get(param.name, param.default)
        if value is None:
            wrong.append(f"missing arg '{param.name}'")
            continue
        if param.choices and value not in param.choices:
            wrong.append(f"{param.name} must be one of {', '.join(param.choices)}; it is {value!r}")
        if "\0" in value:
            wrong.append(f"{param.name} holds a NUL character, which cannot be handed to any program")
        whole[param.name] = value
    if wrong:
        takes = " ".join(_usage(param) for param in job.params) or "no args"
        raise UsageError(f"job '{job.id}': {'; '.join(wrong)}; it takes {takes}")
    return whole


def _usage(param: Param) -> str:
    if param.default is None:
        return f"{param.name}={'|'.join(param.choices) or '...'}"
    return f"[{param.name}={param.default}]"


def _named(job: Job, what: str, text: str, pattern: str) -> str:
    if re.fullmatch(pattern, text):
        return text
    raise UsageError(f"job '{job.id}': {what}: {text!r} is no {what} name")
