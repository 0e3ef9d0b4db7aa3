"""A run as a row, and back, exactly.

Rule: every field of Run is in one of the column lists below; a test holds them to it.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from sshsched.domain.model import LogEntry, Run
from sshsched.domain.plan import NO_PLAN
from sshsched.errors import StoreDamagedError
from sshsched.store.filter import words

FIXED = (
    "key",
    "asked",
    "job_id",
    "created_at",
    "rerun_of",
    "root",
    "step",
    "by",
    "args",
    "labels",
    "stop_rule",
    "stop_at",
    "not_before",
)
"""Given when the run is made. An update that finds another value here is a mistake of ours and is refused."""

MOVING = (
    "host",
    "state",
    "reason",
    "message",
    "attempt",
    "schedule_time",
    "start_within",
    "waiting_since",
    "ready_since",
    "forced",
    "held",
    "warned",
    "values",
    "retried_by",
    "starting_since",
    "started_at",
    "finished_at",
    "unreachable_since",
    "pid",
    "cleaned",
    "survivors",
    "spool",
    "stop_asked",
    "outcome",
    "output",
)
DERIVED = ("settled", "words")
COLUMNS = ("id", *FIXED, *MOVING)
"""What a row that is read holds; the program and the plan, from tables of their own, come after them."""

_JSON = frozenset(
    {"args", "labels", "warned", "values", "survivors", "spool", "stop_asked", "outcome", "output", "program", "plan"}
)
_FLAGS = ("cleaned", "forced")
_FIELDS = (*COLUMNS, "program", "plan")
_MARK_LIMIT = 200

# The standard library's, because it carries what is no Unicode in an argv (lone surrogates), as \udcxx.
_dumps = json.JSONEncoder(separators=(",", ":")).encode

Row = tuple[Any, ...]


def fixed(run: Run) -> Row:
    """The values of FIXED."""
    return (
        run.key,
        run.asked,
        run.job_id,
        run.created_at,
        run.rerun_of,
        run.root,
        run.step,
        run.by,
        args_text(run.args),
        _json(run.labels),
        run.stop_rule,
        run.stop_at,
        run.not_before,
    )


def moving(run: Run) -> Row:
    """The values of MOVING and DERIVED."""
    return (
        run.host,
        run.state.value,
        run.reason.value,
        run.message,
        run.attempt,
        run.schedule_time,
        run.start_within,
        run.waiting_since,
        run.ready_since,
        run.forced,
        run.held,
        _json(run.warned),
        _dumps(dict(run.values)),
        run.retried_by,
        run.starting_since,
        run.started_at,
        run.finished_at,
        run.unreachable_since,
        run.pid,
        run.cleaned,
        _json(run.survivors),
        _json(run.spool),
        _json(run.stop_asked),
        _json(run.outcome),
        _json(run.output),
        run.settled,
        words(run),
    )


def program(run: Run) -> str:
    """The value of the table of programs."""
    return _dumps(msgspec.to_builtins(run.program))


def plan(run: Run) -> str | None:
    """The value of the table of plans; None for a run that has none, and no row there."""
    return None if run.plan == NO_PLAN else _dumps(msgspec.to_builtins(run.plan))


def args_text(args: Mapping[str, str]) -> str:
    """Args as their column holds them, in their order."""
    return _dumps(dict(args))


def marks(args: Mapping[str, str], labels: Iterable[str]) -> set[str]:
    """The keys under which a run can be found: one per argument, one per label.

    Long ones are cut and made unique by a hash, so that the index stays small.
    """
    found = {_dumps([name, value]) for name, value in args.items()} | {_dumps(label) for label in labels}
    return {mark if len(mark) <= _MARK_LIMIT else _short(mark) for mark in found}


def run_of(row: Sequence[Any]) -> Run:
    """The run of a row of COLUMNS, program and plan. Raises StoreDamagedError if the row makes no run."""
    try:
        fields = {
            name: _loads(value) if name in _JSON and value is not None else value
            for name, value in zip(_FIELDS, row, strict=True)
        }
        fields |= {name: bool(fields[name]) for name in _FLAGS}
        if fields["plan"] is None:
            del fields["plan"]
        return msgspec.convert(fields, Run)
    except (ValueError, TypeError) as error:
        raise StoreDamagedError(
            f"run r{row[0]} in the database cannot be understood: {error}; restore a backup"
        ) from error


def entry_of(row: Sequence[Any]) -> LogEntry:
    """The log entry of a row (run_id, at, old, new, reason, message)."""
    return msgspec.convert(dict(zip(LogEntry.__dataclass_fields__, row, strict=True)), LogEntry)


def entry_row(entry: LogEntry) -> Row:
    """The values that entry_of() reads."""
    old = None if entry.old is None else entry.old.value
    return (entry.run_id, entry.at, old, entry.new.value, entry.reason.value, entry.message)


def _loads(text: str) -> Any:
    """Three times as fast as the standard library, which is only needed for what is no Unicode."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text)


@lru_cache(maxsize=1024)  # most parts are those of the move before, or empty
def _json(part: Hashable) -> str | None:
    return None if part is None else _dumps(msgspec.to_builtins(part))


def _short(mark: str) -> str:
    import hashlib  # costs every command 7 ms, and few have such long arguments

    return mark[:_MARK_LIMIT] + hashlib.sha256(mark.encode()).hexdigest()
