"""Long work on the store, round by round: by the scheduler where one runs, or else by this process.

Rule: this process holds the folder for one round only, so that a scheduler that comes up does not wait for long.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

from sshsched.errors import NoSchedulerError, RefusedError, SchedulerRunsError

if TYPE_CHECKING:
    from sshsched.cli.app import App
    from sshsched.engine.history import History
    from sshsched.service.client import Client

Shape = dict[str, Any]
Do = Callable[["History"], Awaitable[Any]]

PATIENCE = 20.0  # seconds that a scheduler may take to come up, or to leave
POLL = 0.05


def rounds(app: App, ask: Callable[[Client], Shape], do: Do) -> Iterator[Shape]:
    """What each round tells, until one tells that there are no more."""
    more = True
    while more:
        found = _round(app, ask, do)
        yield found
        more = found["more"]


def _round(app: App, ask: Callable[[Client], Shape], do: Do) -> Shape:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return ask(app.client())
        except NoSchedulerError:
            pass
        try:
            return _directly(app, do)
        except SchedulerRunsError:  # it is coming up, or leaving
            if time.monotonic() > until:
                raise
            time.sleep(POLL)


def _directly(app: App, do: Do) -> Shape:
    import asyncio
    from dataclasses import asdict

    from sshsched.engine.history import History
    from sshsched.engine.policies import load_policies
    from sshsched.store.database import database
    from sshsched.store.lock import KEEPING, hold
    from sshsched.store.store import open_store

    async def main() -> Shape:
        async with open_store(app.state_dir) as store:
            history = History(store, app.state_dir, lambda: load_policies(app.config_dir), alone=True)
            try:
                return asdict(await do(history))
            finally:
                await history.close()

    if not database(app.state_dir).exists():
        raise RefusedError(f"{app.state_dir}: nothing has run here yet; `sshsched runs` lists what has")
    with hold(app.state_dir, KEEPING):
        return asyncio.run(main())
