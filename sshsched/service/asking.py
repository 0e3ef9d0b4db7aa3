"""What every handler has: whom it may ask, and how it reads a request.

Rule: nothing is answered before it is known or saved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request

from sshsched.domain.model import Run
from sshsched.domain.shape import Shape, run_shape
from sshsched.errors import NotFoundError, UsageError
from sshsched.service import bodies
from sshsched.service.facade import Facade, History, Outputs
from sshsched.service.hub import Hub
from sshsched.service.metrics import Exposition
from sshsched.service.streams import HEARTBEAT
from sshsched.store.ports import RunReader

MOST_BODY = 64 * 1024 * 1024
T = TypeVar("T")


@dataclass
class Asking:
    """`past` is only ever used in `thread`, which has one worker. `now` is seconds since 1970."""

    facade: Facade
    past: RunReader
    outputs: Outputs
    hub: Hub
    thread: ThreadPoolExecutor
    now: Callable[[], float]
    heartbeat: float = HEARTBEAT
    history: History | None = None
    exposition: Exposition | None = None

    async def find(self, wanted: int) -> Run:
        """A run from the engine, or else from the store. Raises NotFoundError."""
        run = self.facade.run(wanted) or await self.in_thread(lambda: self.past.run(wanted))
        if run is None:
            raise NotFoundError(f"r{wanted}: there is no such run; `sshsched runs` lists them")
        return run

    async def find_all(self, names: list[str]) -> dict[int, Run]:
        """The runs of these names. Raises UsageError for what is no name, NotFoundError."""
        if not names:
            raise UsageError("runs: is empty; name at least one run")
        numbers = [bodies.number(name, "runs") for name in dict.fromkeys(names)]
        return {number: await self.find(number) for number in numbers}

    async def in_thread(self, work: Callable[[], T]) -> T:
        """The only place where the past is asked."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)


def shapes(runs: Iterable[Run]) -> list[Shape]:
    """Runs as they are answered."""
    return [run_shape(run) for run in runs]


async def body_of(request: Request, kind: type[bodies.B]) -> bodies.B:
    """The body of a request. Raises UsageError."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_BODY:
            raise UsageError(f"the request is larger than {MOST_BODY >> 20} MiB")
    return bodies.decode(bytes(data), kind)
