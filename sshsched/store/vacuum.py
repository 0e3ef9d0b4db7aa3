"""Giving the room of what is gone back to the disk, some pages at a time.

Rule: each piece is a small transaction of the one writer. SQLite's VACUUM would write the whole database anew in one
step, and hold up every commit until it is done; so new databases are made for the incremental kind.
"""

from __future__ import annotations

import sqlite3
from typing import Final

PAGES: Final = 64
INCREMENTAL: Final = 2


def size(connection: sqlite3.Connection) -> int:
    """Bytes that the database takes."""
    return _number(connection, "page_count") * _number(connection, "page_size")


def in_pieces(connection: sqlite3.Connection) -> bool:
    """Whether it can be done piece by piece; databases of versions before this was known need whole()."""
    return _number(connection, "auto_vacuum") == INCREMENTAL


def piece(connection: sqlite3.Connection) -> bool:
    """A few milliseconds of work; whether anything is left."""
    # Each step of it frees one page, and of a statement without columns execute() takes only the first step.
    connection.executescript(f"PRAGMA incremental_vacuum({PAGES})")
    return _number(connection, "freelist_count") > 0


def settle(connection: sqlite3.Connection) -> None:
    """Has the file itself shrink, as far as nobody reads."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def whole(connection: sqlite3.Connection) -> None:
    """All at once, and from then on it can be done in pieces. Needs as much room again while it lasts."""
    connection.execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")
    connection.execute("VACUUM")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
