"""Which old runs are beyond a limit, and letting go of them.

Rule: runs go in small transactions, so that nobody waits for them; what a transaction lets go of is noted in it until
the output is gone too, so a crash in between leaves nothing behind.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sshsched.domain.model import Run
from sshsched.domain.retention import Retention, removable
from sshsched.store import queries, rows
from sshsched.store.database import transaction

DOOMED: Final = "doomed"
"""The name in `meta` of the runs that are gone, while their output may still be there."""

ARCHIVING: Final = "archiving"
"""The name in `meta` of the archive that runs are being moved to."""

_PAGE: Final = 200
_PRINTED: Final = "coalesce(json_extract(output, '$.stdout'), 0) + coalesce(json_extract(output, '$.stderr'), 0)"


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits, and the runs that they hold for, taken together: those of one job, or all but those of some jobs."""

    limits: Retention
    job: str | None = None
    apart: frozenset[str] = frozenset()

    @property
    def terms(self) -> tuple[str, tuple[Any, ...]]:
        """The condition in SQL, and its values."""
        if self.job is not None:
            return "job_id = ?", (self.job,)
        if self.apart:
            return "(job_id IS NULL OR job_id NOT IN (SELECT value FROM json_each(?)))", (json.dumps([*self.apart]),)
        return "TRUE", ()

    @property
    def table(self) -> str:
        """Walked by id in either case: the index of jobs holds the id as its last part."""
        return "runs INDEXED BY runs_job" if self.job is not None else "runs NOT INDEXED"


@dataclass(frozen=True, slots=True)
class Plan:
    """How far the limits of a policy reach now: all runs up to `beyond`, and up to `old` those that ended long ago."""

    policy: Policy
    now: float
    beyond: int
    old: int

    @property
    def upto(self) -> int:
        return max(self.beyond, self.old)


def plan(connection: sqlite3.Connection, policy: Policy, now: float) -> Plan:
    """Counting and adding up walk the runs that stay, newest first, and stop at the first one that goes."""
    limits, (term, values) = policy.limits, policy.terms
    beyond = old = 0
    if limits.count is not None:
        query = f"SELECT id FROM {policy.table} WHERE {term} ORDER BY id DESC LIMIT 1 OFFSET ?"
        beyond = _id(connection, query, (*values, limits.count))
    if limits.size is not None:
        totals = f"SELECT id, sum({_PRINTED}) OVER (ORDER BY id DESC) AS total FROM {policy.table} WHERE {term}"
        query = f"SELECT id FROM ({totals}) WHERE total > ? ORDER BY id DESC LIMIT 1"
        beyond = max(beyond, _id(connection, query, (*values, limits.size)))
    if limits.age is not None:
        # Nothing that was made later can have ended earlier; the index of that finds the last one in a few steps.
        query = "SELECT id FROM runs INDEXED BY runs_created WHERE created_at < ? ORDER BY created_at DESC LIMIT 1"
        old = _id(connection, query, (now - limits.age,))
    return Plan(policy, now, beyond, old)


def picked(connection: sqlite3.Connection, plan: Plan, spared: Callable[[Run], bool]) -> Iterator[list[Run]]:
    """The runs that go, oldest first, each with the steps of its workflow.

    The last run of each job and its last success stay, and so does what somebody is still to be told of. Asked page by
    page, so that no snapshot of the database is held for long.
    """
    (term, values), limits, after = plan.policy.terms, plan.policy.limits, 0
    ended_before = plan.now - limits.age if limits.age is not None else float("-inf")
    query = f"""
        WITH page (id) AS (
            SELECT id FROM {plan.policy.table}
            WHERE {term} AND id > ? AND id <= ? AND settled = 1 AND root IS NULL
                AND (id <= ? OR coalesce(finished_at, created_at) < ?) AND {_NOT_LAST} AND {_TOLD}
            ORDER BY id LIMIT {_PAGE}
        )
        {queries.RUN} FROM page CROSS JOIN runs ON runs.id = page.id {queries.PARTS} ORDER BY page.id
    """

    def goes(run: Run) -> bool:
        return removable(run, plan.now, limits) and not spared(run)

    while after < plan.upto:
        page = connection.execute(query, (*values, after, plan.upto, plan.beyond, ended_before)).fetchall()
        for row in page:
            runs = [rows.run_of(row)]
            if goes(runs[0]):
                runs += map(rows.run_of, connection.execute(_STEPS, (runs[0].id,)).fetchall())
                if all(map(goes, runs[1:])):
                    yield runs
        if len(page) < _PAGE:
            return
        after = page[-1][0]


