"""Old runs leave the store while others are saved: how fast they go, and whom that holds up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import Figure, Rival, Sizes, at_quantile
from bench.place import folder
from bench.store import fill, log, waiting
from sshsched.domain.instructions import Save
from sshsched.domain.retention import Retention, Then
from sshsched.engine.history import History
from sshsched.engine.policies import Policies
from sshsched.store.history import Policy
from sshsched.store.store import Store, open_store

QUIET = 3.0  # seconds of commits with nothing beside them
ROUNDS = 5
LAG_AIM, TICK, EVERY = 10.0, 0.005, 0.02


@dataclass
class Watch:
    """How late the loop woke, and how long commits took, in milliseconds."""

    lags: list[float] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)

    def quantiles(self) -> tuple[float, float]:
        return at_quantile(self.lags, 0.99), at_quantile(self.commits, 0.99)


def figures(sizes: Sizes) -> Iterator[Figure]:
    """The rival is the same store with nothing to move."""
    with folder() as place:
        yield from asyncio.run(_moves(place / "state", sizes.history))


async def _moves(state_dir: Path, count: int) -> list[Figure]:
    found = []
    async with open_store(state_dir) as store:
        await fill(store, count)
        async with _watched(store) as quiet:
            await asyncio.sleep(QUIET)
        quiet_lag, quiet_commit = quiet.quantiles()
        for then in Then:
            history = History(store, state_dir, lambda: Policies([]))
            policies = Policies([Policy(Retention(age=1.0, then=then))])
            async with _watched(store) as busy:
                began, gone = time.perf_counter(), 0
                for _ in range(ROUNDS):
                    each = await history.archive(policies)
                    gone += each.archived + each.deleted
                took = time.perf_counter() - began
            await history.close()
            lag, commit = busy.quantiles()
            found += [
                Figure(f"{then} among {count:,}: runs gone, beside commits", gone / took, "/s"),
                Figure(f"{then}: the loop is late, 99 % below", lag, "ms", Rival("nothing to move", quiet_lag),
                       f"< {LAG_AIM:g} ms more", lag - quiet_lag < LAG_AIM),
                Figure(f"{then}: a commit, 99 % below", commit, "ms", Rival("nothing to move", quiet_commit)),
            ]  # fmt: skip
    return found


@asynccontextmanager
async def _watched(store: Store) -> AsyncIterator[Watch]:
    watch = Watch()
    tasks = [asyncio.create_task(_lag(watch)), asyncio.create_task(_commit(store, watch))]
    try:
        yield watch
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _lag(watch: Watch) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(TICK)
        watch.lags.append((time.perf_counter() - began - TICK) * 1000)


async def _commit(store: Store, watch: Watch) -> None:
    number = await store.last_id()
    while True:
        number += 1
        run = waiting(number)
        began = time.perf_counter()
        await store.commit([Save(run, None, log(run, None))])
        watch.commits.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(EVERY)
