"""The turn: take the events that are there, decide, save all that follows in one transaction, then act.

Rule: nothing is done, and nobody is told, before it is saved. While the store cannot be written nothing moves; programs
on hosts go on by themselves and are found again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from sshsched.domain.decide import decide
from sshsched.domain.events import (
    Consider,
    Considered,
    Event,
    HostDown,
    HostUp,
    Instruction,
    Save,
    SaveCursor,
    Saving,
    Submitted,
    Ticked,
    TimePassed,
)
from sshsched.domain.model import Run
from sshsched.engine.board import Board
from sshsched.errors import StoreBusyError

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


class Core:
    """The one task that changes runs."""

    def __init__(
        self,
        store: Saver,
        board: Board,
        perform: Callable[[str, Instruction], None],
        audience: Audience,
        clock: Clock = time.time,
    ) -> None:
        self.board = board
        self.problem = ""
        self._store = store
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
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick())
            group.create_task(self._turns())

    async def _turns(self) -> None:
        while True:
            batch = [await self._events.get()]
            while not self._events.empty():
                batch.append(self._events.get_nowait())
            changed = await self._turn([event for event, _ in batch])
            for _, done in batch:
                if done is not None and not done.done():
                    done.set_result(changed)

    async def _turn(self, events: list[Event]) -> Mapping[int, Run]:
        saves: list[Saving] = []
        acts: list[Instruction] = []
        hosts: dict[str, None] = {}
        for event in events:
            self._see(event, hosts)
            self._decide(event, saves, acts, hosts)
        for host in list(hosts):
            self._decide(Considered(self._clock(), host), saves, acts, hosts)
        if saves:
            await self._commit(saves)
        changed = {save.run.id: save.run for save in saves if isinstance(save, Save)}
        for run in changed.values():
            self._audience.run_changed(run)
        for host in hosts:
            self._audience.host_changed(host)
        for act in acts:
            self._perform(_run_of(act).host, act)
        return changed

    def _decide(self, event: Event, saves: list[Saving], acts: list[Instruction], hosts: dict[str, None]) -> None:
        for instruction in decide(self.board.view, event):
            if isinstance(instruction, Save):
                self.board.put(instruction.run)
                saves.append(instruction)
            elif isinstance(instruction, SaveCursor):
                saves.append(instruction)
            elif isinstance(instruction, Consider):
                hosts[instruction.host] = None
            else:
                acts.append(instruction)

    def _see(self, event: Event, hosts: dict[str, None]) -> None:
        """What is known of hosts is no part of any run, and not stored."""
        if isinstance(event, HostUp):
            known = self.board.host(event.host)
            self.board.set_host(
                replace(known, up=True, boot=event.boot, spool=event.spool, since=event.at, problem="", permanent=False)
            )
            hosts[event.host] = None
        elif isinstance(event, HostDown):
            known = self.board.host(event.host)
            since = event.at if known.up or not known.since else known.since
            self.board.set_host(replace(known, up=False, since=since, problem=event.message, permanent=event.permanent))
            hosts[event.host] = None
        elif isinstance(event, Submitted | TimePassed):
            # What was wrong for good may have been mended: a new run is a reason to try again before giving up.
            for name in {run.host for run in event.runs}:
                known = self.board.host(name)
                if known.permanent:
                    self.board.set_host(replace(known, permanent=False, problem=""))

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
        """Wake at least once a second while anything waits: clocks jump, and laptops sleep."""
        while True:
            now = self._clock()
            due = min((run.due_at - now for run in self.board.scheduled.values()), default=TICK)
            await asyncio.sleep(min(TICK, max(due, 0.01)))
            if self.board.waits():
                await self.say(Ticked(self._clock()))


def _run_of(act: Any) -> Run:
    run: Run = act.run
    return run
