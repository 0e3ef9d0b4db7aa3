"""How columns share the width of a terminal. Rule: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

NARROW = 4
WIDEST = 40  # of a column that does not stretch


class Head(NamedTuple):
    """A column: `rank` tells which ones go first where there is no room, `least` how much it takes in any case."""

    title: str
    rank: int = 0
    right: bool = False
    stretch: bool = False
    least: int = 0


def shown(heads: Sequence[Head], width: int, gap: int) -> list[int]:
    """The columns that have room, in their order: those of the highest rank have gone."""
    kept = list(range(len(heads)))

    def needed() -> int:
        return sum(max(heads[index].least, len(heads[index].title), NARROW) + gap for index in kept) - gap

    while len(kept) > 1 and needed() > width:
        kept.remove(max(kept, key=lambda index: (heads[index].rank, index)))
    return kept


def fitted(
    heads: Sequence[Head], kept: Sequence[int], widest: Mapping[str, int], width: int, gap: int
) -> dict[int, int]:
    """The width of each column that is shown: what it needs, and the rest for those that stretch."""
    wanted = {
        index: max(len(heads[index].title), heads[index].least, widest.get(heads[index].title, 0)) for index in kept
    }
    fixed = {index: min(size, WIDEST) for index, size in wanted.items() if not heads[index].stretch}
    loose = sorted((index for index in kept if heads[index].stretch), key=lambda index: wanted[index])
    left = width - gap * (len(kept) - 1)
    floor = sum(max(heads[index].least, NARROW) for index in loose)
    while fixed and sum(fixed.values()) + floor > left and max(fixed.values()) > NARROW:
        broad = max(fixed, key=lambda index: fixed[index])
        fixed[broad] -= 1
    left -= sum(fixed.values())
    for place, index in enumerate(loose):
        share = max(0, left // (len(loose) - place))
        # The last one takes all that is left, so that lines end where the screen ends.
        size = share if place == len(loose) - 1 else min(share, wanted[index])
        fixed[index] = size
        left -= size
    return fixed
