"""What is asked of finished runs in the middle of a decision: `domain.view.Past`, by index, on a connection of its own.

Rule: quick, for the loop waits for it. SQLite has no statistics, so the index is chosen here. Where all args of a job
are given, they are compared whole; else by the arg that the fewest runs have; and where each has very many, from the
newest run back.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sshsched.domain.states import State
from sshsched.store import rows
from sshsched.store.database import database, explained, open_reader

BUSY_TIMEOUT = 0.2  # seconds; a reader waits for nobody but whoever removes the log, and the loop waits for it
FEW = 500  # runs that can be looked at one by one within a millisecond

_NEWEST = "SELECT args FROM runs INDEXED BY runs_job WHERE job_id = ? AND root IS NULL ORDER BY id DESC LIMIT 1"
_COUNT = f"SELECT count(*) FROM (SELECT 1 FROM marks WHERE mark = ? LIMIT {FEW + 1})"
_FITS = (
    "runs.job_id = ? AND runs.state = ? AND runs.finished_at >= ? "
    "AND runs.finished_at IS NOT NULL AND runs.root IS NULL AND runs.retried_by IS NULL"
)
_LAST = "ORDER BY runs.finished_at DESC, runs.id DESC LIMIT 1"
_FOUND = "SELECT runs.finished_at, runs.id FROM"
_SAME = f"{_FOUND} runs INDEXED BY runs_same WHERE {_FITS} AND runs.args = ? {_LAST}"
_MARKED = "AND EXISTS (SELECT 1 FROM marks AS m WHERE m.mark = ? AND m.run_id = runs.id)"


class Past:
    """Opens the database at the first question. Raises StoreError where it cannot be read."""

    def __init__(self, state_dir: Path) -> None:
        self._path = database(state_dir)
        self._connection: sqlite3.Connection | None = None

    def found(
        self,
        job_id: str,
        args: Mapping[str, str],
        states: frozenset[State],
        since: float,
        shared: Mapping[str, str] = {},
    ) -> int | None:
        """The id of the newest run that fits: see `domain.view.Past`."""
        names = self._names(job_id)
        wanted = {**{name: shared[name] for name in names if name in shared}, **args}
        fits = [(job_id, state.value, since) for state in sorted(states)]
        if not wanted:
            return self._newest(f"{_FOUND} runs INDEXED BY runs_past WHERE {_FITS} {_LAST}", fits)
        whole = len(names) == len(wanted) and all(name in wanted for name in names)
        if whole:
            text = rows.args_text({name: wanted[name] for name in names})
            if (same := self._newest(_SAME, [(*fit, text) for fit in fits])) is not None:
                return same
        count, rarest, *others = self._rarest(rows.marks(wanted, ()))
        terms = f"WHERE {_FITS} {' '.join([_MARKED] * len(others))}"
        if count <= FEW:
            # Also after a job's params were put in another order, which makes another text of the same args.
            marked = f"{_FOUND} marks CROSS JOIN runs ON runs.id = marks.run_id {terms} AND marks.mark = ? {_LAST}"
            return self._newest(marked, [(*fit, *others, rarest) for fit in fits])
        if whole:
            return None
        walked = f"{_FOUND} runs INDEXED BY runs_past {terms} {_MARKED} {_LAST}"
        return self._newest(walked, [(*fit, *others, rarest) for fit in fits])

    def names(self, job_id: str) -> frozenset[str] | None:
        """The names of the args of a job's newest run: see `domain.view.Past`."""
        newest = self._ask(_NEWEST, (job_id,))
        return frozenset(json.loads(newest[0][0])) if newest else None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _names(self, job_id: str) -> list[str]:
        """The names of the args of a job, in their order: those of its newest run."""
        newest = self._ask(_NEWEST, (job_id,))
        return list(json.loads(newest[0][0])) if newest else []

    def _rarest(self, marks: Iterable[str]) -> tuple[Any, ...]:
        """How many runs have the mark that the fewest have (at most one more than few), that mark, and the others."""
        counted = sorted((self._ask(_COUNT, (mark,))[0][0], mark) for mark in marks)
        return (counted[0][0], *(mark for _, mark in counted))

    def _newest(self, query: str, each: Iterable[tuple[Any, ...]]) -> int | None:
        """One state at a time, as the index has them."""
        found = [row for values in each for row in self._ask(query, values)]
        return max(found)[1] if found else None

    def _ask(self, query: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        if self._connection is None:
            self._connection = open_reader(self._path, BUSY_TIMEOUT)
        if self._connection is None:
            return []
        with explained(self._path):
            return self._connection.execute(query, values).fetchall()
