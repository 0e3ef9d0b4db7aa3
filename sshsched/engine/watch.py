"""Whether the files of the jobs have changed.

Rule: looks, and never asks to be told: a change behind a link or on another machine's disk is seen like any other. It
looks as seldom as keeps the cost small, and waits until whoever writes has done so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

EVERY = 1.0  # seconds between two looks, at least
SHARE = 400  # so many times as long as a look costs is between two looks: a quarter of a per cent of a processor
SETTLED = 0.3  # seconds in which nothing may have changed
PATIENCE = 5.0  # seconds after which changes are taken as they are
AGAIN = 86400.0  # seconds after which all is read anyway: calendars come to their ends by time alone


async def watch(
    stamp: Callable[[], object], loaded_from: Callable[[], object], reload: Callable[[], Awaitable[object]]
) -> None:
    """Reload whenever the stamp of the files is not that of what is loaded, until cancelled."""
    loaded = time.monotonic()
    while True:
        found, cost = await asyncio.to_thread(_timed, stamp)
        if found != loaded_from():
            await _rest(stamp, found)
        if found != loaded_from() or time.monotonic() - loaded > AGAIN:
            loaded = time.monotonic()
            await reload()
        await asyncio.sleep(max(EVERY, SHARE * cost))


async def _rest(stamp: Callable[[], object], found: object) -> None:
    """Return when nobody writes any more."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        await asyncio.sleep(SETTLED)
        before, found = found, await asyncio.to_thread(stamp)
        if found == before:
            return


def _timed(stamp: Callable[[], object]) -> tuple[object, float]:
    """The stamp, and the processor time that it cost."""
    began = time.thread_time()
    found = stamp()
    return found, time.thread_time() - began
