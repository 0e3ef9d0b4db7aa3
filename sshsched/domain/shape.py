"""The one JSON shape of a run: of the API, of the event stream and of every `--json`.

Rule: fields are only ever added. Times are ISO 8601 in UTC, durations are seconds, sizes are bytes, unknown is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sshsched.domain.model import LogEntry, Run
from sshsched.domain.program import Program

if TYPE_CHECKING:  # it brings much along that commands which only read have no use for
    from sshsched.domain.instructions import Notice

Shape = dict[str, Any]
_PROGRAM = tuple(field.name for field in fields(Program) if field.name != "stop")


def iso(at: float | None) -> str | None:
    """2026-11-22T03:30:00.123Z, or None for None."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def run_shape(run: Run) -> Shape:
    """A run, whole, as scripts see it."""
    outcome = run.outcome
    return {
        "run": run.name,
        "job": run.job_id,
        "args": dict(run.args),
        "state": str(run.state),
        "reason": str(run.reason),
        "message": run.message,
        "host": run.host or None,
        "asked": run.asked or None,
        "labels": list(run.labels),
        "by": run.by,
        "attempt": run.attempt,
        "rerun_of": _name(run.rerun_of),
        "retried_by": _name(run.retried_by),
        "root": _name(run.root),
        "step": run.step or None,
        "values": dict(run.values),
        "held": run.held or None,
        "priority": run.plan.priority,
        "warned": list(run.warned),
        "created_at": iso(run.created_at),
        "schedule_time": iso(run.schedule_time),
        "not_before": iso(run.not_before),
        "stop_at": iso(run.stop_at),
        "waiting_since": iso(run.waiting_since),
        "ready_since": iso(run.ready_since),
        "starting_since": iso(run.starting_since),
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "unreachable_since": iso(run.unreachable_since),
        "elapsed": elapsed(run),
        "pid": run.pid,
        "survivors": list(run.survivors),
        "exit_code": outcome and outcome.exit_code,
        "signal": outcome and outcome.signal,
        "outcome_certain": outcome and outcome.certain,
        "cause": outcome and outcome.cause,
        "cpu_user": outcome and outcome.cpu_user,
        "cpu_system": outcome and outcome.cpu_system,
        "max_rss": outcome and outcome.max_rss,
        "leftover_processes": outcome and outcome.leftover,
        "stop_asked": run.stop_asked and {**asdict(run.stop_asked), "at": iso(run.stop_asked.at)},
        "stdout_size": run.output.stdout,
        "stderr_size": run.output.stderr,
        "output_complete": run.output.complete,
        "output_lost": run.output.lost,
        "stdout_sha256": run.output.stdout_sha256,
        "stderr_sha256": run.output.stderr_sha256,
        "spool": run.spool and run.spool.path,
        "program": program_shape(run.program),
    }


def _name(number: int | None) -> str | None:
    return None if number is None else f"r{number}"


def program_shape(program: Program) -> Mapping[str, Any]:
    """A program, without what was left at its default of nothing."""
    # One by one: asdict() copies everything deeply, which took longer than all the rest of a run's shape.
    found = {name: value for name in _PROGRAM if (value := getattr(program, name)) not in (None, (), {})}
    return {**found, "stop": {"signal": program.stop.signal, "grace": program.stop.grace}}


def log_shape(entry: LogEntry) -> Shape:
    """One row of the run log."""
    return {
        "run": f"r{entry.run_id}",
        "at": iso(entry.at),
        "from": entry.old,
        "to": str(entry.new),
        "reason": str(entry.reason),
        "message": entry.message,
    }


def whole_shape(run: Run, log: Iterable[LogEntry], notices: Iterable[Notice], steps: list[Shape]) -> Shape:
    """All that is told of one run: `show --json`, and `GET /v1/runs/{run}`. Only a workflow has steps."""
    return {
        "run": run_shape(run),
        "log": [log_shape(entry) for entry in log],
        "notices": [notice_shape(notice) for notice in notices],
        "steps": steps,
    }


def notice_shape(notice: Notice) -> Shape:
    """Something that is told of a run, without what it says. `problem` is that of the last try."""
    return {
        "id": notice.id,
        "occasion": notice.occasion,
        "kind": notice.deed.kind,
        "made_at": iso(notice.made_at),
        "tries": notice.tries,
        "next_at": iso(notice.next_at) if notice.done_at is None else None,
        "problem": notice.problem or None,
        "done_at": iso(notice.done_at),
        "told": notice.done_at is not None and not notice.problem,
    }


def elapsed(run: Run, now: float | None = None) -> float | None:
    """Seconds from start to end, or to `now` while it runs; None before the start or where it is unknown."""
    if run.started_at is None:
        return None
    end = run.finished_at if run.finished else now
    return None if end is None else round(max(0.0, end - run.started_at), 3)
