"""The store fails while programs run: they go on, nothing is started, the scheduler says so, and goes on by itself."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from sshsched.errors import SchedulerError
from tests.e2e.kit import Lab, lab
from tests.sshd import Sshd
from tests.support import wait_until

Fault = Callable[[Lab], AbstractContextManager[str]]


@contextmanager
def locked(made: Lab) -> Iterator[str]:
    """Another program keeps the write lock."""
    with closing(sqlite3.connect(made.state / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield "locked"
        other.execute("ROLLBACK")


def told(word: str) -> Fault:
    """SQLite itself is told to have this fault: `filler` reads the word before each commit."""

    @contextmanager
    def fault(made: Lab) -> Iterator[str]:
        (made.folder / "fault").write_text(word)
        yield word
        (made.folder / "fault").unlink()

    return fault


FAULTS = {"locked": locked, "full": told("full"), "read-only": told("cannot be written")}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_store_that_cannot_be_written(tmp_path: Path, sshd: Sshd, fault: Fault) -> None:
    """Nothing starts while the store cannot be written, what runs goes on, status says why, and all ends well after."""
    with lab(tmp_path, sshd) as made:
        made.start(command=(sys.executable, "-m", "tests.e2e.filler"), FAULT=str(made.folder / "fault"))
        (name,) = made.submit(f"{made.mark('began')}; sleep 1; {made.mark('ended')}; echo whole")
        made.reaches(name, "running")
        with fault(made) as word:
            wait_until(lambda: made.marked("ended"))
            with pytest.raises(SchedulerError), made.impatient(1.5) as client:
                # Long enough to need a page of its own.
                client.submit([{"host": "box", "program": {"command": made.mark("second"), "stdin": "x" * 100_000}}])
            wait_until(lambda: made.client.status()["store"] != "ok", within=15)
            problem = made.client.status()["store"]
            meanwhile = made.marked("second")
            said = made.cli("status")
        run = made.finished(name)
        made.settled()

        assert word in problem
        assert word in said.stdout + said.stderr
        assert [] == meanwhile
        assert ("success", b"whole\n") == (run["state"], made.output(name))
        assert ["r2"] == made.marked("second")
        assert "ok" == made.client.status()["store"]


def test_output_that_cannot_be_written(box: Lab) -> None:
    """Where output cannot be kept a run is not cleaned on its host; once it can, every byte is here."""
    (box.state / "output").mkdir(exist_ok=True)
    (box.state / "output" / "r1").write_text("in the way")
    (name,) = box.submit(f"seq 1 30000; {box.mark()}")
    wait_until(box.marked)
    (other,) = box.submit("echo fine")
    box.finished(other)
    spools = box.spools()
    (box.state / "output" / "r1").unlink()
    run = box.finished(name, within=20)
    box.settled(within=20)

    assert any("r1-" in path.name for path in spools)
    assert "success" == run["state"]
    assert b"".join(b"%d\n" % i for i in range(1, 30_001)) == box.output(name)


def test_output_that_somebody_removed(box: Lab) -> None:
    """Output that was fetched and removed here while its program runs is fetched again, whole."""
    (name,) = box.submit(f"seq 1 3000; until [ -s {box.marks}/go ]; do sleep 0.05; done; seq 3001 6000")
    wait_until(lambda: box.run(name)["stdout_size"], within=15)
    shutil.rmtree(box.state / "output" / name)
    (box.marks / "go").write_text("go")
    box.finished(name)
    box.settled()

    assert b"".join(b"%d\n" % i for i in range(1, 6001)) == box.output(name)


@contextmanager
def read_only(made: Lab) -> Iterator[str]:
    """The folder of the store can only be read; a mount says so, as root may write everywhere else."""
    for words in (["--bind", str(made.state), str(made.state)], ["-o", "remount,ro,bind", str(made.state)]):
        subprocess.run(["mount", *words], check=True)
    try:
        yield "Read-only file system"
    finally:
        subprocess.run(["umount", str(made.state)], check=True)


def test_a_store_that_is_read_only_at_start(tmp_path: Path, sshd: Sshd) -> None:
    """It ends the start with one line that names file and reason; programs go on, and the past can be read."""
    with lab(tmp_path, sshd) as made:
        made.start()
        (name,) = made.submit(f"{made.mark()}; sleep 1; {made.mark('ended')}; exit 6")
        made.reaches(name, "running")
        made.end()
        with read_only(made) as words:
            refused = made.cli("serve")
            listed = made.cli("runs")
        wait_until(lambda: made.marked("ended"))
        made.start()
        run = made.finished(name)
        made.settled()

        assert 125 == refused.returncode
        assert 1 == len(refused.stderr.strip().splitlines()), refused.stderr
        assert words in refused.stderr
        assert str(made.state) in refused.stderr
        assert 0 == listed.returncode
        assert name in listed.stdout
        assert ("failure", 6, [name]) == (run["state"], run["exit_code"], made.marked())


@pytest.mark.parametrize("harm", ["damaged", "newer"])
def test_a_store_that_is_not_ours(tmp_path: Path, sshd: Sshd, harm: str) -> None:
    """A damaged or newer store ends the start with one line; programs go on, and are found once it is mended."""
    with lab(tmp_path, sshd) as made:
        made.start()
        (name,) = made.submit(f"{made.mark()}; sleep 1; {made.mark('ended')}; exit 6")
        made.reaches(name, "running")
        made.end()
        place, backup = made.state / "store.db", made.folder / "backup.db"
        shutil.copy(place, backup)
        if harm == "damaged":
            place.write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)
        else:
            with closing(sqlite3.connect(place)) as store:
                store.execute("PRAGMA user_version = 999")
        refused = made.cli("serve")
        shutil.copy(backup, place)
        for left in made.state.glob("store.db-*"):
            left.unlink()
        wait_until(lambda: made.marked("ended"))
        made.start()
        run = made.finished(name)
        made.settled()

        assert 125 == refused.returncode
        assert 1 == len(refused.stderr.strip().splitlines()), refused.stderr
        assert harm in refused.stderr
        assert str(place) in refused.stderr
        assert ("failure", 6, [name]) == (run["state"], run["exit_code"], made.marked())


def test_a_store_that_is_damaged_meanwhile(tmp_path: Path, sshd: Sshd) -> None:
    """Damage that shows while the scheduler runs ends it with a line; programs go on, and are found after."""
    with lab(tmp_path, sshd) as made:
        made.start(command=(sys.executable, "-m", "tests.e2e.filler"), FAULT=str(made.folder / "fault"))
        (name,) = made.submit(f"{made.mark()}; until [ -s {made.marks}/go ]; do sleep 0.05; done; exit 6")
        made.reaches(name, "running")
        (made.folder / "fault").write_text("damaged")
        with pytest.raises(SchedulerError) as refused, made.impatient(5) as client:
            client.submit([{"host": "box", "program": {"command": made.mark("second")}}])
        process = made.process
        assert process
        wait_until(lambda: process.poll() is not None, within=10)
        code = made.gone()
        (made.marks / "go").write_text("go")
        last = made.words().strip().splitlines()[-1]
        made.start()
        run = made.finished(name)
        made.settled()

        assert 125 == code
        for words in (last, str(refused.value)):
            assert f"{made.state}/store.db: damaged" in words
            assert "restore a backup of it" in words
        assert ("failure", 6, [name], []) == (run["state"], run["exit_code"], made.marked(), made.marked("second"))
