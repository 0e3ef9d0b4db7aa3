"""Output in files."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sshsched.errors import StoreBusyError, StoreDamagedError, StoreError
from sshsched.store import output
from sshsched.store.output import WORTH_PACKING, OutputFiles

BIG = random.Random(2).randbytes(WORTH_PACKING) + b"\n" * WORTH_PACKING


def files_of(tmp_path: Path) -> dict[str, int]:
    return {str(path.relative_to(tmp_path)): path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()}


def test_write(tmp_path: Path) -> None:
    """Bytes land at their offset, each stream and run for itself."""
    out = OutputFiles(tmp_path)

    assert 3 == out.write(1, "stdout", 0, b"one")
    assert 6 == out.write(1, "stdout", 3, b"two")
    assert 1 == out.write(1, "stderr", 0, b"!")
    assert 1 == out.write(2, "stdout", 0, b"?")
    out.sync(1)

    assert b"onetwo" == out.read(1, "stdout", 0, 100)
    assert b"etw" == out.read(1, "stdout", 2, 3)
    assert b"" == out.read(1, "stdout", 6, 3)
    assert b"!" == out.read(1, "stderr", 0, 100)
    assert (6, 1, 1, 0) == (out.size(1, "stdout"), out.size(1, "stderr"), out.size(2, "stdout"), out.size(2, "stderr"))


def test_written_again(tmp_path: Path) -> None:
    """Writing at an offset again replaces all that followed it: what was written but not acknowledged."""
    out = OutputFiles(tmp_path)
    out.write(1, "stdout", 0, b"0123456789")

    assert 6 == out.write(1, "stdout", 4, b"xy")
    assert b"0123xy" == out.read(1, "stdout", 0, 100)
    assert 2 == out.write(1, "stdout", 2, b"")
    assert b"01" == out.read(1, "stdout", 0, 100)


def test_gap(tmp_path: Path) -> None:
    """Bytes are never put behind a gap."""
    out = OutputFiles(tmp_path)
    out.write(1, "stdout", 0, b"abc")
    with pytest.raises(StoreError, match="stdout: holds 3 bytes, and 5 were to be before"):
        out.write(1, "stdout", 5, b"x")

    assert b"abc" == out.read(1, "stdout", 0, 100)


def test_silent(tmp_path: Path) -> None:
    """A run that prints nothing leaves no file."""
    out = OutputFiles(tmp_path)

    assert 0 == out.write(1, "stdout", 0, b"")
    out.sync(1)
    out.finish(1)

    assert [] == list(tmp_path.iterdir())
    assert (b"", 0) == (out.read(1, "stdout", 0, 9), out.size(1, "stdout"))


def test_private(tmp_path: Path) -> None:
    """Only the user may read what programs printed, compressed or not."""
    out = OutputFiles(tmp_path)
    out.write(1, "stdout", 0, BIG)
    out.write(1, "stderr", 0, b"x")
    out.finish(1)

    assert {0o600} == {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()}
    assert {0o700} == {path.stat().st_mode & 0o777 for path in (tmp_path / "output", tmp_path / "output/r1")}


def test_finish(tmp_path: Path) -> None:
    """Finished output is compressed where it is worth it, reads the same, and finishing again changes nothing."""
    out = OutputFiles(tmp_path)
    out.write(1, "stdout", 0, BIG)
    out.write(1, "stderr", 0, b"x" * (WORTH_PACKING - 1))
    out.finish(1)
    before = files_of(tmp_path)
    out.finish(1)

    assert before == files_of(tmp_path)
    assert ["output/r1/stderr", "output/r1/stdout.gz"] == sorted(before)
    assert len(BIG) > before["output/r1/stdout.gz"]
    assert BIG == out.read(1, "stdout", 0, len(BIG) + 5)
    assert BIG[WORTH_PACKING - 5 : WORTH_PACKING + 5] == out.read(1, "stdout", WORTH_PACKING - 5, 10)
    assert len(BIG) == out.size(1, "stdout")


def test_write_after_finish(tmp_path: Path) -> None:
    """After a crash before finish() was known, the last bytes are written again; nothing is lost or doubled."""
    out = OutputFiles(tmp_path)
    out.write(1, "stdout", 0, BIG)
    out.finish(1)
    again = OutputFiles(tmp_path)

    assert len(BIG) == again.write(1, "stdout", len(BIG) - 100, BIG[-100:])
    assert ["output/r1/stdout"] == list(files_of(tmp_path))
    again.finish(1)
    assert BIG == again.read(1, "stdout", 0, len(BIG))


@pytest.mark.parametrize("step", ["fsync", "rename", "unlink"])
@pytest.mark.parametrize("way", ["pack", "unpack"])
def test_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, way: str) -> None:
    """A crash before any step of compressing, or of its way back, loses nothing; the next try ends it."""
    out = OutputFiles(tmp_path)
    out.write(1, "stdout", 0, BIG)
    if way == "unpack":
        out.finish(1)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(output.os if step == "fsync" else output.Path, step, crash)
        with pytest.raises(KeyboardInterrupt):
            out.finish(1) if way == "pack" else out.write(1, "stdout", len(BIG), b"more")
    assert BIG == out.read(1, "stdout", 0, len(BIG))

    assert len(BIG) + 4 == out.write(1, "stdout", len(BIG), b"more")
    out.finish(1)

    assert BIG + b"more" == out.read(1, "stdout", 0, len(BIG) + 9)
    assert ["output/r1/stdout.gz"] == list(files_of(tmp_path))


def test_read_while_finishing(tmp_path: Path) -> None:
    """Who reads while output is being compressed, or unpacked again, sees all of it at any time."""
    out, done, seen = OutputFiles(tmp_path), threading.Event(), set[int]()
    out.write(1, "stdout", 0, BIG)

    def look() -> None:
        reader = OutputFiles(tmp_path)
        while not done.is_set():
            seen.add(len(reader.read(1, "stdout", 0, len(BIG))))

    thread = threading.Thread(target=look)
    thread.start()
    for _ in range(50):
        out.finish(1)
        out.write(1, "stdout", len(BIG) - 1, BIG[-1:])
    done.set()
    thread.join()

    assert {len(BIG)} == seen


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_sync_is_real(tmp_path: Path) -> None:
    """sync() asks the kernel for file, folder and the folders above that are new; a second one asks for nothing."""
    script = (
        "import sys; from pathlib import Path; from sshsched.store.output import OutputFiles\n"
        "out = OutputFiles(Path(sys.argv[1])); out.write(1, 'stdout', 0, b'x'); out.sync(1); out.sync(1)\n"
        "out.write(1, 'stdout', 1, b'y'); out.sync(1)"
    )
    trace = tmp_path / "trace"
    subprocess.run(
        [
            "strace",
            "-f",
            "-y",
            "-e",
            "trace=fsync,fdatasync",
            "-o",
            trace,
            sys.executable,
            "-c",
            script,
            tmp_path / "s",
        ],
        check=True,
    )
    synced = [line.partition("<")[2].partition(">")[0] for line in trace.read_text().splitlines() if "fsync(" in line]
    top = tmp_path / "s"

    assert sorted(map(str, (top, top / "output", top / "output/r1", top / "output/r1/stdout"))) == sorted(synced[:4])
    assert [str(top / "output/r1/stdout")] == synced[4:]


def test_damaged(tmp_path: Path) -> None:
    """A broken compressed file is named, with the remedy."""
    out = OutputFiles(tmp_path)
    out.write(1, "stdout", 0, BIG)
    out.finish(1)
    path = tmp_path / "output/r1/stdout.gz"
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(StoreDamagedError, match=r"r1/stdout.gz: damaged \(.*\); restore a backup"):
        out.read(1, "stdout", 0, 10)


def test_blocked(tmp_path: Path) -> None:
    """Where no file can be made, that is said; once it can, the same write works."""
    (tmp_path / "output").touch()
    out = OutputFiles(tmp_path)
    with pytest.raises(StoreBusyError, match=r"output/r1/stdout: .*; make room, or mend"):
        out.write(1, "stdout", 0, b"x")
    (tmp_path / "output").unlink()

    assert 1 == out.write(1, "stdout", 0, b"x")


def test_no_such_stream(tmp_path: Path) -> None:
    """A stream's name is never part of a path."""
    with pytest.raises(StoreError, match="no such stream of output"):
        OutputFiles(tmp_path).read(1, "../../secret", 0, 10)


