"""Many small requests to a host as one: what comes while another batch is under way goes together.

Rule: a batch that fails is the business of whoever performs it; nothing is kept, and nothing tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Batcher:
    """Gathers run ids while an earlier batch is under way, and `linger` seconds more, and hands them on together."""

    def __init__(self, perform: Callable[[list[int]], Awaitable[None]], most: int, linger: float = 0.0) -> None:
        self._perform = perform
        self._most = most
        self._linger = linger
        self._ids: dict[int, None] = {}
        self._woken = asyncio.Event()

    def add(self, run_id: int) -> None:
        self._ids[run_id] = None
        self._woken.set()

    async def run(self) -> None:
        while True:
            await self._woken.wait()
            if self._linger:
                await asyncio.sleep(self._linger)
            batch = list(self._ids)[: self._most]
            for run_id in batch:
                del self._ids[run_id]
            if not self._ids:
                self._woken.clear()
            await self._perform(batch)
