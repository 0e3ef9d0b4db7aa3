"""Every query. Rule: each says why it is fast; values are always bound, never pasted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sshsched.domain.states import LIVE
from sshsched.store.filter import RunFilter, fold
from sshsched.store.rows import COLUMNS, DERIVED, FIXED, MOVING, marks


def _names(columns: Iterable[str], pattern: str = '"{}"', between: str = ", ") -> str:
    return between.join(pattern.format(column) for column in columns)


_COLUMNS = _names(COLUMNS, 'runs."{}"')
RUN = f"SELECT {_COLUMNS}, programs.program, plans.plan"
"""Rows that rows.run_of() reads, from `runs` and PARTS."""
PARTS = "JOIN programs ON programs.run_id = runs.id LEFT JOIN plans ON plans.run_id = runs.id"

# Writing ---------------------------------------------------------------------------------------------------------

INSERT_RUN = f"""
    INSERT INTO runs (id, {_names((*FIXED, *MOVING, *DERIVED))})
    VALUES ({_names(("id", *FIXED, *MOVING, *DERIVED), "?")})
"""
INSERT_PROGRAM = "INSERT INTO programs VALUES (?, ?)"
INSERT_PLAN = "INSERT INTO plans VALUES (?, ?)"
INSERT_MARK = "INSERT INTO marks VALUES (?, ?)"
INSERT_LOG = "INSERT INTO run_log (run_id, at, old, new, reason, message) VALUES (?, ?, ?, ?, ?, ?)"

# Compare-and-set. The indexes of FIXED columns are left alone because these are compared, not set.
UPDATE_RUN = f"""
    UPDATE runs SET {_names((*MOVING, *DERIVED), '"{}" = ?')}
    WHERE id = ? AND state = ? AND {_names(FIXED, '"{}" IS ?', " AND ")}
"""

MOVE_CURSOR = """
    INSERT INTO cursors VALUES (?, ?, ?) ON CONFLICT (job_id, schedule) DO UPDATE SET until = excluded.until
"""
FORGET_CURSOR = "DELETE FROM cursors WHERE job_id = ? AND schedule = ?"
INSERT_JOB_LOG = "INSERT INTO job_log (job_id, at, message) VALUES (?, ?, ?)"

HOLD = "INSERT INTO holds VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET words = excluded.words"
RELEASE = "DELETE FROM holds WHERE key = ?"

STATE = "SELECT state FROM runs WHERE id = ?"

# Reading ---------------------------------------------------------------------------------------------------------

INSTANCE = "SELECT value FROM meta WHERE name = 'instance'"

# AUTOINCREMENT keeps the highest id ever used, also of runs that are gone.
LAST_ID = "SELECT seq FROM sqlite_sequence WHERE name = 'runs'"

ONE_RUN = f"{RUN} FROM runs {PARTS} WHERE runs.id = ?"

# A partial index that holds nothing but these. With a live root come all its steps, which tell how far it has come.
LIVE_RUNS = f"""
    {RUN} FROM runs INDEXED BY runs_open {PARTS} WHERE runs.settled = 0
    UNION ALL
    {RUN} FROM runs AS roots INDEXED BY runs_open CROSS JOIN runs INDEXED BY runs_root ON runs.root = roots.id {PARTS}
    WHERE roots.settled = 0 AND runs.settled = 1
    ORDER BY 1
"""

# One row per state, kept by triggers.
COUNTS = "SELECT state, runs FROM counts WHERE runs > 0"

# The index of what counts as past, from the job's successes.
SUCCEEDED = """
    SELECT 1 FROM runs INDEXED BY runs_past
    WHERE job_id = ? AND state = 'success' AND finished_at > ? AND finished_at <= ?
    AND finished_at IS NOT NULL AND root IS NULL AND retried_by IS NULL LIMIT 1
"""

# Once a day; a run that took longer than the month before is left out.
ENDED = """
    SELECT job_id, state, count(*) FROM runs INDEXED BY runs_created
    WHERE created_at >= ? AND created_at <= ? AND finished_at > ? AND finished_at <= ?
    AND root IS NULL AND retried_by IS NULL GROUP BY 1, 2 ORDER BY 1, 2
"""

# All of them, once, when a scheduler comes up.
CURSORS = "SELECT job_id, schedule, until FROM cursors"

# All of them, once, when a scheduler comes up.
HOLDS = "SELECT key, words FROM holds"

# By index, from its end.
JOB_LOG = "SELECT at, message FROM job_log WHERE job_id = ? ORDER BY id DESC LIMIT ?"

# By the index of jobs, from its end; a job that has long failed is walked back to its last success.
LAST_SUCCESS = """
    SELECT finished_at FROM runs INDEXED BY runs_job WHERE job_id = ? AND state = 'success' AND root IS NULL
    ORDER BY id DESC LIMIT 1
