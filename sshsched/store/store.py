"""The one writer of the database, for the loop of the scheduler.

Rule: when commit() returns, it is on the disk; when it raises, nothing was changed.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import aiosqlite

from sshsched.domain.instructions import Notice, SaveCursor, SaveHold, SaveNotice, Saving
from sshsched.domain.model import Run
from sshsched.domain.states import State
from sshsched.errors import StoreError
from sshsched.store import notices, queries, rows
from sshsched.store.database import BUSY_TIMEOUT, database, explained, open_writer, transaction

T = TypeVar("T")


class _Thread(aiosqlite.Connection):
    """One hop into the thread for a whole piece of work; aiosqlite itself makes one for every statement."""

    async def perform(self, work: Callable[[sqlite3.Connection], T]) -> T:
        result: T = await self._execute(work, self._conn)  # type: ignore[no-untyped-call]
        return result


class Store:
    """Made by open_store()."""

    def __init__(self, path: Path, thread: _Thread, instance: str) -> None:
        self.instance = instance
        self._path = path
        self._thread = thread

    async def commit(self, saves: Sequence[Saving]) -> None:
        """All saves in one transaction, in their order, and durably.

        Raises StoreBusyError while the database is locked, full or read-only: ask again later. Raises StoreError where
        a run is not in the state that its save expects, or differs in what is fixed when a run is made (its program is
        written by the first save only). Nothing was changed then. If this call is cancelled, the commit may still
        happen.
        """
        if saves:
            await self.perform(partial(_commit, saves=saves))

    async def live(self) -> list[Run]:
        """All runs for which something is left to do, by id."""
        return await self.perform(
            lambda connection: [rows.run_of(row) for row in connection.execute(queries.LIVE_RUNS)]
        )

    async def last_id(self) -> int:
        """The highest run id ever used; 0 if none was."""
        row = await self.perform(lambda connection: connection.execute(queries.LAST_ID).fetchone())
        return 0 if row is None else int(row[0])

    async def cursors(self) -> dict[tuple[str, str], float]:
        """Up to which instant each schedule has been asked, by job id and schedule."""
        return await self.perform(
            lambda connection: {(job, schedule): until for job, schedule, until in connection.execute(queries.CURSORS)}
        )

    async def holds(self) -> dict[str, str]:
        """What is held back apart from single runs, and in whose words."""
        return await self.perform(lambda connection: dict(connection.execute(queries.HOLDS)))

    async def open_notices(self) -> list[Notice]:
        """All notices that are still to be delivered."""
        return await self.perform(
            lambda connection: list(notices.notices_of(connection.execute(notices.OPEN).fetchall()))
        )

    async def close(self) -> None:
        """Waits for the commits under way."""
        await self._thread.close()

    async def perform(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """A piece of work of this package, between two commits: it must be over within milliseconds."""
        with explained(self._path):
            return await self._thread.perform(work)


@asynccontextmanager
async def open_store(state_dir: Path, *, busy_timeout: float = BUSY_TIMEOUT) -> AsyncIterator[Store]:
    """The store of a folder, made or brought up to date where needed. The caller holds the folder (lock.hold()).

    `busy_timeout` is how long to wait for another program's lock, in seconds. Raises StoreNewerError, StoreDamagedError
    and StoreBusyError.
    """
    path = database(state_dir)
    connection = await asyncio.to_thread(open_writer, path, busy_timeout)
    thread = _Thread(lambda: connection, 64)
    await thread
    try:
        with explained(path):
            (instance,) = await thread.perform(lambda connection: connection.execute(queries.INSTANCE).fetchone())
        yield Store(path, thread, instance)
    finally:
        await thread.close()


def _commit(connection: sqlite3.Connection, *, saves: Sequence[Saving]) -> None:
    with transaction(connection):
        for save in saves:
            if isinstance(save, SaveCursor):
                _move_cursor(connection, save)
                continue
            if isinstance(save, SaveHold):
                _hold(connection, save)
                continue
            if isinstance(save, SaveNotice):
                notices.save_notice(connection, save)
                continue
            try:
                if save.old is None:
                    _insert(connection, save.run)
                else:
                    _update(connection, save.run, save.old)
                connection.executemany(queries.INSERT_LOG, map(rows.entry_row, save.log))
            except (UnicodeError, OverflowError) as error:
                raise StoreError(f"{save.run.name} cannot be stored: {error}") from error


def _move_cursor(connection: sqlite3.Connection, save: SaveCursor) -> None:
    if save.until is None:
        connection.execute(queries.FORGET_CURSOR, (save.job_id, save.schedule))
    else:
        connection.execute(queries.MOVE_CURSOR, (save.job_id, save.schedule, save.until))
    if save.note:
        connection.execute(queries.INSERT_JOB_LOG, (save.job_id, save.at, save.note))


def _hold(connection: sqlite3.Connection, save: SaveHold) -> None:
    if save.words is None:
        connection.execute(queries.RELEASE, (save.key,))
    else:
        connection.execute(queries.HOLD, (save.key, save.words))


def _insert(connection: sqlite3.Connection, run: Run) -> None:
    try:
        connection.execute(queries.INSERT_RUN, (run.id, *rows.fixed(run), *rows.moving(run)))
    except sqlite3.IntegrityError as error:
        raise StoreError(f"{run.name} exists already, and was to be new") from error
    connection.execute(queries.INSERT_PROGRAM, (run.id, rows.program(run)))
    if (plan := rows.plan(run)) is not None:
        connection.execute(queries.INSERT_PLAN, (run.id, plan))
    connection.executemany(queries.INSERT_MARK, [(mark, run.id) for mark in rows.marks(run.args, run.labels)])


def _update(connection: sqlite3.Connection, run: Run, old: State) -> None:
    values = (*rows.moving(run), run.id, old.value, *rows.fixed(run))
    if connection.execute(queries.UPDATE_RUN, values).rowcount == 1:
        return
    row = connection.execute(queries.STATE, (run.id,)).fetchone()
    if row is None:
        raise StoreError(f"{run.name} is not in the store, and was to be {old} there")
    if row[0] != old:
        raise StoreError(f"{run.name} is {row[0]} in the store, and was to be {old} there")
    raise StoreError(f"{run.name} differs from the store in what is fixed when a run is made ({', '.join(rows.FIXED)})")
