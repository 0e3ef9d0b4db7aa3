"""A scheduler that kills itself at its n-th step, before or after it: the real one, with its doors wired.

`python -m tests.e2e.killer serve` with KILL_AT=n. Steps are commits, instructions, requests to hosts, writes of output
and deliveries. With KILL_BEFORE=Class.method or KILL_AFTER=Class.method the first of these steps is the last one.
"""

from __future__ import annotations

import functools
import inspect
import os
import signal
from collections.abc import Callable
from itertools import count
from typing import Any

from sshsched.cli.main import main
from sshsched.engine.hosts import HostWorker
from sshsched.engine.means import House
from sshsched.remote.link import Link
from sshsched.store.output import OutputFiles
from sshsched.store.store import Store

DOORS: tuple[tuple[type, str], ...] = (
    (Store, "commit"),
    (HostWorker, "perform"),
    *((Link, name) for name in ("start", "settle", "stop", "fetch", "fetch_bulk", "clean")),
    (House, "deliver"),
    *((OutputFiles, name) for name in ("write", "sync", "finish")),
)
_at = int(os.environ.get("KILL_AT", "0"))
_before, _after = os.environ.get("KILL_BEFORE"), os.environ.get("KILL_AFTER")
_steps = count(1)


def step(wanted: bool) -> None:
    """The n-th step is the last one, and so is one that is asked for by name."""
    if next(_steps) == _at or wanted:
        if note := os.environ.get("KILL_NOTE"):
            os.close(os.open(note, os.O_CREAT))
        os.kill(os.getpid(), signal.SIGKILL)


def wired(work: Callable[..., Any]) -> Callable[..., Any]:
    """The same, with a step before and a step after."""

    @functools.wraps(work)
    def plain(*args: Any, **named: Any) -> Any:
        step(work.__qualname__ == _before)
        result = work(*args, **named)
        step(work.__qualname__ == _after)
        return result

    @functools.wraps(work)
    async def waited(*args: Any, **named: Any) -> Any:
        step(work.__qualname__ == _before)
        result = await work(*args, **named)
        step(work.__qualname__ == _after)
        return result

    return waited if inspect.iscoroutinefunction(work) else plain


if __name__ == "__main__":
    for owner, name in DOORS:
        setattr(owner, name, wired(getattr(owner, name)))
    main()
