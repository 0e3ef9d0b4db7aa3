"""What many tests use. Rule: a test waits for a condition, never for an amount of time."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from sshsched.store.lock import holder

ROOT = Path(__file__).parent.parent
EVERY = 0.01

T = TypeVar("T")


async def until(condition: Callable[[], T | Awaitable[T]], *, within: float = 5.0) -> T:
    """Wait until a condition, plain or async, is true, and return what it gave. Fails after `within` seconds."""
    end = time.monotonic() + within
    while True:
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < end, f"still not so after {within} s: {inspect.getsource(condition).strip()}"
        await asyncio.sleep(EVERY)


def wait_until(condition: Callable[[], T], *, within: float = 5.0) -> T:
    """The same for tests without a loop."""
    end = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < end, f"still not so after {within} s: {inspect.getsource(condition).strip()}"
        time.sleep(EVERY)
    return found


def end_scheduler(state_dir: Path) -> None:
    """Kill the scheduler of a state folder, if there is one: nothing of a test goes on after it."""
    if found := holder(state_dir):
        os.kill(found.pid, signal.SIGKILL)
        wait_until(lambda: holder(state_dir) is None)
