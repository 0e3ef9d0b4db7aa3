"""Looking for text in output of any size. Rule: a block at a time, and it ends as soon as nobody wants it any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator

BLOCK = 1 << 20

Read = Callable[[int, int], bytes]
"""Offset and size to bytes."""


def find(read: Read, size: int, needle: str, place: int, *, back: bool, wanted: Callable[[], bool]) -> int | None:
    """The first byte of the next match after `place`, or before it; None if there is none. Large and small are one."""
    wish = needle.encode(errors="replace").lower()
    for begin, end in _blocks(size, place, len(wish), back=back):
        if not wanted() or not wish:
            return None
        data = read(begin, end - begin).lower()
        found = data.rfind(wish) if back else data.find(wish)
        if found >= 0:
            return begin + found
    return None


def _blocks(size: int, place: int, length: int, *, back: bool) -> Iterator[tuple[int, int]]:
    """Stretches that overlap by as much as a match may lie in two of them."""
    if back:
        end = min(place + length - 1, size)
        while end >= length:
            begin = max(0, end - BLOCK)
            yield begin, end
            end = begin + length - 1 if begin else 0
        return
    begin = place + 1
    while begin + length <= size:
        yield begin, min(begin + BLOCK, size)
        begin += BLOCK - length + 1
