"""A notice as a row, and back. Rule: what a notice is about never changes; how its delivery stands does."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

import msgspec

from sshsched.domain.instructions import Notice, SaveNotice
from sshsched.errors import StoreDamagedError

COLUMNS: Final = (
    "id",
    "run_id",
    "job_id",
    "made_at",
    "deed",
    "occasion",
    "facts",
    "tries",
    "next_at",
    "problem",
    "done_at",
)
_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM notices"

# An index that holds only these; and the index by run.
OPEN: Final = f"{_SELECT} INDEXED BY notices_open WHERE done_at IS NULL ORDER BY id"
OF_RUN: Final = f"{_SELECT} INDEXED BY notices_run WHERE run_id = ? ORDER BY made_at, id"

_SAVE: Final = f"""
    INSERT INTO notices ({", ".join(COLUMNS)}) VALUES ({", ".join("?" * len(COLUMNS))})
    ON CONFLICT (id) DO UPDATE
    SET tries = excluded.tries, next_at = excluded.next_at, problem = excluded.problem, done_at = excluded.done_at
"""
_NOTE_ON_RUN: Final = """
    INSERT INTO run_log (run_id, at, old, new, reason, message)
    SELECT id, ?, state, state, reason, ? FROM runs WHERE id = ?
"""
_NOTE_ON_JOB: Final = "INSERT INTO job_log (job_id, at, message) VALUES (?, ?, ?)"

# Lone surrogates, as in an argv that is no Unicode, stay what they are: see rows.py.
_dumps = json.JSONEncoder(separators=(",", ":")).encode


def save_notice(connection: sqlite3.Connection, save: SaveNotice) -> None:
    """Within a transaction."""
    notice = save.notice
    connection.execute(
        _SAVE,
        (
            notice.id,
            notice.run_id,
            notice.job_id,
            notice.made_at,
            _dumps(asdict(notice.deed)),
            notice.occasion,
            _dumps(notice.facts),
            notice.tries,
            notice.next_at,
            notice.problem,
            notice.done_at,
        ),
    )
    if save.note and notice.run_id is not None:
        connection.execute(_NOTE_ON_RUN, (save.at, save.note, notice.run_id))
    elif save.note and notice.job_id is not None:
        connection.execute(_NOTE_ON_JOB, (notice.job_id, save.at, save.note))


def notices_of(rows: Sequence[Sequence[Any]]) -> Iterator[Notice]:
    """The notices of rows. Raises StoreDamagedError if one makes none."""
    for row in rows:
        fields = dict(zip(COLUMNS, row, strict=True))
        try:
            fields |= {name: json.loads(fields[name]) for name in ("deed", "facts")}
            yield msgspec.convert(fields, Notice)
        except (ValueError, TypeError) as error:
            raise StoreDamagedError(
                f"notice {row[0]} in the database cannot be understood: {error}; restore a backup"
            ) from error
