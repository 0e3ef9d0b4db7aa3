"""Compressed files that can be read from anywhere: gzip, one member per MiB of content, which `zcat` reads as well.

Rule: each member's header holds the member's length (an extra field, RFC 1952 section 2.3.1.1), so that a reader hops
from header to header to the member that it wants, and only that one is unpacked and held in memory.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

BLOCK = 1 << 20
LEVEL = 4
"""Twice as fast as zlib's usual 6, for 5 % more space on log files."""

# Magic, deflate, "has an extra field", no time, no hints, unknown system, length of the extra field; in that field:
# its id, its length, the length of the member.
_HEADER = struct.Struct("<2sBBIBBH2sHI")
_TRAILER = struct.Struct("<II")
_FIXED = (b"\x1f\x8b", 8, 4, 0, 0, 255, 8, b"ss", 4)


class BlockError(ValueError):
    """Not such a file, or a damaged one."""


def pack(source: BinaryIO, target: BinaryIO) -> None:
    """Compresses all of `source`."""
    while data := source.read(BLOCK):
        deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        body = deflate.compress(data) + deflate.flush()
        target.write(_HEADER.pack(*_FIXED, _HEADER.size + len(body) + _TRAILER.size))
        target.write(body)
        target.write(_TRAILER.pack(zlib.crc32(data), len(data)))


def unpack(source: BinaryIO, target: BinaryIO) -> None:
    """The content of `source`, whole. Raises BlockError."""
    for start, length in _members(source.fileno()):
        target.write(_unpack(os.pread(source.fileno(), length, start)))


def read(file: int, offset: int, size: int) -> bytes:
    """At most `size` bytes of the content from `offset`; fewer only at its end. Raises BlockError."""
    skipped, wanted = divmod(offset, BLOCK)
    found = bytearray()
    for number, (start, length) in enumerate(_members(file)):
        if len(found) >= wanted + size:
            break
        if number >= skipped:
            found += _unpack(os.pread(file, length, start))
    return bytes(found[wanted : wanted + size])


def size(file: int) -> int:
    """The size of the content. Raises BlockError."""
    total = 0
    for start, length in _members(file):
        total += _TRAILER.unpack(_exactly(file, _TRAILER.size, start + length - _TRAILER.size))[1]
    return total


def _members(file: int) -> Iterator[tuple[int, int]]:
    """Start and length of each member."""
    start, end = 0, os.fstat(file).st_size
    while start < end:
        *fixed, length = _HEADER.unpack(_exactly(file, _HEADER.size, start))
        if tuple(fixed) != _FIXED or start + length > end or length < _HEADER.size + _TRAILER.size:
            raise BlockError(f"no block of sshsched at byte {start}")
        yield start, length
        start += length


def _exactly(file: int, size: int, start: int) -> bytes:
    data = os.pread(file, size, start)
    if len(data) < size:
        raise BlockError(f"cut off at byte {start + len(data)}")
    return data


def _unpack(member: bytes) -> bytes:
    check, length = _TRAILER.unpack(member[-_TRAILER.size :])
    try:
        data = zlib.decompress(member[_HEADER.size : -_TRAILER.size], -zlib.MAX_WBITS, length)
    except zlib.error as error:
        raise BlockError(str(error)) from error
    if zlib.crc32(data) != check or len(data) != length:
        raise BlockError("checksum differs")
    return data
