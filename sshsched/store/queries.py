"""Every query. Rule: each says why it is fast; values are always bound, never pasted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sshsched.domain.states import FINISHED
from sshsched.store.filter import RunFilter
from sshsched.store.filter_sql import Source, Sql, conditions, source
from sshsched.store.rows import COLUMNS, DERIVED, FIXED, MOVING


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

# By index, the oldest first.
STEPS = f"{RUN} FROM runs INDEXED BY runs_root {PARTS} WHERE runs.root = ? ORDER BY runs.id"

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

ANY_NOTICE = "SELECT 1 FROM notices INDEXED BY notices_run WHERE run_id = ? LIMIT 1"

# By index, from its end.
JOB_LOG = "SELECT at, message FROM job_log WHERE job_id = ? ORDER BY id DESC LIMIT ?"

# By the index of jobs, from its end; a job that has long failed is walked back to its last success.
LAST_SUCCESS = """
    SELECT finished_at FROM runs INDEXED BY runs_job WHERE job_id = ? AND state = 'success' AND root IS NULL
    ORDER BY id DESC LIMIT 1
"""

LOG = "SELECT run_id, at, old, new, reason, message FROM run_log WHERE run_id = ? ORDER BY id"


# One step through the index for each job, and none for each run.
JOBS = """
    WITH RECURSIVE jobs (id) AS (
        SELECT min(job_id) FROM runs INDEXED BY runs_job WHERE job_id IS NOT NULL
        UNION ALL
        SELECT (SELECT min(job_id) FROM runs INDEXED BY runs_job WHERE job_id > jobs.id) FROM jobs
        WHERE jobs.id IS NOT NULL
    )
    SELECT id FROM jobs WHERE id IS NOT NULL
"""


def select_past(job: str, where: RunFilter, limit: int) -> Sql:
    """The last finished runs of a job: by its index from the end, which the limit stops."""
    terms = conditions(RunFilter(where.terms, states=FINISHED))
    condition = " AND ".join(["runs.job_id = ?", *(sql for sql, _ in terms)])
    values = tuple(value for _, bound in terms for value in bound)
    return (
        f"SELECT id, state, started_at, finished_at FROM runs INDEXED BY runs_job WHERE {condition} "
        "ORDER BY id DESC LIMIT ?",
        (job, *values, limit),
    )


def select_runs(where: RunFilter, limit: int, before: int | None) -> tuple[str, tuple[Any, ...]]:
    """The newest `limit` runs below the id `before` that match, and the values to bind.

    The ids are found first, by one index that `filter_sql` chooses. Whole rows are read for these ids alone.
    """
    found = source(where)
    terms = conditions(where)
    if before is not None:
        terms.append((f"{found.id} < ?", (before,)))
    parts = [_ids(found, [walk, *terms]) for walk in found.walks] or [_ids(found, terms)]
    ids = " UNION ".join(sql for sql, _ in parts)
    values = tuple(value for _, bound in parts for value in bound)
    page = f"WITH page (id) AS ({ids} ORDER BY 1 DESC LIMIT ?)"
    rest = f"FROM page CROSS JOIN runs ON runs.id = page.id {PARTS}"
    return f"{page} {RUN} {rest} ORDER BY page.id DESC", (*values, limit)


def _ids(found: Source, terms: list[Sql]) -> Sql:
    """One select of ids: from its source, under all terms."""
    condition = " AND ".join(sql for sql, _ in terms) or "TRUE"
    values = tuple(value for _, bound in terms for value in bound)
    return f"SELECT {found.id} FROM {found.tables} WHERE {condition}", values
