"""What clients may send: typed, strict, and each mistake one line that names its place.

Rule: no default is written here. What a client leaves out is left out, and `sshsched.domain` fills it in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from sshsched.domain.draft import Draft, draft_flaws, signal_name, text_flaw
from sshsched.domain.model import run_id
from sshsched.domain.nearest import unknown
from sshsched.domain.program import Program, Stop
from sshsched.domain.retention import Retention
from sshsched.errors import UsageError
from sshsched.service.plans import plan_of


class Body(Struct, forbid_unknown_fields=True):
    """A JSON object in which no unknown key is taken."""


class StopBody(Body):
    """How a program is asked to end."""

    signal: str | int | UnsetType = UNSET
    grace: float | UnsetType = UNSET


class ProgramBody(Body):
    """What runs on the host; exactly one of command and argv. Durations are seconds."""

    command: str | UnsetType | None = UNSET
    argv: tuple[str, ...] | UnsetType = UNSET
    env: dict[str, str] | UnsetType = UNSET
    cwd: str | UnsetType | None = UNSET
    stdin: str | UnsetType | None = UNSET
    umask: str | UnsetType | None = UNSET
    user: str | UnsetType | None = UNSET
    stop: StopBody | UnsetType = UNSET
    timeout: float | UnsetType | None = UNSET
    accept: tuple[int, ...] | UnsetType = UNSET
    abandon_after: float | UnsetType | None = UNSET


class DraftBody(Body):
    """A run to be made. `schedule_time` is ISO 8601 with its zone, or seconds since 1970.

    `plan` says what it waits for, what follows, how often and where: see docs/job-files.md.
    """

    host: str
    program: ProgramBody
    job: str | UnsetType | None = UNSET
    args: dict[str, str] | UnsetType = UNSET
    labels: tuple[str, ...] | UnsetType = UNSET
    by: str | UnsetType = UNSET
    rerun_of: str | int | UnsetType | None = UNSET
    schedule_time: str | float | UnsetType | None = UNSET
    start_within: float | UnsetType = UNSET
    plan: dict[str, Any] | UnsetType = UNSET


class SubmitBody(Body):
    """Runs to be made, all or none."""

    runs: list[DraftBody]


class StopRunsBody(Body):
    """Runs to be ended. Without signal or grace, those of each run's own program hold."""

    runs: list[str]
    signal: str | int | UnsetType = UNSET
    grace: float | UnsetType = UNSET
    by: str = ""


class RerunBody(Body):
    """Finished runs to be made once more: bound to their jobs as those are now, or just the `same` as they were.

    With `failed` they are live workflows, of which only the failed steps run again.
    """

    runs: list[str]
    same: bool = False
    failed: bool = False
    by: str = ""


class RunsBody(Body):
    """Runs."""

    runs: list[str]
    by: str = ""


class MarkBody(Body):
    """Finished runs that are to be taken for another outcome."""

    runs: list[str]
    state: str
    by: str = ""


class HoldBody(Body):
    """What is to be held back, or let go: runs, all runs of jobs, all runs that would go to hosts, or everything."""

    runs: list[str] = []
    jobs: list[str] = []
    hosts: list[str] = []
    everything: bool = False
    by: str = ""


class ShutdownBody(Body):
    """How the scheduler is to end; `handover` if another one is waiting to take over."""

    handover: bool = False


class ReloadBody(Body):
    """With `dry_run`, nothing changes, and the answer is what would."""

    dry_run: bool = False


class ArchiveBody(Body):
    """Which runs are to leave the store for an archive: beyond an age in seconds, a count, or a size in bytes.

    Without any of the three, those beyond the limits of the files. `to` is an absolute path on the scheduler's machine.
    """

    age: float | UnsetType | None = UNSET
    count: int | UnsetType | None = UNSET
    size: int | UnsetType | None = UNSET
    job: str | UnsetType | None = UNSET
    to: str | UnsetType | None = UNSET


class VacuumBody(Body):
    """Nothing is to be said."""


B = TypeVar("B", bound=Body)
NESTED: dict[str, type[Body]] = {"runs": DraftBody, "program": ProgramBody, "stop": StopBody}
UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
PLAIN = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
}
SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]+)?")
MOST = 1e18
QUOTED = re.compile(r"`([a-z| ]+)`")


