"""Opening the database file, for the one writer and for readers, and what SQLite's errors mean to a person.

Rule: nobody else calls sqlite3.connect(), and no sqlite3 error leaves the store.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sshsched.errors import StoreBusyError, StoreDamagedError, StoreError, StoreNewerError
from sshsched.store.schema import APPLICATION_ID, MIGRATIONS, VERSION

BUSY_TIMEOUT = 5.0
CHECKED_SIZE = 32 << 20
"""Bytes up to which a database is read through at opening: a million old runs must cost nothing at start."""

_PASSING = {
    sqlite3.SQLITE_BUSY: "another program has it locked; end that program, or wait until it is done",
    sqlite3.SQLITE_LOCKED: "another program has it locked; end that program, or wait until it is done",
    sqlite3.SQLITE_FULL: "the disk is full; make room there",
    sqlite3.SQLITE_READONLY: "it cannot be written to; check its permissions, and whether its disk is read-only",
    sqlite3.SQLITE_PERM: "it may not be accessed; check its permissions",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check its permissions and those of its folder",
    sqlite3.SQLITE_IOERR: "reading or writing failed; check the disk, and that it is not full",
    sqlite3.SQLITE_NOMEM: "there is not enough memory; end other programs",
}
_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def database(state_dir: Path) -> Path:
    """The file of the database."""
    return state_dir / "store.db"


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns errors of SQLite into ours, with a sentence that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the high bytes only refine it
    if code in _PASSING:
        return StoreBusyError(f"{path}: {_PASSING[code]} ({error})")
    if code in _BROKEN:
        return damaged(path, str(error))
    return StoreError(f"{path}: {error}; please report this as a defect of sshsched")


def unusable(path: Path, error: OSError) -> StoreBusyError:
    return StoreBusyError(f"{path}: {error.strerror}; check the folder, its permissions and its disk")


def damaged(path: Path, how: str) -> StoreDamagedError:
    return StoreDamagedError(
        f"{path}: damaged, or no database of sshsched ({' '.join(how.split())}); "
        f"restore a backup of it, or move it away together with {path.name}-wal to begin anew"
    )


def open_writer(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """The connection that writes: WAL, every commit on the disk, schema up to date. Transactions are begun by hand.

    Makes folder and file if there are none, only for the user.
    Raises StoreNewerError, StoreDamagedError, StoreBusyError.
    """
    _make_private(path)
    with explained(path):
        uri = path.absolute().as_uri()  # so that what is attached to it may be said to be read-only
        connection = sqlite3.connect(uri, uri=True, timeout=busy_timeout, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def open_reader(path: Path, busy_timeout: float) -> sqlite3.Connection | None:
    """A connection that only reads; None if there is no database yet. Threads may take turns on it."""
    try:
        path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(path, error) from error
    with explained(path):
        connection = _connect_reader(path, busy_timeout)
        try:
            version = _version(connection, path)
        except BaseException:
            connection.close()
            raise
    if version == VERSION:
        return connection
    connection.close()
    if version == 0:
        return None
    raise StoreError(
        f"{path}: written by an older sshsched (version {version}, not {VERSION}); `sshsched serve` upgrades it"
    )


def is_older(path: Path) -> bool:
    """Whether a database was written by an older version. Raises StoreNewerError, StoreDamagedError, StoreBusyError."""
    with explained(path), closing(_connect_reader(path, BUSY_TIMEOUT)) as connection:
        return _version(connection, path) < VERSION


def _connect_reader(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """In a folder where nothing can be written SQLite cannot share the file; but then nobody is writing either."""
    uri = path.absolute().as_uri()
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        connection = sqlite3.connect(f"{uri}?{mode}", uri=True, timeout=busy_timeout, check_same_thread=False)
        try:
            connection.execute("SELECT 1 FROM sqlite_master")
        except sqlite3.OperationalError as error:
            connection.close()
            wal = path.with_name(f"{path.name}-wal")
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN or wal.exists() or "immutable" in mode:
                raise
        except BaseException:
            connection.close()
            raise
        else:
            break
    return connection


def _make_private(path: Path) -> None:
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(mode=0o700, parents=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(file, 0o600)  # SQLite gives -wal and -shm the mode of the database
        finally:
            os.close(file)
    except OSError as error:
        raise unusable(path, error) from error


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection, path)
    if path.stat().st_size <= CHECKED_SIZE:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise damaged(path, verdict)
    if version == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # can be said only before there is anything
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(f"{path}: SQLite cannot keep its log here (mode {mode}); use a local disk, with --state-dir")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute("PRAGMA cache_size = -16384")  # KiB; the usual 2 MiB do not hold the indexes of 100,000 runs
    if version < VERSION:
        _migrate(connection, version)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the schema; 0 for a new file."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != APPLICATION_ID:
        raise damaged(path, "another program's database")
    if version > VERSION:
        raise StoreNewerError(
            f"{path}: written by a newer sshsched (version {version}; this one knows {VERSION}); "
            "upgrade sshsched, or choose another folder with --state-dir"
        )
    return version


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    """From this version to the present one, whole or not at all: a command that reads must not meet one in between."""
    with transaction(connection):
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing. Takes the write lock first, so that a wait for another program comes before any work."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back where a disk is full or broken
            connection.execute("ROLLBACK")
        raise
