"""What programs printed: `output/r123/stdout` and `stderr` beside the database, each with `.gz` once it is compressed.

Rule: a byte counts as ours only after sync(). No file is made for a stream that printed nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sshsched.domain.model import STREAMS, Stream
from sshsched.errors import StoreBusyError, StoreDamagedError, StoreError
from sshsched.store import blocks

if TYPE_CHECKING:
    from concurrent.futures import Executor

WORTH_PACKING = 16 << 10
"""Bytes; below, a compressed file takes as many blocks of a disk."""

SYNCS = 8
"""At once."""

T = TypeVar("T")

PIECE = 1 << 20


class OutputFiles:
    """Safe in several threads, and beside processes that read, as long as one thread at a time writes for one run.

    Raises StoreBusyError where the disk is full, read-only or failing, and StoreDamagedError for a broken file.
    """

    def __init__(self, state_dir: Path, name: str = "output") -> None:
        self._root = state_dir / name
        self._unsynced: dict[int, set[Path]] = {}
        self._above = {state_dir}  # once is enough

    def write(self, run_id: int, stream: Stream, offset: int, data: bytes) -> int:
        """Makes `data` follow the first `offset` bytes; what was behind them is gone. Returns the new size.

        Raises StoreError where there are fewer bytes than `offset`: the gap would be zeros that nobody printed.
        """
        plain = self._plain(run_id, stream)
        with _explained(plain):
            if not data and offset == self.size(run_id, stream):
                return offset
            changed = self._unsynced.setdefault(run_id, set())
            changed.update(self._make(plain), (plain,))
            _unpack(plain)
            with _opened(plain, os.O_WRONLY | os.O_CREAT) as file:
                have = os.fstat(file).st_size
                if have < offset:
                    raise StoreError(f"{plain}: holds {have} bytes, and {offset} were to be before; please report this")
                _write_all(file, offset, data)
                os.ftruncate(file, offset + len(data))
        return offset + len(data)

    def sync(self, *run_ids: int) -> None:
        """Returns when all that was written for these runs is on the disk.

        Many at once: what waits together goes into one commit of the file system's journal, for the price of one.
        """
        if paths := set().union(*(self._unsynced.get(run_id, ()) for run_id in run_ids)):
            list(self._syncers.map(_sync, paths))
        for run_id in run_ids:
            self._unsynced.pop(run_id, None)

    @cached_property
    def _syncers(self) -> Executor:
        from concurrent.futures import ThreadPoolExecutor  # commands only read, and are to be quick

        return ThreadPoolExecutor(SYNCS, "sync")

    def finish(self, run_id: int) -> None:
        """Compresses what is worth it. Doing it again, or after a crash in the middle of it, is harmless."""
        for stream in STREAMS:
            plain = self._plain(run_id, stream)
            with _explained(plain), suppress(FileNotFoundError):
                if plain.stat().st_size >= WORTH_PACKING:
                    _replace(plain, _packed(plain), blocks.pack)
        self._unsynced.pop(run_id, None)

    def link(self, run_ids: Iterable[int], other: OutputFiles) -> None:
        """The same files in another place, durable there when this returns: as links, or copied where links end.

        To be called for runs that nobody writes for any more.
        """
        new = set()
        for run_id in run_ids:
            source, target = self._folder(run_id), other._folder(run_id)
            with _explained(target):
                for path in _files(source):
                    other._root.mkdir(mode=0o700, parents=True, exist_ok=True)
                    target.mkdir(mode=0o700, exist_ok=True)
                    new.add(target)
                    _link(path, target / path.name)
        for folder in (*new, *((other._root, other._root.parent) if new else ())):
            _sync(folder)

    def remove(self, run_ids: Iterable[int]) -> None:
        """What these runs printed; gone for good when this returns. Doing it again is harmless."""
        found = False
        for run_id in run_ids:
            folder = self._folder(run_id)
            with _explained(folder), suppress(FileNotFoundError):
                for path in folder.iterdir():
                    path.unlink()
                folder.rmdir()
                found = True
        if found:
            _sync(self._root)

    def checksum(self, run_id: int, stream: Stream) -> str | None:
        """SHA-256 of all bytes, as hex; None if there are none."""
        from hashlib import sha256  # as above

        digest, offset = sha256(), 0
        while data := self.read(run_id, stream, offset, PIECE):
            digest.update(data)
            offset += len(data)
        return digest.hexdigest() if offset else None

    def read(self, run_id: int, stream: Stream, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset`; fewer only at the end of what there is."""
        return self._look(
            run_id,
            stream,
            lambda file: _read_all(file, offset, size),
            lambda file: blocks.read(file, offset, size),
            b"",
        )

    def size(self, run_id: int, stream: Stream) -> int:
        """How many bytes there are, uncompressed."""
        return self._look(run_id, stream, lambda file: os.fstat(file).st_size, blocks.size, 0)

    def _look(
        self, run_id: int, stream: Stream, plain: Callable[[int], T], packed: Callable[[int], T], nothing: T
    ) -> T:
        path = self._plain(run_id, stream)
        # A file is published under its new name before the old one goes, so one of three looks meets it.
        for candidate, look in ((path, plain), (_packed(path), packed), (path, plain)):
            with _explained(candidate), suppress(FileNotFoundError), _opened(candidate, os.O_RDONLY) as file:
                return look(file)
        return nothing

    def _make(self, plain: Path) -> set[Path]:
        """The folder for a file, if it is missing. Returns the folders in which something is new."""
        folder = plain.parent
        if plain.exists():
            return set()
        if folder.is_dir():
            return {folder}
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        new = {folder, self._root, *self._above}
        self._above.clear()
        return new

    def _folder(self, run_id: int) -> Path:
        return self._root / f"r{run_id}"

    def _plain(self, run_id: int, stream: Stream) -> Path:
        if stream not in STREAMS:
            raise StoreError(f"no such stream of output: {stream!r}; there are {' and '.join(STREAMS)}")
        return self._folder(run_id) / stream


