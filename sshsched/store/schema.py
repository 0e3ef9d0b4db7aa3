"""The tables, as numbered migrations.

Rule: a migration that has been released is never changed; the next one mends it. Each is applied and recorded
(`PRAGMA user_version`) in one transaction of its own, so a crash leaves the version before or the version after.

Only what SQLite 3.31 knows is used, as Python 3.11 still meets it.
"""

from __future__ import annotations

APPLICATION_ID = 0x53534853
"""Marks the file as ours in its header: "SSHS"."""

_FIRST = (
    f"PRAGMA application_id = {APPLICATION_ID}",
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "INSERT INTO meta VALUES ('instance', lower(hex(randomblob(6))))",
    # AUTOINCREMENT: the id of a run that was archived is never given again. `settled` and `words` follow from the
    # others; they are kept so that a domain rule is not said a second time in SQL, and so that it can be indexed.
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL,
        host TEXT NOT NULL,
        job_id TEXT,
        created_at REAL NOT NULL,
        rerun_of INTEGER,
        "by" TEXT NOT NULL,
        args TEXT NOT NULL,
        labels TEXT NOT NULL,
        state TEXT NOT NULL,
        settled INTEGER NOT NULL,
        words TEXT NOT NULL,
        reason TEXT NOT NULL,
        message TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        schedule_time REAL,
        start_within REAL NOT NULL,
        waiting_since REAL,
        starting_since REAL,
        started_at REAL,
        finished_at REAL,
        unreachable_since REAL,
        pid INTEGER,
        cleaned INTEGER NOT NULL,
        survivors TEXT NOT NULL,
        spool TEXT,
        stop_asked TEXT,
        outcome TEXT,
        output TEXT NOT NULL
    )
    """,
    # A million old runs cost nothing at start: only what still needs work is in this index.
    "CREATE INDEX runs_open ON runs (id) WHERE settled = 0",
    "CREATE INDEX runs_state ON runs (state)",
    "CREATE INDEX runs_host ON runs (host)",
    "CREATE INDEX runs_job ON runs (job_id) WHERE job_id IS NOT NULL",
    "CREATE INDEX runs_created ON runs (created_at)",
    # Apart from `runs`, for a program may carry 100 KB of input, and SQLite rewrites the whole row at every move.
    """
    CREATE TABLE programs (
        run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        program TEXT NOT NULL
    )
    """,
    # What finds a run by label or by argument: see rows.marks(). Without a foreign key, as that needs one more index:
    # whoever deletes a run can tell its marks from its row.
    "CREATE TABLE marks (mark TEXT NOT NULL, run_id INTEGER NOT NULL, PRIMARY KEY (mark, run_id)) WITHOUT ROWID",
    """
    CREATE TABLE run_log (
        id INTEGER PRIMARY KEY,
        run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        at REAL NOT NULL,
        old TEXT,
        new TEXT NOT NULL,
        reason TEXT NOT NULL,
        message TEXT NOT NULL
    )
    """,
    "CREATE INDEX run_log_run ON run_log (run_id)",
    # Counting a million rows takes 30 ms even by index; these rows are counted as they move.
    "CREATE TABLE counts (state TEXT PRIMARY KEY, runs INTEGER NOT NULL) WITHOUT ROWID",
    """
    CREATE TRIGGER count_insert AFTER INSERT ON runs BEGIN
        INSERT INTO counts VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET runs = runs + 1;
    END
    """,
    """
    CREATE TRIGGER count_move AFTER UPDATE OF state ON runs WHEN OLD.state <> NEW.state BEGIN
        UPDATE counts SET runs = runs - 1 WHERE state = OLD.state;
        INSERT INTO counts VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET runs = runs + 1;
    END
    """,
    """
    CREATE TRIGGER count_delete AFTER DELETE ON runs BEGIN
        UPDATE counts SET runs = runs - 1 WHERE state = OLD.state;
    END
    """,
)

_SECOND = (
    # Up to which instant each schedule has been asked. `schedule` tells the schedules of a job apart.
    """
    CREATE TABLE cursors (
        job_id TEXT NOT NULL,
        schedule TEXT NOT NULL,
        until REAL NOT NULL,
        PRIMARY KEY (job_id, schedule)
    ) WITHOUT ROWID
    """,
    "CREATE TABLE job_log (id INTEGER PRIMARY KEY, job_id TEXT NOT NULL, at REAL NOT NULL, message TEXT NOT NULL)",
    "CREATE INDEX job_log_job ON job_log (job_id)",
    "ALTER TABLE runs ADD COLUMN stop_rule TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE runs ADD COLUMN stop_at REAL",
)

_COUNTS_AS_PAST = "finished_at IS NOT NULL AND job_id IS NOT NULL AND root IS NULL AND retried_by IS NULL"
_THIRD = (
    # What was asked for, apart from the host that was chosen.
    "ALTER TABLE runs ADD COLUMN asked TEXT NOT NULL DEFAULT ''",
    "UPDATE runs SET asked = host",
    "ALTER TABLE runs ADD COLUMN root INTEGER",
    "ALTER TABLE runs ADD COLUMN step TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE runs ADD COLUMN not_before REAL",
    "ALTER TABLE runs ADD COLUMN ready_since REAL",
    "ALTER TABLE runs ADD COLUMN forced INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE runs ADD COLUMN held TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE runs ADD COLUMN warned TEXT NOT NULL DEFAULT '[]'",
    """ALTER TABLE runs ADD COLUMN "values" TEXT NOT NULL DEFAULT '{}'""",
    "ALTER TABLE runs ADD COLUMN retried_by INTEGER",
    "CREATE INDEX runs_root ON runs (root) WHERE root IS NOT NULL",
    # Apart from `runs`, and without a row for the many that have none.
    """
    CREATE TABLE plans (
        run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        plan TEXT NOT NULL
    )
    """,
    # What is held back apart from single runs: job:backup, host:nas, or * for everything.
    "CREATE TABLE holds (key TEXT PRIMARY KEY, words TEXT NOT NULL) WITHOUT ROWID",
    # Messages that are to be delivered at least once; `done_at` is null until they are.
    """
    CREATE TABLE notices (
        id TEXT PRIMARY KEY,
        run_id INTEGER,
        job_id TEXT,
        made_at REAL NOT NULL,
        deed TEXT NOT NULL,
        occasion TEXT NOT NULL,
        facts TEXT NOT NULL,
        tries INTEGER NOT NULL,
        next_at REAL NOT NULL,
        problem TEXT NOT NULL,
        done_at REAL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX notices_open ON notices (id) WHERE done_at IS NULL",
    "CREATE INDEX notices_run ON notices (run_id) WHERE run_id IS NOT NULL",
    # What a dependency may have been met by (past.py): not by steps of workflows, nor attempts that were repeated.
    f"CREATE INDEX runs_past ON runs (job_id, state, finished_at) WHERE {_COUNTS_AS_PAST}",
    f"CREATE INDEX runs_same ON runs (job_id, args, state, finished_at) WHERE {_COUNTS_AS_PAST}",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _SECOND, _THIRD)
"""MIGRATIONS[n] leads from version n to version n + 1."""

VERSION = len(MIGRATIONS)
