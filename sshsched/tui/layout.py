"""How columns share the width of a terminal. Rule: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

WIDEST = 40  # of a column that does not stretch


class Head(NamedTuple):
    """A column: `rank` tells which ones go first where there is no room, `least` how much it takes in any case."""

    title: str
    rank: int = 0
    right: bool = False
    stretch: bool = False
    least: int = 0


def shown(heads: Sequence[Head], widest: Mapping[str, int], width: int, gap: int) -> list[int]:
    """The columns that have room for what is in them, in their order: those of the highest rank have gone."""
    kept = list(range(len(heads)))

    def needed() -> int:
        return sum(_needs(heads[index], widest) + gap for index in kept) - gap

    while len(kept) > 1 and needed() > width:
        kept.remove(max(kept, key=lambda index: (heads[index].rank, index)))
    return kept


def _needs(head: Head, widest: Mapping[str, int]) -> int:
    """What a column takes at least; one that stretches makes do with little."""
    least = max(head.least, len(head.title))
    return least if head.stretch else max(least, min(widest.get(head.title, 0), WIDEST))


def fitted(
    heads: Sequence[Head], kept: Sequence[int], widest: Mapping[str, int], width: int, gap: int
) -> dict[int, int]:
    """The width of each column that is shown: what it needs, and the rest for those that stretch."""
    widths = {index: min(_needs(heads[index], widest), width) for index in kept}
    wanted = {index: max(widths[index], widest.get(heads[index].title, 0)) for index in kept}
    loose = sorted((index for index in kept if heads[index].stretch), key=lambda index: wanted[index])
    left = width - sum(widths.values()) - gap * (len(kept) - 1)
    for place, index in enumerate(loose):
        # The last one takes all that is left, so that lines end where the screen ends.
        last = place == len(loose) - 1
        more = left if last else min(left // (len(loose) - place), wanted[index] - widths[index])
        widths[index] += max(0, more)
        left -= max(0, more)
    return widths
