"""Old runs leave the store: for an archive, or for good. And the room that they took goes back to the disk.

Rule: the loop only waits. Runs are picked and copied in a thread of their own, and let go of by the store's thread in
transactions of a few milliseconds, with pauses for those who have something to save. It may be killed at any step: a
run is in the store, or in the archive, or in both until the move is taken up again.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sshsched.domain.model import Run
from sshsched.domain.retention import Then
from sshsched.engine.policies import Policies
from sshsched.errors import RefusedError, SshschedError
from sshsched.store import history, vacuum
from sshsched.store.archive import Archive, open_archive, usual
from sshsched.store.database import BUSY_TIMEOUT, database, explained, open_reader
from sshsched.store.history import Policy
from sshsched.store.output import OutputFiles
from sshsched.store.store import Store

SLICE = 10  # runs in one transaction: some milliseconds of the store's thread
ROUND = 2.0  # seconds of work in one go; whoever asked asks again
FIRST, EVERY = 60.0, 3600.0  # seconds after the start, and from one look at the limits to the next

log = logging.getLogger("sshsched")
T = TypeVar("T")


@dataclass(slots=True)
class Gone:
    """How many runs have left the store, how much they had printed, and whether there are more to go."""

    archived: int = 0
    deleted: int = 0
    bytes: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True)
class Vacuumed:
    """How many bytes the database took and takes, and whether more can be had."""

    before: int
    after: int
    more: bool


class History:
    """`run()` keeps to the policies; the other methods are for whoever asks.

    Where it is `alone` with the store, it makes no pauses for others.
    """

    def __init__(self, store: Store, state_dir: Path, policies: Callable[[], Policies], *, alone: bool = False) -> None:
        self._store = store
        self._state_dir = state_dir
        self._policies = policies
        self._alone = alone
        self._outputs = OutputFiles(state_dir)
        self.still = asyncio.Lock()
        """Held while runs leave the store; who holds it finds every run that has ended still there when it is saved."""
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "history")

    async def run(self) -> None:
        """Keep to the policies, until cancelled."""
        await asyncio.sleep(FIRST)
        while True:
            try:
                await self._resume()
                while (gone := await self.archive()).more:
                    _tell(gone)
                _tell(gone)
            except SshschedError as error:
                log.error("old runs stay where they are: %s", error)
            except Exception:  # a mistake of ours costs this round, and nobody else anything
                log.exception("old runs stay where they are: unexpected")
            await asyncio.sleep(EVERY)

    async def archive(self, asked: Policies | None = None, to: Path | None = None) -> Gone:
        """Runs beyond the limits leave the store: a round of it.

        Raises RefusedError where `to` cannot be their archive, ConfigError if config.yaml is bad, StoreError.
        """
        async with self._turn:
            wanted = await self._in_thread(self._policies) if asked is None else asked
            gone, end = Gone(), time.monotonic() + ROUND
            if wanted.policies:
                await self._resume()
                move = _Move(self._store, self._state_dir, to or usual(self._state_dir), self._in_thread)
                try:
                    await self._go(move, wanted, gone, end)
                finally:
                    await self._in_thread(move.close)
            return gone

    async def vacuum(self) -> Vacuumed:
        """Room of what is gone goes back to the disk: a round of it. Raises RefusedError, StoreError."""
        async with self._turn:
            before, end, more = await self._store.perform(vacuum.size), time.monotonic() + ROUND, True
            if not await self._store.perform(vacuum.in_pieces):
                if not self._alone:
                    raise RefusedError(
                        "this database was made by a version that could not do this in pieces; end the scheduler, "
                        "and `sshsched vacuum` does it whole, once"
                    )
                await self._store.perform(vacuum.whole)
            while more and time.monotonic() < end:
                began = time.monotonic()
                more = await self._store.perform(vacuum.piece)
                await self._rest(began)
            await self._store.perform(vacuum.settle)
            return Vacuumed(before, await self._store.perform(vacuum.size), more)

    async def close(self) -> None:
        """Waits for what is under way in the thread."""
        await asyncio.to_thread(self._thread.shutdown)

    # Inside ----------------------------------------------------------------------------------------------------------

    async def _go(self, move: _Move, wanted: Policies, gone: Gone, end: float) -> None:
        for policy in wanted.policies:
            picks = await self._in_thread(partial(move.picks, policy, wanted.spared))
            while runs := await self._in_thread(partial(_some, picks)):
                began = time.monotonic()
                if policy.limits.then is Then.ARCHIVE:
                    await move.archive(runs)
                    gone.archived += len(runs)
                else:
                    gone.deleted += len(runs)
                await self._forget({run.id: run.state.value for run in runs})
                gone.bytes += sum(run.output.stdout + run.output.stderr for run in runs)
                if time.monotonic() > end:
                    gone.more = True
                    return
                await self._rest(began)
        await self._done()

    async def _forget(self, states: Mapping[int, str]) -> None:
        """Their rows, and then their output."""
        async with self.still:
            await self._store.perform(partial(history.forget, states=states))
        gone = await self._store.perform(history.doomed)
        await self._in_thread(lambda: self._outputs.remove(gone))

    async def _done(self) -> None:
        for name in (history.ARCHIVING, history.DOOMED):
            if await self._store.perform(partial(history.noted, name=name)) is not None:
                await self._store.perform(partial(history.note, name=name, value=None))

    async def _resume(self) -> None:
        """What a crash has cut short is brought to its end."""
        if doomed := await self._store.perform(history.doomed):
            await self._in_thread(lambda: self._outputs.remove(doomed))
        file = await self._store.perform(partial(history.noted, name=history.ARCHIVING))
        if file is not None and (left := await self._in_thread(lambda: self._left_behind(Path(file)))):
            await self._forget(left)
        await self._done()

    def _left_behind(self, file: Path) -> dict[int, str]:
        """None if the archive has gone since, or made place for another: then its runs are in the store alone."""
        if not file.exists():
            return {}
        try:
            with open_archive(file, self._state_dir, self._store.instance) as archive:
                return archive.left_behind()
        except RefusedError:
            return {}

    async def _rest(self, began: float) -> None:
        """As long as the work took: half of the time belongs to others."""
        await asyncio.sleep(0 if self._alone else time.monotonic() - began)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


InThread = Callable[[Callable[[], T]], Awaitable[T]]


class _Move:
    """One round: what it reads with, and the archive, which is opened when the first run goes there."""

    def __init__(self, store: Store, state_dir: Path, to: Path, in_thread: InThread[Any]) -> None:
        self._store = store
        self._state_dir = state_dir
        self._to = to
        self._in_thread = in_thread
        self._opened = ExitStack()
        self._reader: sqlite3.Connection | None = None
        self._archive: Archive | None = None

    def picks(self, policy: Policy, spared: Callable[[Run], bool]) -> Iterator[list[Run]]:
        """The runs that go, those together that belong together. In the thread."""
        path = database(self._state_dir)
        if self._reader is None:
            reader = open_reader(path, BUSY_TIMEOUT)
            assert reader is not None, "the store is open, so there is one"
            self._reader = self._opened.enter_context(closing(reader))
        with explained(path):
            yield from history.picked(self._reader, history.plan(self._reader, policy, time.time()), spared)

    async def archive(self, runs: Sequence[Run]) -> None:
        """Copies of these runs, durable in the archive."""
        if self._archive is None:
            await self._store.perform(partial(history.note, name=history.ARCHIVING, value=str(self._to)))
            self._archive = await self._in_thread(
                lambda: self._opened.enter_context(open_archive(self._to, self._state_dir, self._store.instance))
            )
        archive = self._archive
        await self._in_thread(lambda: archive.take([run.id for run in runs]))

    def close(self) -> None:
        """In the thread."""
        self._opened.close()


def _some(picks: Iterator[list[Run]]) -> list[Run]:
    """About as many as one transaction takes."""
    found: list[Run] = []
    for together in picks:
        found += together
        if len(found) >= SLICE:
            break
    return found


def _tell(gone: Gone) -> None:
    if gone.archived or gone.deleted:
        log.info("old runs: %d archived, %d deleted", gone.archived, gone.deleted)
