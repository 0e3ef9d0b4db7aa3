"""What the service answers, typed: the API document is made from this, and tests hold real answers against it.

Rule: the answers themselves are made by `sshsched.domain.shape`; nothing here runs when a request is served.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from sshsched.domain.model import Cause, Reason
from sshsched.domain.states import State


class Answer(Struct, forbid_unknown_fields=True):
    """A JSON object. Later versions may add fields; these stay."""


class StopAskedAnswer(Answer):
    """A wish to end a run."""

    at: str
    by: str
    cause: Cause
    signal: str
    grace: float


class RunAnswer(Answer):
    """A run. Times are ISO 8601 in UTC, durations are seconds, sizes are bytes, unknown is null."""

    run: str
    job: str | None
    args: dict[str, str]
    state: State
    reason: Reason
    message: str
    host: str | None
    asked: str | None
    labels: list[str]
    by: str
    attempt: int
    rerun_of: str | None
    retried_by: str | None
    root: str | None
    step: str | None
    values: dict[str, str]
    held: str | None
    priority: int
    warned: list[str]
    created_at: str
    schedule_time: str | None
    not_before: str | None
    stop_at: str | None
    waiting_since: str | None
    ready_since: str | None
    starting_since: str | None
    started_at: str | None
    finished_at: str | None
    unreachable_since: str | None
    elapsed: float | None
    pid: int | None
    survivors: list[int]
    exit_code: int | None
    signal: int | None
    outcome_certain: bool | None
    cause: Cause | None
    cpu_user: float | None
    cpu_system: float | None
    max_rss: int | None
    leftover_processes: bool | None
    stop_asked: StopAskedAnswer | None
    stdout_size: int
    stderr_size: int
    output_complete: bool
    output_lost: bool
    stdout_sha256: str | None
    stderr_sha256: str | None
    spool: str | None
    program: dict[str, Any]


class LogAnswer(Answer, rename={"from_": "from"}):
    """One row of the run log: a move, or a note where `from` equals `to`."""

    run: str
    at: str
    to: State
    reason: Reason
    message: str
    from_: State | None


class RunsAnswer(Answer):
    """Some runs."""

    runs: list[RunAnswer]


class HoldsAnswer(Answer):
    """The runs that were named, and all that is held back apart from single runs: job:NAME, host:NAME or *."""

    runs: list[RunAnswer]
    holds: dict[str, str]


class ExplainedAnswer(Answer):
    """A sentence for each run."""

    explained: list[str]


class StepAnswer(Answer):
    """A step of a workflow, and the run that counts for it; null of one that has not begun."""

    step: str
    needs: list[str]
    when: str
    run: str | None
    state: State | None
    host: str | None
    message: str


class NoticeAnswer(Answer):
    """Something that is told of a run. `next_at` is when it is tried again, `problem` is that of the last try."""

    id: str
    occasion: str
    kind: str
    made_at: str
    tries: int
    next_at: str | None
    problem: str | None
    done_at: str | None
    told: bool


class RunAndLogAnswer(Answer):
    """A run, how it came to be as it is, oldest row first, what was told of it, and the steps of a workflow."""

    run: RunAnswer
    log: list[LogAnswer]
    notices: list[NoticeAnswer]
    steps: list[StepAnswer]


class HostsAnswer(Answer):
    """The hosts that matter now; each has its name under `host`."""

    hosts: list[dict[str, Any]]


class JobsAnswer(Answer):
    """What has come of reading the job files; also the data of the event `jobs`.

    `jobs` is how many there are now, `kept` are those whose files have problems and that stay as they were last good.
    """

    jobs: int
    added: list[str]
    removed: list[str]
    changed: list[str]
    kept: list[str]
    problems: list[str]
    warnings: list[str]
    dry_run: bool = False


class SnapshotAnswer(Answer):
    """The data of the event `snapshot`: how things stand at `seq`. What it does not hold is over."""

    seq: int
    runs: list[RunAnswer]
    hosts: list[dict[str, Any]]


class OutputAnswer(Answer):
    """The data of the event `output`: how much can be read now."""

    run: str
    stdout_size: int
    stderr_size: int


class ArchiveAnswer(Answer):
    """How many runs have left the store, and how many bytes they had printed. With `more`, ask again to go on."""

    archived: int
    deleted: int
    bytes: int
    more: bool


class VacuumAnswer(Answer):
    """How many bytes the database took, and takes now. With `more`, ask again to go on."""

    before: int
    after: int
    more: bool


class ErrorAnswer(Answer):
    """What went wrong, in one line, and the exit code that a command ends with for it."""

    error: str
    exit_code: int
