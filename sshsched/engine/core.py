"""The turn: take the events that are there, decide, save all that follows in one transaction, then act.

Rule: nothing is done, and nobody is told, before it is saved. While the store cannot be written nothing moves; programs
on hosts go on by themselves and are found again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from sshsched.domain.events import Event, Restarted, Woken
from sshsched.domain.instructions import Ask, Instruction, Notice, Saving
from sshsched.domain.model import Run
from sshsched.engine.board import Board
from sshsched.engine.turn import MakeRun, Turn
from sshsched.errors import StoreBusyError, StoreError

TICK = 1.0
RETRY_STORE = 1.0

log = logging.getLogger("sshsched")
Clock = Callable[[], float]


class Saver(Protocol):
    """The writing side of a store."""

    async def commit(self, saves: Sequence[Saving]) -> None: ...


class Audience(Protocol):
    """Who hears of every saved change, on the loop; must not block."""

    def run_changed(self, run: Run) -> None: ...
    def host_changed(self, host: str) -> None: ...
    def host_wanted(self, host: str) -> None: ...
    def told(self, notices: Sequence[Notice]) -> None: ...


class Core:
    """The one task that changes runs."""

    def __init__(
        self,
        store: Saver,
        board: Board,
        make: MakeRun,
        perform: Callable[[str, Instruction], None],
        audience: Audience,
        clock: Clock = time.time,
    ) -> None:
        self.board = board
        self.problem = ""
        self._store = store
        self._make = make
        self._perform = perform
        self._audience = audience
        self._clock = clock
        self._events: asyncio.Queue[tuple[Event, asyncio.Future[Mapping[int, Run]] | None]] = asyncio.Queue()

    @property
    def waiting(self) -> int:
        """How many events have not been decided yet."""
        return self._events.qsize()

    def post(self, event: Event) -> None:
        """Have the event decided soon."""
        self._events.put_nowait((event, None))

    async def say(self, event: Event) -> Mapping[int, Run]:
        """Have it decided, and return when what follows is saved: the runs that this turn changed, as they are now."""
        done: asyncio.Future[Mapping[int, Run]] = asyncio.get_running_loop().create_future()
        self._events.put_nowait((event, done))
        return await done

    async def run(self) -> None:
        """Take turns until cancelled."""
        self.post(Restarted(self._clock()))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick())
            group.create_task(self._turns())

    async def _turns(self) -> None:
        while True:
            batch = [await self._events.get()]
            while not self._events.empty():
                batch.append(self._events.get_nowait())
            try:
                changed = await self._turn([event for event, _ in batch])
            except StoreError as error:  # the end of us; whoever waits is told why
                for _, done in batch:
                    if done is not None and not done.done():
                        done.set_exception(error)
                raise
            for _, done in batch:
                if done is not None and not done.done():
                    done.set_result(changed)

    async def _turn(self, events: list[Event]) -> Mapping[int, Run]:
        turn = Turn(self.board, self._make, self._clock)
        for event in events:
            turn.take(event)
        turn.settle()
        if turn.saves:
            await self._commit(turn.saves)
        self.board.sweep()
        changed = turn.changed
        for run in changed.values():
            self._audience.run_changed(run)
        for host in turn.hosts:
            self._audience.host_changed(host)
        for host in turn.wanted:
            self._audience.host_wanted(host)
        if turn.notices:
            self._audience.told(turn.notices)
        for act in turn.acts:
            self._perform(_host_of(act), act)
        return changed

    async def _commit(self, saves: list[Saving]) -> None:
        while True:
            try:
                await self._store.commit(saves)
            except StoreBusyError as error:
                if str(error) != self.problem:
                    log.error("%s; nothing is started until it can be written", error)
                self.problem = str(error)
                await asyncio.sleep(RETRY_STORE)
            else:
                self.problem = ""
                return

    async def _tick(self) -> None:
        """Look at the clock at least once a second while it may bring anything: clocks jump, and laptops sleep."""
        while True:
            next_at = self.board.next_at
            pause = TICK if next_at is None else next_at - self._clock()
            await asyncio.sleep(min(TICK, max(pause, 0.01)))
            if due := self.board.due(self._clock()):
                await self.say(Woken(self._clock(), due))


def _host_of(act: Any) -> str:
    host: str = act.probe.host if isinstance(act, Ask) else act.run.host
    return host
