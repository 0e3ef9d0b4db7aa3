"""What befalls a disk and its programs, for real."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sshsched.domain.instructions import Save
from sshsched.domain.states import State
from sshsched.errors import StoreBusyError
from sshsched.store.filter import RunFilter
from sshsched.store.lock import hold, holder
from sshsched.store.output import OutputFiles
from sshsched.store.reader import Reader
from sshsched.store.store import open_store
from tests.store.samples import entry, new, run

LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""

WRITER = """
import asyncio, sys
from pathlib import Path
from sshsched.domain.instructions import Save
from sshsched.domain.states import State
from sshsched.store.store import open_store
from tests.store.samples import entry, run

async def main():
    async with open_store(Path(sys.argv[1])) as store:
        id = await store.last_id()
        while True:
            ids = range(id + 1, id + 4)
            await store.commit([Save(run(i), None, (entry(i, None, State.WAITING),)) for i in ids])
            print(ids[-1], "waiting", flush=True)
            move = (State.WAITING, State.STARTING)
            await store.commit([Save(run(i, State.STARTING), State.WAITING, (entry(i, *move),)) for i in ids])
            print(ids[-1], "starting", flush=True)
            id = ids[-1]

asyncio.run(main())
"""

SMALL_DISK = """
import asyncio, subprocess, sys
from dataclasses import replace
from pathlib import Path
from sshsched.errors import StoreBusyError
from sshsched.store.output import OutputFiles
from sshsched.store.lock import hold, holder
from sshsched.store.output import OutputFiles
from sshsched.store.reader import Reader
from sshsched.store.store import open_store
from tests.store.samples import new, run

disk = Path(sys.argv[1])

def mount(*options):
    subprocess.run(["mount", *options, str(disk)], check=True)

async def main():
    mount("-t", "tmpfs", "-o", "size=1m", "tmpfs")
    async with open_store(disk / "state") as store:
        files = OutputFiles(disk / "state")
        await store.commit(new(run(1)))
        (disk / "ballast").write_bytes(b"x" * (256 << 10))
        id = 1
        try:
            while id < 100_000:
                await store.commit(new(*[run(id + n, message="y" * 500) for n in range(1, 11)]))
                id += 10
        except StoreBusyError as error:
            print("full:", error)
        try:
            for part in range(100):
                files.write(1, "stdout", part << 16, b"x" * (1 << 16))
        except StoreBusyError as error:
            print("output:", error)
        print(await store.last_id() == id)
        (disk / "ballast").unlink()
        (disk / "state/output/r1/stdout").unlink()
        await store.commit(new(run(id + 1)))
        print(len(await store.live()) == id + 1)
    mount("-o", "remount,ro")
    with Reader(disk / "state") as reader:
        print(reader.run(1) == run(1), reader.run(id + 1) == run(id + 1))
    try:
        async with open_store(disk / "state"):
            print("opened")
    except StoreBusyError as error:
        print("read-only:", error)