def decode(data: bytes, kind: type[B]) -> B:
    """The body of a request. Raises UsageError."""
    try:
        return msgspec.json.decode(data or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise UsageError(_in_plain_words(str(error), kind)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(_no_unicode(data) or f"the body is no JSON: {error}") from None


def draft_of(value: Mapping[str, Any]) -> Draft:
    """A draft from the mapping that `POST /v1/runs` takes for each run. Raises UsageError."""
    try:
        body = msgspec.convert(dict(value), DraftBody)
    except msgspec.ValidationError as error:
        raise UsageError(_in_plain_words(str(error), DraftBody)) from None
    return draft(body)


def drafts(body: SubmitBody) -> list[Draft]:
    """All drafts of a request. Raises UsageError, naming which run."""
    if not body.runs:
        raise UsageError("runs: is empty; give at least one run")
    return [draft(each, f"runs[{index}].") for index, each in enumerate(body.runs)]


def draft(body: DraftBody, at: str = "") -> Draft:
    """A sound draft; `at` goes before each path that is complained about. Raises UsageError."""
    given = _given(body)
    given["job_id"] = given.pop("job", None)
    given["program"] = _program(body.program)
    if body.rerun_of is not UNSET and body.rerun_of is not None:
        given["rerun_of"] = number(str(body.rerun_of), f"{at}rerun_of")
    if body.plan is not UNSET:
        given["plan"] = plan_of(body.plan, f"{at}plan")
    if isinstance(body.schedule_time, str):
        given["schedule_time"] = instant(body.schedule_time, f"{at}schedule_time")
    made = Draft(**given)
    if flaws := list(draft_flaws(made)):
        raise UsageError("; ".join(f"{at}{path}: {message}" for path, message in flaws))
    return made


def limits_of(body: ArchiveBody) -> Retention | None:
    """The limits that a request names, if any. Raises UsageError."""
    given = {name: value for name, value in _given(body).items() if value is not None and name not in ("job", "to")}
    for name, value in given.items():
        if not 0 < value < MOST:
            raise UsageError(f"{name}: {value} is out of range; it must be more than nothing")
    limits = Retention(**given)
    if not limits.unlimited:
        return limits
    if body.job:
        raise UsageError("job: needs a limit beside it: age, count or size")
    return None


def signal_of(value: str | int, at: str) -> str:
    """TERM for "TERM", "SIGTERM" or 15. Raises UsageError."""
    if name := signal_name(str(value)):
        return name
    raise UsageError(f"{at}: no signal is called {str(value)!r}; write TERM, INT, HUP or a number")


def number(name: str, at: str) -> int:
    """The number of a run, from r123 or 123. Raises UsageError."""
    found = run_id(name)
    if found is None:
        raise UsageError(f"{at}: {name!r} is no run; runs are called r1, r2 and so on")
    return found


def instant(text: str, at: str) -> float:
    """Seconds since 1970 from ISO 8601 with a zone, or from a plain number. Raises UsageError."""
    if SECONDS.fullmatch(text):
        return float(text)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{at}: {text!r} is no time; write 2026-11-22T03:30:00Z or seconds since 1970") from None
    if when.tzinfo is None:
        raise UsageError(f"{at}: {text!r} lacks its zone; end it with Z or +01:00")
    return when.timestamp()


def _program(body: ProgramBody) -> Program:
    given = _given(body)
    if body.stop is not UNSET:
        stop = _given(body.stop)
        if "signal" in stop:
            stop["signal"] = signal_name(str(stop["signal"])) or str(stop["signal"])
        given["stop"] = Stop(**stop)
    return Program(**given)


def _given(body: Body) -> dict[str, Any]:
    return {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}


def _no_unicode(data: bytes) -> str | None:
    """Where a text holds half a surrogate: JSON can write it, UTF-8 cannot. None if something else is wrong."""
    try:
        return next(_flaws_of_texts(json.loads(data), ""), None)
    except (ValueError, RecursionError):
        return None


def _flaws_of_texts(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, str) and (message := text_flaw(value)):
        yield f"{at}: {message}" if at else message
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _flaws_of_texts(each, f"{at}[{index}]")
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _flaws_of_texts(name, at)
            yield from _flaws_of_texts(each, f"{at}.{name}" if at else name)


def _in_plain_words(said: str, kind: type[Body]) -> str:
    message, _, path = said.partition(" - at `$")
    path = path.rstrip("`").lstrip(".")
    if found := UNKNOWN.fullmatch(message):
        names = [name for name in re.findall(r"[a-z_]+", path) if name in NESTED]
        inside = NESTED[names[-1]] if names else kind
        message = unknown(found[1], inside.__struct_fields__)
    elif message.startswith("Expected"):
        message = QUOTED.sub(lambda types: _plain(types[1]), message).replace("Expected", "expected")
    else:
        message = message.replace("Object missing required field", "lacks").replace("`", "'")
    return f"{path}: {message}" if path else message


def _plain(types: str) -> str:
    return " or ".join(PLAIN.get(each, each) for each in types.split(" | "))