"""

LOG = "SELECT run_id, at, old, new, reason, message FROM run_log WHERE run_id = ? ORDER BY id"

Term = tuple[str, tuple[Any, ...]]


class _Source(NamedTuple):
    """Where ids come from: the name of the id there, the tables, and terms of which each is walked on its own."""

    id: str
    tables: str
    walks: list[Term]


def select_runs(where: RunFilter, limit: int, before: int | None) -> tuple[str, tuple[Any, ...]]:
    """The newest `limit` runs below the id `before` that match, and the values to bind.

    The ids are found first, by one index that we choose: SQLite has no statistics to choose by, and a wrong guess walks
    a million rows. Whole rows are read for these ids alone.
    """
    source = _source(where)
    terms = _terms(where)
    if before is not None:
        terms.append((f"{source.id} < ?", (before,)))
    parts = [_ids(source, [walk, *terms]) for walk in source.walks] or [_ids(source, terms)]
    ids = " UNION ALL ".join(sql for sql, _ in parts)
    values = tuple(value for _, bound in parts for value in bound)
    page = f"WITH page (id) AS ({ids} ORDER BY 1 DESC LIMIT ?)"
    rest = f"FROM page CROSS JOIN runs ON runs.id = page.id {PARTS}"
    return f"{page} {RUN} {rest} ORDER BY page.id DESC", (*values, limit)


def _ids(source: _Source, terms: list[Term]) -> Term:
    """One select of ids: from its source, under all terms."""
    condition = " AND ".join(sql for sql, _ in terms) or "TRUE"
    values = tuple(value for _, bound in terms for value in bound)
    return f"SELECT {source.id} FROM {source.tables} WHERE {condition}", values


def _source(where: RunFilter) -> _Source:
    """The index of the field that finds the fewest runs.

    Each index holds the id as its last part, so `= ?` yields ids in order and the limit ends the walk. Several states
    are walked side by side and merged. A folder of jobs or a stretch of time is sorted, from the index alone.
    """
    found = _marks(where)
    states: list[Term] = [("runs.state = ?", (state.value,)) for state in sorted(where.states)]
    if where.ids is not None:
        return _Source("runs.id", "runs NOT INDEXED", [])
    if states and where.states <= LIVE:
        return _Source("runs.id", "runs INDEXED BY runs_state", states)
    if found:
        tables = "marks CROSS JOIN runs ON runs.id = marks.run_id"
        return _Source("marks.run_id", tables, [("marks.mark = ?", (found[0],))])
    if where.job is not None and where.folder is None:
        return _Source("runs.id", "runs INDEXED BY runs_job", [])
    if where.host is not None:
        return _Source("runs.id", "runs INDEXED BY runs_host", [])
    if states:
        return _Source("runs.id", "runs INDEXED BY runs_state", states)
    if where.job is not None:
        return _Source("runs.id", "runs INDEXED BY runs_job", [])
    if where.since is not None or where.until is not None:
        return _Source("runs.id", "runs INDEXED BY runs_created", [])
    return _Source("runs.id", "runs NOT INDEXED", [])


def _terms(where: RunFilter) -> list[Term]:
    """What a run must be, field by field."""
    terms: list[Term] = []
    if where.ids is not None:
        terms.append(("runs.id IN (SELECT value FROM json_each(?))", (str(sorted(where.ids)),)))
    if where.states:
        terms.append((f"runs.state IN ({_names(where.states, '?')})", tuple(sorted(where.states))))
    if where.folder is not None:
        above = where.folder[:-1] + "0"  # the character after the slash
        terms.append(("runs.job_id >= ? AND runs.job_id < ?", (where.folder, above)))
    elif where.job is not None:
        terms.append(("runs.job_id = ?", (where.job,)))
    if where.host is not None:
        terms.append(("runs.host = ?", (where.host,)))
    if where.since is not None:
        terms.append(("runs.created_at >= ?", (where.since,)))
    if where.until is not None:
        terms.append(("runs.created_at < ?", (where.until,)))
    for mark in _marks(where):
        terms.append(("EXISTS (SELECT 1 FROM marks AS m WHERE m.mark = ? AND m.run_id = runs.id)", (mark,)))
    if where.text is not None:
        terms.append(("instr(runs.words, ?) > 0", (fold(where.text),)))
    return terms


def _marks(where: RunFilter) -> list[str]:
    return sorted(marks(where.args, () if where.label is None else (where.label,)))
