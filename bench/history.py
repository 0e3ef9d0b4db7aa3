"""`sshsched runs` among many finished runs, beside the same among few."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.figures import Figure, Rival, Sizes, in_turns
from bench.place import Commands, command, folder, peak_memory
from bench.store import fill
from sshsched.store.store import open_store
from tests.cli.driver import CLI

FEW = 1000
TURNS = 2


def figures(sizes: Sizes) -> Iterator[Figure]:
    """Medians; no scheduler runs, and none is needed."""
    with folder() as place:
        many, few = _filled(place / "many", sizes.history), _filled(place / "few", FEW)
        in_all, rival = (partial(_seconds, each) for each in (many, few))
        in_all(), rival()  # the cache of the disk
        times = in_turns({"many": in_all, "few": rival}, sizes.rounds * TURNS)
        used, rival_used = (peak_memory([*CLI, "runs"], each.env) for each in (many, few))
    took, rival_took = times["many"] * 1000, times["few"] * 1000
    name = f"`runs` among {sizes.history:,} finished"
    yield Figure(f"{name}: time", took, "ms", Rival(f"among {FEW:,}", rival_took), "< 150 ms", took < 150)
    yield Figure(
        f"{name}: memory", used, "MiB", Rival(f"among {FEW:,}", rival_used), "<= x 1.1", used <= 1.1 * rival_used
    )


def _seconds(place: Commands) -> float:
    return command([*CLI, "runs"], place.env).seconds


def _filled(where: Path, count: int) -> Commands:
    place = Commands(where)

    async def main() -> None:
        async with open_store(place.state) as store:
            await fill(store, count)

    asyncio.run(main())
    return place
