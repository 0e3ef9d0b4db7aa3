"""Commands that read, among many finished runs, beside the same among few."""

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
COMMANDS = (("runs",), ("runs", "is:failed", "host:host7"), ("show", "r500"), ("status",))
TURNS = 2


def figures(sizes: Sizes) -> Iterator[Figure]:
    """Medians; no scheduler runs, and none is needed."""
    with folder() as place:
        many, few = _filled(place / "many", sizes.history), _filled(place / "few", FEW)
        for words in COMMANDS:
            yield _time(words, sizes, many, few)
        used, rival_used = (peak_memory([*CLI, "runs"], each.env) for each in (many, few))
    name = f"`runs` among {sizes.history:,} finished: memory"
    yield Figure(name, used, "MiB", Rival(f"among {FEW:,}", rival_used), "<= x 1.1", used <= 1.1 * rival_used)


def _time(words: tuple[str, ...], sizes: Sizes, many: Commands, few: Commands) -> Figure:
    contenders = {"many": partial(_seconds, many, words), "few": partial(_seconds, few, words)}
    for contend in contenders.values():
        contend()  # the cache of the disk
    times = in_turns(contenders, sizes.rounds * TURNS)
    took, rival = times["many"] * 1000, times["few"] * 1000
    name = f"`{' '.join(words)}` among {sizes.history:,} finished: time"
    return Figure(name, took, "ms", Rival(f"among {FEW:,}", rival), "< 150 ms", took < 150)


def _seconds(place: Commands, words: tuple[str, ...]) -> float:
    return command([*CLI, *words], place.env).seconds


def _filled(where: Path, count: int) -> Commands:
    place = Commands(where)

    async def main() -> None:
        async with open_store(place.state) as store:
            await fill(store, count)

    asyncio.run(main())
    return place