asyncio.run(main())
"""


@contextmanager
def child(script: str, *args: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", script, *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


async def test_locked(tmp_path: Path) -> None:
    """A commit while another program has it locked says so and changes nothing; readers read on; later it works."""
    async with open_store(tmp_path, busy_timeout=0.05) as store:
        await store.commit(new(run(1)))
        with child(LOCKER, tmp_path / "store.db") as locker, Reader(tmp_path) as reader:
            assert "locked" == said(locker)
            with pytest.raises(StoreBusyError, match=r"store.db: another program has it locked; end that program"):
                await store.commit(new(run(2)))

            assert [1] == [found.id for found in reader.runs(RunFilter(), limit=5)]
            assert 1 == await store.last_id()
        await store.commit(new(run(2)))

        assert 2 == await store.last_id()


async def test_waits_for_a_lock(tmp_path: Path) -> None:
    """A lock that goes in time is waited for."""
    async with open_store(tmp_path, busy_timeout=20) as store:
        with child(LOCKER, tmp_path / "store.db") as locker:
            assert "locked" == said(locker)
            assert locker.stdin is not None
            locker.stdin.close()
            await store.commit(new(run(1)))

            assert [run(1)] == await store.live()


async def test_locked_at_opening(tmp_path: Path) -> None:
    """A new store that another program has locked is refused by name."""
    with child(LOCKER, tmp_path / "store.db") as locker:
        assert "locked" == said(locker)
        with pytest.raises(StoreBusyError, match=r"store.db: another program has it locked"):
            async with open_store(tmp_path, busy_timeout=0.05):
                pass


@pytest.mark.parametrize(
    ("fault", "remedy", "message"),
    [
        ("PRAGMA query_only = 1", "PRAGMA query_only = 0", r"store.db: it cannot be written to; check its permissions"),
        ("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 100000", r"store.db: the disk is full; make room"),
    ],
)
async def test_read_only_and_full(tmp_path: Path, fault: str, remedy: str, message: str) -> None:
    """Where nothing can be written, a commit says so and changes nothing; afterwards the same commit works."""
    async with open_store(tmp_path) as store:
        await store.commit(new(run(1)))
        moved = replace(run(1), state=State.STARTING, message="x" * 10_000)
        saves = [Save(moved, State.WAITING, (entry(1, State.WAITING, State.STARTING),)), *new(run(2), run(3))]
        await store._thread.perform(lambda connection: connection.execute(fault).fetchall())
        with pytest.raises(StoreBusyError, match=message):
            await store.commit(saves)

        assert [run(1)] == await store.live()

        await store._thread.perform(lambda connection: connection.execute(remedy).fetchall())
        await store.commit(saves)

        assert [moved, run(2), run(3)] == await store.live()


@contextmanager
def shut(folder: Path) -> Iterator[None]:
    """Nobody may enter the folder, and we are nobody in particular."""
    root = os.geteuid() == 0
    folder.chmod(0)
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o700)


async def test_no_permission(tmp_path: Path) -> None:
    """A folder that we may not enter is named by all that would use it; it is never taken for an empty one."""
    async with open_store(tmp_path) as store:
        await store.commit(new(run(1)))
    with shut(tmp_path):
        for use in (
            lambda: Reader(tmp_path).counts(),
            lambda: holder(tmp_path),
            lambda: hold(tmp_path, "serve").__enter__(),
            lambda: OutputFiles(tmp_path).read(1, "stdout", 0, 1),
            lambda: OutputFiles(tmp_path).write(1, "stdout", 0, b"x"),
        ):
            with pytest.raises(StoreBusyError, match="Permission denied; "):
                use()
        with pytest.raises(StoreBusyError, match=r"store.db: Permission denied; check"):
            async with open_store(tmp_path):
                pass


def namespace() -> list[str]:
    """The words before a command that may mount what only it sees."""
    words = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*words, "true"], capture_output=True).returncode:
        pytest.skip("this system lets us mount nothing")
    return words


def test_small_disk(tmp_path: Path) -> None:
    """A real disk fills up, gets room, turns read-only: each is said, nothing is half done, reading goes on."""
    done = subprocess.run(
        [*namespace(), sys.executable, "-c", SMALL_DISK, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    lines = done.stdout.splitlines()

    assert "" == done.stderr
    assert 6 == len(lines)
    assert lines[0].startswith(f"full: {tmp_path}/state/store.db: ")
    assert lines[0].partition(": ")[2].count("full")
    assert f"output: {tmp_path}/state/output/r1/stdout: No space left on device; make room" in lines[1]
    assert ["True", "True", "True True"] == lines[2:5]
    assert f"read-only: {tmp_path}/state/store.db: Read-only file system; check" in lines[5]


def test_killed(tmp_path: Path) -> None:
    """Kill the writer at any instant: all that it was told is done is there, and no commit is there in half."""
    dice = random.Random(20)
    for _ in range(12):
        with child(WRITER, tmp_path) as writer:
            acknowledged = [said(writer).split() for _ in range(dice.randrange(1, 40))]
            writer.send_signal(signal.SIGKILL)
            assert writer.stdout is not None
            acknowledged += [line.split() for line in writer.stdout.read().splitlines()]
        check(tmp_path, int(acknowledged[-1][0]), State(acknowledged[-1][1]))


def check(state_dir: Path, last: int, state: State) -> None:
    """The last acknowledged commit, or the one after it, and each commit whole."""
    with Reader(state_dir) as reader:
        runs = reader.runs(RunFilter(), limit=100_000)
        by_id = {run.id: run for run in runs}
        logs = {id: [entry.new for entry in reader.log(id)] for id in by_id}
        counts = reader.counts()
    done = {State.WAITING: [State.WAITING], State.STARTING: [State.WAITING, State.STARTING]}

    assert last <= len(runs) <= last + 3
    assert state == State.WAITING or State.STARTING == by_id[last].state
    assert 0 == len(runs) % 3
    assert all(logs[id] == done[run.state] for id, run in by_id.items())
    assert all(by_id[id].state == by_id[id + 1].state == by_id[id + 2].state for id in range(1, len(runs), 3))
    assert len(runs) == sum(counts.values())
    connection = sqlite3.connect(state_dir / "store.db")
    assert ("ok",) == connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