_NEWER: Final = """
    SELECT 1 FROM runs AS newer INDEXED BY runs_job
    WHERE newer.job_id = runs.job_id AND newer.id > runs.id AND newer.root IS NULL
"""
_NOT_LAST: Final = (
    f"(job_id IS NULL OR (EXISTS ({_NEWER}) AND (state <> 'success' OR EXISTS ({_NEWER} AND newer.state = 'success'))))"
)
_TOLD: Final = "NOT EXISTS (SELECT 1 FROM notices WHERE notices.run_id = runs.id AND notices.done_at IS NULL)"
_STEPS: Final = f"{queries.RUN} FROM runs INDEXED BY runs_root {queries.PARTS} WHERE runs.root = ? ORDER BY runs.id"


def forget(connection: sqlite3.Connection, states: Mapping[int, str]) -> None:
    """These runs, with all that belongs to them, in one transaction.

    What is not settled stays, and so does what is in another state than is said here: it was marked meanwhile.
    """
    with transaction(connection):
        query = "SELECT id, state FROM runs WHERE settled = 1 AND id IN (SELECT value FROM json_each(?))"
        found = connection.execute(query, (json.dumps([*states]),)).fetchall()
        ids = [run_id for run_id, state in found if states[run_id] == state]
        remove(connection, ids)
        _set(connection, DOOMED, json.dumps(ids))


def remove(connection: sqlite3.Connection, run_ids: Sequence[int]) -> None:
    """The rows of these runs, within a transaction."""
    gone = (json.dumps([*run_ids]),)
    among = "IN (SELECT value FROM json_each(?))"
    found = connection.execute(f"SELECT id, args, labels FROM main.runs WHERE id {among}", gone).fetchall()
    connection.executemany("DELETE FROM main.marks WHERE mark = ? AND run_id = ?", _marks(found))
    connection.execute(f"DELETE FROM main.notices WHERE run_id {among}", gone)
    connection.execute(f"DELETE FROM main.runs WHERE id {among}", gone)  # program, plan and log go with it


def note(connection: sqlite3.Connection, name: str, value: str | None) -> None:
    """Keep a word about the database itself; None forgets it."""
    with transaction(connection):
        _set(connection, name, value)


def noted(connection: sqlite3.Connection, name: str) -> str | None:
    """What note() has kept."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def doomed(connection: sqlite3.Connection) -> list[int]:
    """The runs that are gone and whose output may still be there."""
    ids: list[int] = json.loads(noted(connection, DOOMED) or "[]")
    there = connection.execute("SELECT id FROM runs WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),))
    return sorted({*ids} - {row[0] for row in there})


def _marks(found: Iterable[tuple[int, str, str]]) -> Iterator[tuple[str, int]]:
    for run_id, args, labels in found:
        for mark in rows.marks(json.loads(args), json.loads(labels)):
            yield mark, run_id


def _set(connection: sqlite3.Connection, name: str, value: str | None) -> None:
    if value is None:
        connection.execute("DELETE FROM meta WHERE name = ?", (name,))
    else:
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def _id(connection: sqlite3.Connection, query: str, values: tuple[Any, ...]) -> int:
    row = connection.execute(query, values).fetchone()
    return 0 if row is None else int(row[0])