def _packed(plain: Path) -> Path:
    return plain.with_name(f"{plain.name}.gz")


def _unpack(plain: Path) -> None:
    """Back to a plain file, where a crash came between finish() and its being known: what follows is written again."""
    packed = _packed(plain)
    if not packed.exists():
        return
    if plain.exists():  # a crash came before the first of the two was removed
        packed.unlink()
    else:
        _replace(packed, plain, blocks.unpack)


def _replace(source: Path, target: Path, convert: Callable[..., None]) -> None:
    """`target` takes the place of `source`: there whole, and on the disk, before `source` goes."""
    temporary = target.with_name(f".{target.name}.new")
    with source.open("rb") as old, _opened(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
        with open(file, "wb", closefd=False) as new:
            convert(old, new)
        os.fsync(file)
    temporary.rename(target)
    _sync(target.parent)
    source.unlink()


def _files(folder: Path) -> list[Path]:
    """What lies there, but for what a crash has left half made."""
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        return []


def _link(source: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name}.new")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except FileNotFoundError:
        raise
    except OSError:  # another disk, or one that knows no links
        with source.open("rb") as old, _opened(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
            while data := old.read(PIECE):
                _write_all(file, os.lseek(file, 0, os.SEEK_END), data)
            os.fsync(file)
    temporary.rename(target)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except blocks.BlockError as error:
        raise StoreDamagedError(f"{path}: damaged ({error}); restore a backup of it") from error
    except OSError as error:
        raise StoreBusyError(f"{path}: {error.strerror}; make room, or mend the disk or its permissions") from error


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    file = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def _sync(path: Path) -> None:
    with _explained(path), _opened(path, os.O_RDONLY) as file:
        os.fsync(file)


def _write_all(file: int, offset: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(file, rest, offset)
        offset += written
        rest = rest[written:]


def _read_all(file: int, offset: int, size: int) -> bytes:
    found = bytearray()
    while size > len(found) and (data := os.pread(file, size - len(found), offset + len(found))):
        found += data
    return bytes(found)
