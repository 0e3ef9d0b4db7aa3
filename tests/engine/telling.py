"""An outbox with a store behind it and no scheduler around it: what the core does with notices, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sshsched.config.settings import Settings
from sshsched.config.telling import Smtp
from sshsched.config.templates import render
from sshsched.domain.events import Delivered
from sshsched.domain.instructions import Notice, Save, SaveNotice
from sshsched.domain.model import Output, Run, Stream
from sshsched.domain.plan import Deed
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.domain.telling import delivered
from sshsched.engine.means import House
from sshsched.engine.notices import Notices
from sshsched.kinds.actions.facts import facts_of
from sshsched.store.memory import MemoryStore

T0 = 1_800_000_000.0
FAILED = Run(
    7,
    "nas",
    Program("restic backup"),
    T0,
    State.FAILURE,
    key="5be1f00d",
    job_id="backup",
    args={"date": "2027-01-15"},
    message="exit code 3",
    started_at=T0,
    finished_at=T0 + 12,
    output=Output(complete=True),
    cleaned=True,
)


@dataclass
class Prints:
    """Output files without a disk."""

    streams: dict[str, bytes] = field(default_factory=dict)

    def read(self, run_id: int, stream: Stream, offset: int, size: int) -> bytes:
        return self.streams.get(stream, b"")[offset : offset + size]

    def size(self, run_id: int, stream: Stream) -> int:
        return len(self.streams.get(stream, b""))


@dataclass
class Clock:
    """A clock that stands until it is set."""

    now: float = T0 + 20

    def __call__(self) -> float:
        return self.now


@dataclass
class Safe:
    """Secrets by name."""

    values: Mapping[str, str] = field(default_factory=dict)

    async def value(self, name: str) -> str:
        return self.values[name]

    async def of(self, run: Run) -> Mapping[str, str]:
        return {variable: self.values[name] for variable, name in run.plan.secrets.items()}


class Bench:
    """An outbox, its store, and everything it is made of."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = Clock()
        self.prints = Prints()
        self.safe = Safe()
        self.live: dict[int, Run] = {}
        self.settings = Settings()
        self.house = House(
            "0123456789ab",
            settings=lambda: self.settings,
            secrets=self.safe,
            fill=render,
            runs=self.live.get,
            outputs=self.prints,
            clock=self.clock,
        )
        self.box: Notices

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Notices]:
        """The outbox at work, with what is open in the store."""
        self.box = Notices(
            await self.store.open_notices(),
            deliver=self.house.deliver,
            route=self.house.route,
            say=self._say,
            clock=self.clock,
            chance=lambda: 0.0,
        )
        task = asyncio.create_task(self.box.run())
        try:
            yield self.box
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def mail(self, port: int, **more: Any) -> None:
        self.settings = Settings(smtp=Smtp("localhost", "sched@example.com", port=port, **{"security": "none", **more}))

    async def tell(self, *notices: Notice) -> None:
        """Save notices, and hand them over, as the core does."""
        await self.store.commit([SaveNotice(notice) for notice in notices])
        for notice in notices:
            self.box.saved(notice)

    def told(self, number: int = 7) -> dict[str, Notice]:
        return {notice.id: notice for notice in self.store.notices(number)}

    async def with_run(self, run: Run = FAILED) -> None:
        await self.store.commit([Save(run, None)])

    async def _say(self, event: Delivered) -> None:
        await self.store.commit(list(delivered(None, event)))  # type: ignore[arg-type]
        self.box.saved(event.notice)


def notice(id: str = "r7-failure-0", kind: str = "notify", occasion: str = "failure", **options: Any) -> Notice:
    """That run r7 has failed, for one action."""
    return Notice(
        id, Deed(kind, options, (occasion,)), occasion, facts_of(FAILED), T0 + 20, 7, "backup", next_at=T0 + 20
    )
