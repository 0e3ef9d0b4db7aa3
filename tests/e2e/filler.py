"""A scheduler whose store is full, read-only or damaged while the file FAULT says so: SQLite itself is told to be."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from sshsched.cli.main import main
from sshsched.domain.instructions import Save
from sshsched.store import store

_commit = store._commit
_FAULT = Path(os.environ["FAULT"])


def commit(connection: sqlite3.Connection, *, saves: Sequence[Save]) -> None:
    """The real one, where no page may be added, or nothing be written, or all is well."""
    fault = _FAULT.read_text() if _FAULT.exists() else ""
    if fault == "damaged":
        connection = sqlite3.connect(":memory:")
        connection.deserialize(b"garbage" * 1000)
    if fault == "full":
        connection.execute("VACUUM")
    connection.execute(f"PRAGMA max_page_count = {1 if fault == 'full' else 4294967294}")
    connection.execute(f"PRAGMA query_only = {int(fault == 'cannot be written')}")
    _commit(connection, saves=saves)


if __name__ == "__main__":
    store._commit = commit
    main()
