"""Disks that are full or read-only at any write on the host: nothing is made up, and no verdict is lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from sshsched.domain.events import Claim
from sshsched.domain.model import Cause
from sshsched.domain.program import Stop
from sshsched.remote import script
from sshsched.remote.answers import AnswerError
from tests.remote.hostkit import SHELLS, Control, FakeHost, a_run
from tests.support import until

MakeHost = Callable[..., FakeHost]


class Disk:
    """A small disk of its own, in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def mount(self, *options: str) -> None:
        # Failing, not skipping, where it is not permitted: what is not tested is not known.
        subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(self.folder)], check=True)

    def fill(self, leave: int = 0) -> bool:
        """Take all space but so many pages; tells whether there was any more to take."""
        with self._ballast.open("ab", buffering=0) as file:
            before = file.tell()
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                size = file.tell() - 4096 * leave
        os.truncate(self._ballast, size // 4096 * 4096)
        return size // 4096 * 4096 > before

    def free(self) -> None:
        self._ballast.unlink()

    def read_only(self, yes: bool) -> None:
        subprocess.run(["mount", "-o", f"remount,{'ro' if yes else 'rw'}", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    assert 0 == os.getuid(), "needs root, to mount a disk that can be filled"
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = Disk(folder)
    disk.mount("-o", "size=256k")
    yield disk
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(params=[shell for shell in SHELLS if shell != "posh"])
async def anyshell(request: pytest.FixtureRequest, make_host: MakeHost, disk: Disk) -> AsyncIterator[Control]:
    host = make_host(request.param)
    host.root.symlink_to(disk.folder)
    control = await host.control()
    yield control
    control.close()


async def fill(control: Control, disk: Disk) -> None:
    """Until it stays full: who starts programs may still be tidying up."""
    quiet = 0
    while quiet < 5:
        quiet = 0 if disk.fill() else quiet + 1
        await control.shell.ask("true")


async def test_no_outcome_is_lost_to_a_full_disk(anyshell: Control, disk: Disk) -> None:
    """A program that ends while the disk is full has its outcome as soon as there is space again."""
    go = anyshell.spool.parent / "go"
    run = a_run(f"until [ -e '{go}' ]; do sleep 0.05; done; exit 3")
    await anyshell.start(run)
    pid = (await anyshell.claimed(run)).pid
    await fill(anyshell, disk)
    go.mkdir()
    await until(lambda: not Path(f"/proc/{pid}").exists(), within=20)
    # A look writes to `lease`, which gives up its page for a moment; mksh, whose printf is slow, lost it to the status.
    asking = script.fetch(1, [(script.spool_name(run), 0, 0)])
    for _ in range(3):
        report = await anyshell.report(asking, run)
        assert (True, None) == (report.alive, report.outcome)
    disk.free()
    outcome = (await anyshell.ended(run)).outcome

    assert outcome is not None
    assert (3, None) == (outcome.exit_code, outcome.signal)


async def test_a_full_disk_never_makes_up_anything(anyshell: Control, disk: Disk) -> None:
    """However few pages are left, a run is refused in words, or sealed, or has its true outcome once there is space."""
    for leave in range(8):
        disk.fill(leave)
        run = a_run("exit 3", stdin="data")
        answer = await anyshell.start(run)
        if answer.told[0].startswith("refused"):
            assert "No space left" in answer.evidence or " 0 KiB are free" in answer.told[0]
            disk.free()
            assert Claim.SEALED is (await anyshell.settle(run)).claim
        else:
            disk.free()
            await until(lambda: not chaperones(anyshell), within=20)
            report = await anyshell.look(run)
            if report.claim is Claim.PROGRAM:
                assert report.outcome is not None
                assert 3 == report.outcome.exit_code
            else:
                assert Claim.SEALED is (await anyshell.settle(run)).claim
        await anyshell.clean(run)


def chaperones(control: Control) -> bool:
    mark = os.fsencode(control.spool)
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in path.read_bytes():
                return True
        except OSError:
            continue
    return False


async def test_a_disk_that_turns_read_only(anyshell: Control, disk: Disk) -> None:
    """A start is refused in the host's words, nothing can be sealed, and both go on when the disk can be written to."""
    disk.read_only(True)
    run = a_run("exit 3")
    answer = await anyshell.start(run)
    assert answer.told[0].startswith("refused ")
    assert "ead-only" in answer.evidence
    assert Claim.NONE is (await anyshell.settle(run)).claim
    disk.read_only(False)

    outcome = (await anyshell.do(run)).outcome
    assert outcome is not None
    assert 3 == outcome.exit_code


async def test_a_full_disk_keeps_a_link_from_coming_up(make_host: MakeHost, disk: Disk) -> None:
    """A host whose spool cannot be written to says so, with the reason."""
    host = make_host()
    host.root.symlink_to(disk.folder)
    disk.fill()

    with pytest.raises(AnswerError, match="where 0 KiB are free"):
        await host.control()


async def test_a_timeout_on_a_full_disk(anyshell: Control, disk: Disk) -> None:
    """What a timeout ends while the disk is full has ended by its timeout, as soon as there is space again."""
    run = a_run("trap 'exit 0' TERM; while :; do sleep 0.05; done", timeout=2, stop=Stop("TERM", 5))
    await anyshell.start(run)
    pid = (await anyshell.claimed(run)).pid
    await fill(anyshell, disk)
    await until(lambda: not Path(f"/proc/{pid}").exists(), within=20)
    disk.free()
    outcome = (await anyshell.stopped(run)).outcome

    assert outcome is not None
    assert (0, Cause.TIMEOUT) == (outcome.exit_code, outcome.cause)
