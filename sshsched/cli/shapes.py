"""What `--json` prints, typed: `sshsched schema COMMAND` is made from this, and tests hold real output against it.

Rule: what the API answers too has the API's types, from `sshsched.service.answers`. Nothing here runs when a command
prints.
"""

from __future__ import annotations

from typing import Any

from sshsched.domain.states import State
from sshsched.service.answers import Answer, RunAndLogAnswer, RunAnswer


class LinkItem(Answer):
    """What the scheduler says of a host; an item of `GET /v1/hosts`."""

    host: str
    state: str
    since: str | None
    latency: float | None
    problem: str | None
    permanent: bool
    held: str | None
    slots: int | None
    running: int
    waiting: int
    spool: str | None


class HostItem(Answer, rename={"from_": "from"}):
    """A host. `link` is null where no scheduler runs, or has no use for the host."""

    host: str
    address: str | None
    slots: int | None
    tags: list[str]
    link: LinkItem | None
    from_: str


class ParamItem(Answer):
    """A param of a job; without a default it must be given."""

    name: str
    default: str | None
    choices: list[str]
    description: str


class ScheduleItem(Answer):
    """A schedule of a job."""

    schedule: str
    line: int
    enabled: bool
    args: dict[str, str]
    catch_up: str
    dst: str


class KindItem(Answer):
    """A program that is no plain command: its kind, and the options of that kind."""

    kind: str
    options: dict[str, Any]


class RetentionItem(Answer):
    """Beyond which age (seconds), count or size (bytes) runs go, and what becomes of them; null is no limit."""

    age: float | None
    count: int | None
    size: int | None
    then: str


class ExpectItem(Answer):
    """By when a success is expected on the dates of a calendar."""

    success_by: str
    tz: str
    calendar: str


class JobItem(Answer):
    """A job; `next` is its next time, `plan` what stands between its time and its start and after its end."""

    job: str
    file: str
    line: int
    host: str
    description: str
    labels: list[str]
    params: list[ParamItem]
    program: dict[str, Any]
    program_kind: KindItem | None
    start_within: float
    retention: RetentionItem | None
    plan: dict[str, Any]
    expects: list[ExpectItem]
    schedules: list[ScheduleItem]
    next: str | None


class ComingItem(Answer):
    """A coming time. `why` is null for one that runs, else the rule that leaves it out; `local` is in the zone `tz`."""

    job: str
    at: str
    scheduled: str | None
    local: str
    tz: str
    schedule: str
    args: dict[str, str]
    why: str | None
    note: str


class JobWithComing(JobItem):
    """A job with its next times."""

    coming: list[ComingItem]


class PastItem(Answer):
    """One of the last runs."""

    run: str
    state: State
    elapsed: float | None


class StatsItem(Answer):
    """The last finished runs of a job; durations are seconds, `last` is oldest first."""

    job: str
    runs: int
    success: int
    failure: int
    error: int
    skipped: int
    success_rate: float | None
    p50: float | None
    p90: float | None
    max: float | None
    last: list[PastItem]


class NextItem(Answer):
    """The next time of all jobs."""

    job: str
    at: str


class DroppedItem(Answer):
    """Times that were not made up for."""

    job: str
    at: str
    count: int
    message: str


class LoadedItem(Answer):
    """What a scheduler has of the job files."""

    count: int
    schedules: int
    next: NextItem | None
    problems: list[str]
    warnings: list[str]
    dropped: list[DroppedItem]


class SchedulerItem(Answer):
    """The answer of `GET /v1/status`. `live` counts runs by state; `jobs` is null where no schedules run."""

    version: str
    pid: int
    mode: str
    since: str
    instance: str
    live: dict[State, int]
    jobs: LoadedItem | None
    store: str
    holds: dict[str, str]
    hosts: list[LinkItem]


class StatusItem(Answer):
    """`scheduler` is null where none runs; `counts` is how many runs are in each state."""

    scheduler: SchedulerItem | None
    counts: dict[State, int]
    state_dir: str


PRINTED: dict[str, Any] = {
    "runs": list[RunAnswer],
    "show": RunAndLogAnswer,
    "stats": list[StatsItem],
    "jobs": list[JobItem],
    "job": JobWithComing,
    "next": list[ComingItem],
    "hosts": list[HostItem],
    "status": StatusItem,
}
"""Command to what its `--json` is; `stats` is `runs --stats`. What makes runs or waits for them is like `runs`."""


def printed_schema(command: str) -> dict[str, Any]:
    """The JSON Schema of what a command prints."""
    import msgspec

    found: dict[str, Any] = msgspec.json.schema(PRINTED[command])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
