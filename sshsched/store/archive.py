"""The archive: a second database of the same tables, with the output of its runs in a folder beside it.

Rule: a run is durable in the archive, output and all, before it leaves the store. A run that is in both is the same
one, and leaves the store when the move is taken up again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sshsched.errors import NotFoundError, RefusedError, StoreError
from sshsched.store import history, notices, rows
from sshsched.store.database import BUSY_TIMEOUT, database, explained, is_older, open_writer
from sshsched.store.output import OutputFiles

OWNER: Final = "archive_of"
"""The name in `meta` of the instance of the store that runs come from."""

SLICE: Final = "slice"
"""The name in `meta` of the runs that came last: those that a crash may have left in the store, too."""

COPIED: Final = {
    "runs": ("id", "id", ("id", *rows.FIXED, *rows.MOVING, *rows.DERIVED)),
    "programs": ("run_id", "run_id", ("run_id", "program")),
    "plans": ("run_id", "run_id", ("run_id", "plan")),
    "run_log": ("run_id", "id", ("run_id", "at", "old", "new", "reason", "message")),
    "notices": ("run_id", "id", notices.COLUMNS),
}
"""By table: the column with the run's id, that of the order, and what is copied.

The marks are made anew; they have no index by run.
"""

_BOTH: Final = """
    SELECT runs.id, theirs.state, runs.state, runs.key, theirs.key FROM runs
    JOIN store.runs AS theirs ON theirs.id = runs.id
"""
_AMONG: Final = "id IN (SELECT value FROM json_each(?))"


def usual(state_dir: Path) -> Path:
    """Where runs go if nobody says otherwise."""
    return state_dir / "archive.db"


def output_of(file: Path) -> OutputFiles:
    """The output of the runs of an archive."""
    return OutputFiles(file.parent, f"{file.name}.output")


def check_readable(file: Path) -> None:
    """Raises NotFoundError if there is no such archive. One of an older version is brought up to date."""
    if not file.is_file():
        raise NotFoundError(f"{file}: there is no such archive; `sshsched archive` makes one")
    if is_older(file):
        open_writer(file, BUSY_TIMEOUT).close()


class Archive:
    """An archive that is written to, by one thread at a time. Made by open_archive()."""

    def __init__(self, file: Path, connection: sqlite3.Connection, outputs: OutputFiles) -> None:
        self._file = file
        self._connection = connection
        self._outputs = outputs
        self._own = output_of(file)

    def take(self, run_ids: Sequence[int]) -> None:
        """Copies of these settled runs of the store, durable when this returns. Doing it again is harmless.

        Raises StoreError if the archive holds another run of the same number: nothing was copied then.
        """
        with explained(self._file):
            missing, stale = self._compared(run_ids)
            self._outputs.link(missing, self._own)
            # Not transaction(): its BEGIN IMMEDIATE would lock the store, too, where SQLite is older than 3.35.
            self._connection.execute("BEGIN")
            try:
                history.remove(self._connection, stale)
                for run_id in missing:
                    self._copy(run_id)
                value = json.dumps([*run_ids])
                self._connection.execute("INSERT OR REPLACE INTO main.meta VALUES (?, ?)", (SLICE, value))
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def left_behind(self) -> dict[int, str]:
        """The runs of the last slice that are in the store, too, as they are here, with their state."""
        with explained(self._file):
            found = self._connection.execute("SELECT value FROM main.meta WHERE name = ?", (SLICE,)).fetchone()
            if found is None:
                return {}
            query = f"{_BOTH} AND theirs.key = runs.key AND theirs.state = runs.state WHERE runs.{_AMONG}"
            return {row[0]: row[1] for row in self._connection.execute(query, found)}

    def _compared(self, run_ids: Sequence[int]) -> tuple[list[int], list[int]]:
        """Those that the archive does not have as they are now, and those of them that were marked since they came."""
        rows = self._connection.execute(f"{_BOTH} WHERE runs.{_AMONG}", (json.dumps(run_ids),)).fetchall()
        there = {run_id: (ours == theirs, old == new) for run_id, new, old, ours, theirs in rows}
        for run_id, (same_run, _) in there.items():
            if not same_run:
                raise StoreError(
                    f"{self._file}: holds another r{run_id} than the store, which was set back; "
                    "name another archive with --to"
                )
        missing = [run_id for run_id in run_ids if there.get(run_id) != (True, True)]
        return missing, [run_id for run_id in missing if run_id in there]

    def _copy(self, run_id: int) -> None:
        for table, (key, order, columns) in COPIED.items():
            names = ", ".join(f'"{name}"' for name in columns)
            found = f"SELECT {names} FROM store.{table} WHERE {key} = ? ORDER BY {order}"
            self._connection.execute(f"INSERT INTO main.{table} ({names}) {found}", (run_id,))
        args, labels = self._connection.execute("SELECT args, labels FROM main.runs WHERE id = ?", (run_id,)).fetchone()
        marks = [(mark, run_id) for mark in rows.marks(json.loads(args), json.loads(labels))]
        self._connection.executemany("INSERT INTO main.marks VALUES (?, ?)", marks)


@contextmanager
def open_archive(file: Path, state_dir: Path, instance: str) -> Iterator[Archive]:
    """The archive in `file`, made if there is none, for the store of a folder that the caller holds.

    Raises RefusedError if it is the archive of another store, or a store itself, and StoreError.
    """
    store = database(state_dir)
    if file.exists() and file.samefile(store):
        raise RefusedError(f"{file}: is the store itself; name another file with --to")
    connection = open_writer(file, BUSY_TIMEOUT)
    try:
        with explained(file):
            _own(connection, file, instance)
            connection.execute("ATTACH ? AS store", (f"{store.absolute().as_uri()}?mode=ro",))
        yield Archive(file, connection, OutputFiles(state_dir))
    finally:
        connection.close()


def _own(connection: sqlite3.Connection, file: Path, instance: str) -> None:
    owner = history.noted(connection, OWNER)
    if owner is None and connection.execute("SELECT 1 FROM sqlite_sequence LIMIT 1").fetchone() is None:
        history.note(connection, OWNER, instance)
    elif owner != instance:
        what = "a store" if owner is None else f"the archive of another store ({owner})"
        raise RefusedError(f"{file}: is {what}; name another file with --to")
