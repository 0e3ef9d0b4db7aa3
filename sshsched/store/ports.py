"""What the engine and the service need of a store, whichever it is. Rule: no more than they use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sshsched.domain.events import Save
from sshsched.domain.model import LogEntry, Run
from sshsched.domain.states import State
from sshsched.store.filter import RunFilter


class RunStore(Protocol):
    """The writing side: Store or MemoryStore."""

    instance: str

    async def commit(self, saves: Sequence[Save]) -> None: ...
    async def live(self) -> list[Run]: ...
    async def last_id(self) -> int: ...
    async def close(self) -> None: ...


class RunReader(Protocol):
    """The reading side: Reader or MemoryStore."""

    def run(self, id: int) -> Run | None: ...
    def runs(self, where: RunFilter, *, limit: int, before: int | None = None) -> list[Run]: ...
    def log(self, id: int) -> list[LogEntry]: ...
    def counts(self) -> dict[State, int]: ...
