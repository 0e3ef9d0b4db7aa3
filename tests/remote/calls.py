"""System calls of what runs on a host, picked one by one, to be killed at or to fail: strace does it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from sshsched.domain.events import Claim, Report
from sshsched.domain.model import Run
from sshsched.remote import script
from tests.remote.hostkit import Control
from tests.support import until

SHELLS = ["dash", "bash", "busybox"]
CHAPERONE = '/bin/sh -c \'eval "$SS_BASE$SS_CHAPERONE" && ss_herd'
CHILD = 'set -- /bin/sh -c "$ss_child"'
LADDER = '/bin/sh -c \'eval "$SS_BASE$SS_STOP" && ss_ladder'
# Whose calls these are, and whether those of all that they start are counted too.
WHO = {
    "chaperone": (CHAPERONE, ""),
    "child": (CHILD, ""),
    "everybody": (CHAPERONE, "-f"),
    "ladder": (LADDER, ""),
}

OPENS = ("open", "openat")
WRITES = (
    *OPENS,
    "write",
    "link",
    "linkat",
    "mkdir",
    "mkdirat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
)

Point = tuple[str, int]
NEVER: Point = ("reboot", 1)


def traced(who: str, log: Path) -> str:
    """The host's text, with strace before some of what it starts, which is told by SS_CALL, SS_WHAT and SS_WHEN."""
    text = script.host_text()
    what, follow = WHO[who]
    fault = "inject=$SS_CALL:$SS_WHAT:when=$SS_WHEN"
    strace = f"strace {follow} -D -qq -o {log}-$SS_CALL-$SS_WHEN -e {fault}"
    assert 1 == text.count(what)
    return text.replace(what, what.replace("/bin/sh", f"{strace} /bin/sh"))


def export(point: Point, what: str = "signal=KILL") -> str:
    """Have this happen at that call of what is started from now on."""
    call, when = point
    return f"export SS_CALL={call} SS_WHEN={when} SS_WHAT={what}"


def trace(log: Path, point: Point) -> Path:
    """What was traced with this point exported."""
    return log.with_name("{}-{}-{}".format(log.name, *point))


def points(log: Path, count: int, *, but: Sequence[str] = (), only: Sequence[str] = ()) -> list[Point]:
    """So many of the system calls of a whole life, evenly spread, each as its name and how often it was made before.

    strace counts each name for itself, and each process.
    """
    made: dict[tuple[str, str], int] = {}
    found: dict[Point, None] = {}
    for match in re.finditer(r"^(?:(\d+) +)?(\w+)\(", log.read_text(), re.MULTILINE):
        if match[2] not in but and (not only or match[2] in only):
            made[match.groups()] = made.get(match.groups(), 0) + 1
            found[match[2], made[match.groups()]] = None
    return list(found)[:: max(1, len(found) // count)]


@asynccontextmanager
async def attached(
    control: Control, log: Path, point: Point, *more: str, what: str = "signal=KILL"
) -> AsyncIterator[None]:
    """Have this happen at that call of a control shell, while entered."""
    fault = f"inject={point[0]}:{what}:when={point[1]}"
    call = ["strace", "-p", str(control.channel.process.pid), "-o", str(log), *more, "-e", fault]
    with subprocess.Popen(call, stderr=subprocess.PIPE) as strace:  # noqa: ASYNC220
        assert strace.stderr is not None
        await asyncio.to_thread(strace.stderr.readline)  # attached
        try:
            yield
        finally:
            strace.terminate()


def idle(folder: Path, word: str = "") -> bool:
    """Nothing that was started for this run, and has that word in its arguments, lives, strace included."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            text = (path / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in text and word.encode() in text and path.name != str(os.getpid()):
            return False
    return True


async def settled(control: Control, run: Run, marker: Path, *, hit: bool = False) -> Report:
    """Do with a run what a scheduler does that has lost all memory but of having sent a start.

    Its program writes `ran` to the marker and exits with 7, if it is not killed, or `hit` by what else may fail.
    """
    await until(lambda: idle(control.folder(run)), within=30)
    report = await control.look(run)
    if report.claim is Claim.NONE and report.refused is None:
        await control.start(run)
        report = await control.ended(run)
    if report.claim is Claim.NONE:
        report = await control.settle(run)
        assert Claim.SEALED is report.claim
    if report.claim is Claim.PROGRAM:
        report = await control.ended(run)
    ran = marker.read_text() if marker.exists() else ""
    assert ran in ("", "ran\n")
    if report.claim is Claim.SEALED:
        assert "" == ran
    elif hit:
        assert Claim.PROGRAM is report.claim
    elif report.outcome is not None and report.outcome.signal is None:
        assert (7, "ran\n") == (report.outcome.exit_code, ran)
    elif report.outcome is not None:
        assert signal.SIGKILL == report.outcome.signal
    return report