@given(
    st.lists(st.tuples(st.sampled_from(["write", "finish", "sync"]), st.integers(0, 60_000), st.binary(max_size=30)))
)
@settings(deadline=None, max_examples=60)
def test_like_bytes(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, bytes]]) -> None:
    """Whatever is written, finished and synced in whatever order, the content is what a string of bytes would be."""
    out, model = OutputFiles(tmp_path_factory.mktemp("out")), b""
    for step, at, data in steps:
        if step == "write":
            offset = min(at, len(model))
            model = model[:offset] + data * 1000
            assert len(model) == out.write(1, "stdout", offset, data * 1000)
        elif step == "finish":
            out.finish(1)
        else:
            out.sync(1)

    assert model == out.read(1, "stdout", 0, len(model) + 1)
    assert len(model) == out.size(1, "stdout")


def test_checksum(tmp_path: Path) -> None:
    """The checksum is that of all bytes, packed or not, and there is none of nothing."""
    files = OutputFiles(tmp_path)
    data = bytes(range(256)) * 10_000
    files.write(1, "stdout", 0, data)
    files.sync(1)
    before = files.checksum(1, "stdout")
    files.finish(1)

    assert hashlib.sha256(data).hexdigest() == before == files.checksum(1, "stdout")
    assert files.checksum(1, "stderr") is None
