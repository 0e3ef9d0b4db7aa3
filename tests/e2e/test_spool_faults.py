"""Spools and processes that somebody harms behind our back: each run tells what is known, and nobody else is hurt."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from tests.e2e.kit import Lab
from tests.support import wait_until

Harm = Callable[[Path, Lab], object]


def pids(spool: Path) -> tuple[int, int]:
    """Program and chaperone, of the run's claim."""
    lines = dict(line.split(" ", 1) for line in (spool / "claim").read_text().splitlines())
    return int(lines["pid"].split()[0]), int(lines["chaperone"].split()[0])


def kill(spool: Path, made: Lab) -> None:
    """The chaperone first: it would write a status."""
    for pid in reversed(pids(spool)):
        os.kill(pid, signal.SIGKILL)


def with_status(text: bytes) -> Harm:
    """Killed, with something in the status' place."""

    def harm(spool: Path, made: Lab) -> None:
        kill(spool, made)
        (spool / "status").write_bytes(text)

    return harm


def link(spool: Path, made: Lab) -> None:
    """A link to somebody else's folder in the spool's place."""
    shutil.rmtree(spool)
    foreign = made.folder / "foreign"
    foreign.mkdir()
    (foreign / "mine").write_text("mine")
    spool.symlink_to(foreign)


def file(spool: Path, made: Lab) -> None:
    """A file in the spool's place."""
    shutil.rmtree(spool)
    spool.write_text("mine")


LOST = ("error", "lost", "the program is gone and left no status")
GONE = ("error", "spool-gone", "its spool on the host was removed or damaged")
FAULTS: dict[str, tuple[Harm, tuple[str, str, str]]] = {
    "killed": (kill, LOST),
    "torn": (with_status(b"exit 0\nup 5.00\npeak"), LOST),
    "empty": (with_status(b""), LOST),
    "garbage": (with_status(b"\xff\0exit 0\nend\n"), LOST),
    "removed": (lambda spool, made: shutil.rmtree(spool), GONE),
    "link": (link, GONE),
    "file": (file, GONE),
}


def test_each_is_told_as_what_it_is(box: Lab) -> None:
    """A killed chaperone, a damaged status, and a spool that is gone or foreign are no outcome, and no second start."""
    names = {fault: box.submit(f"{box.mark()}; exec sleep 300")[0] for fault in FAULTS}
    (other,) = box.submit(f"{box.mark()}; until [ -s {box.marks}/go ]; do sleep 0.05; done; exit 6")
    for name in (*names.values(), other):
        box.reaches(name, "running")
    spools = {fault: Path(box.run(name)["spool"]) for fault, name in names.items()}
    live = [pids(spool)[0] for spool in spools.values()]
    for fault, (harm, _) in FAULTS.items():
        harm(spools[fault], box)
    ended = {fault: box.finished(name) for fault, name in names.items()}
    (box.marks / "go").write_text("go")
    unhurt = box.finished(other)
    box.settled()
    for pid in live:
        if Path(f"/proc/{pid}").exists():
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not box.spools())

    for fault, (_, (state, reason, words)) in FAULTS.items():
        run = ended[fault]
        assert (state, reason, None, None) == (run["state"], run["reason"], run["exit_code"], run["signal"]), fault
        assert words in run["message"], fault
        assert reason != "spool-gone" or f"process {run['pid']} may still run" in run["message"], fault
    assert ("failure", 6) == (unhurt["state"], unhurt["exit_code"])
    assert sorted([*names.values(), other]) == sorted(box.marked())
    assert "mine" == (box.folder / "foreign" / "mine").read_text()
