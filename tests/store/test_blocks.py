"""Compressed files that can be read from anywhere."""

from __future__ import annotations

import gzip
import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sshsched.store import blocks

CONTENT = random.Random(1).randbytes(3 * blocks.BLOCK // 2) + b"line\n" * blocks.BLOCK


def packed(path: Path, content: bytes) -> Path:
    (path / "plain").write_bytes(content)
    with (path / "plain").open("rb") as source, (path / "packed.gz").open("wb") as target:
        blocks.pack(source, target)
    return path / "packed.gz"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packed(tmp_path_factory.mktemp("blocks"), CONTENT)


@pytest.mark.parametrize("content", [b"", b"x", b"x" * blocks.BLOCK, b"x" * (blocks.BLOCK + 1), CONTENT])
def test_gzip_reads_it(tmp_path: Path, content: bytes) -> None:
    """It is plain gzip to everybody else."""
    path = packed(tmp_path, content)

    assert content == gzip.decompress(path.read_bytes())
    with path.open("rb") as file:
        assert len(content) == blocks.size(file.fileno())


@given(st.integers(0, len(CONTENT) + 10), st.integers(0, 2 * blocks.BLOCK))
@settings(deadline=None, max_examples=60)
def test_ranges(whole: Path, offset: int, size: int) -> None:
    """Any range is the same as that of the content."""
    with whole.open("rb") as file:
        found = blocks.read(file.fileno(), offset, size)

    assert CONTENT[offset : offset + size] == found


def test_memory(tmp_path: Path) -> None:
    """A small range of a big file takes the memory of a block or two, not of the file."""
    path = packed(tmp_path, b"0123456789abcdef" * (64 << 16))
    with path.open("rb") as file:
        tracemalloc.start()
        found = blocks.read(file.fileno(), 63 << 20, 16)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert b"0123456789abcdef" == found
    assert 4 << 20 > peak


def test_unpack(whole: Path, tmp_path: Path) -> None:
    """Unpacking gives the content back."""
    with whole.open("rb") as source, (tmp_path / "again").open("wb") as target:
        blocks.unpack(source, target)

    assert CONTENT == (tmp_path / "again").read_bytes()


@pytest.mark.parametrize("harm", ["cut", "bit", "foreign"])
def test_damaged(whole: Path, tmp_path: Path, harm: str) -> None:
    """A file that was cut off, changed or made by somebody else is an error, never wrong bytes."""
    data = bytearray(whole.read_bytes())
    if harm == "cut":
        del data[-3:]
    elif harm == "bit":
        data[1000] ^= 1
    else:
        data[:] = gzip.compress(CONTENT)
    (tmp_path / "bad").write_bytes(data)

    with (tmp_path / "bad").open("rb") as file, pytest.raises(blocks.BlockError):
        blocks.read(file.fileno(), 0, len(CONTENT))
