"""The last lines of output, live and stored."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.cli.tail import Tail, last_lines

LINES = st.lists(st.sampled_from([b"a", b"bb", b"\n", b""])).map(b"".join)


@dataclass
class Kept:
    """A sink that keeps what it got."""

    data: bytes = b""
    chunks: list[bytes] = field(default_factory=list)

    def write(self, data: bytes) -> None:
        self.data += data
        self.chunks.append(data)

    def close(self) -> None:
        self.chunks.append(b"the end")


@pytest.mark.parametrize(
    ("data", "lines", "last"),
    [
        (b"a\nb\n", 1, b"b\n"),
        (b"a\nb", 1, b"b"),
        (b"a\nb\n", 5, b"a\nb\n"),
        (b"a\n\n", 1, b"\n"),
        (b"a", 0, b""),
        (b"", 3, b""),
    ],
)
def test_last_lines(data: bytes, lines: int, last: bytes) -> None:
    """As tail(1) has it."""
    assert last == last_lines(data, lines)


@given(LINES, st.integers(1, 5))
def test_last_lines_are_lines_of_the_end(data: bytes, lines: int) -> None:
    """So many lines if there are as many, cut at a line's begin."""
    last = last_lines(data, lines)

    assert data.endswith(last)
    assert min(lines, len(data.splitlines())) == len(last.splitlines())
    assert data == last or data[: -len(last) or None].endswith(b"\n")


@given(st.lists(LINES), st.lists(LINES), st.integers(0, 3))
def test_a_tail_holds_until_it_is_released(before: list[bytes], after: list[bytes], lines: int) -> None:
    """Only the last lines of what came before pass, and all that comes after."""
    kept = Kept()
    tail = Tail(kept, lines)
    for data in before:
        tail.write(data)
    held = kept.data
    tail.release()
    for data in after:
        tail.write(data)
    tail.close()

    assert b"" == held
    assert last_lines(b"".join(before), lines) + b"".join(after) == kept.data
    assert b"the end" == kept.chunks[-1]
