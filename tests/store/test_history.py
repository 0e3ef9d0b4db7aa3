"""What belongs to a run goes with it, and comes with it into the archive."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sshsched.domain.retention import Retention
from sshsched.store.archive import COPIED
from sshsched.store.database import open_writer
from sshsched.store.history import Policy, plan


def tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in names}


def test_nothing_is_left_out(tmp_path: Path) -> None:
    """Each table that is about runs is copied, with all its columns; rows of the log get new numbers."""
    connection = open_writer(tmp_path / "store.db", 1.0)
    of_runs = {name: columns for name, columns in tables(connection).items() if "run_id" in columns or name == "runs"}
    connection.close()

    assert {*of_runs} == {*COPIED, "marks"}
    assert {name: {*columns} for name, (_, _, columns) in COPIED.items()} == {
        name: {*of_runs[name]} - ({"id"} if name == "run_log" else set()) for name in COPIED
    }


def test_old_runs_cost_nothing_to_pass_over(tmp_path: Path) -> None:
    """Where only age counts, the limit is found by index."""
    connection = open_writer(tmp_path / "store.db", 1.0)
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    plan(connection, Policy(Retention(age=5.0)), 1e9)
    connection.set_trace_callback(None)
    (query,) = asked
    steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    connection.close()

    assert ["SEARCH runs USING COVERING INDEX runs_created (created_at<?)"] == steps
