"""Whoever is killed at whichever system call: a program starts at most once, and every run gets a verdict."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sshsched.domain.events import Claim
from sshsched.domain.model import Run
from sshsched.errors import LinkLostError
from sshsched.remote import script
from tests.remote.hostkit import Control, FakeHost, a_run
from tests.support import until

MakeHost = Callable[..., FakeHost]
EVERY = 1_000_000
AT_ONCE = 4
CHAPERONE = '/bin/sh -c \'eval "$SS_BASE$SS_CHAPERONE" && ss_herd'
CHILD = 'set -- /bin/sh -c "$ss_child"'
SHELLS = ["dash", "bash", "busybox"]

# (how many kills in the fast suite; all of them in soak)
FEW = pytest.param(16, id="some")
ALL = pytest.param(EVERY, id="all", marks=pytest.mark.soak)


def traced(who: str, log: str) -> str:
    """The host's text, with strace before the chaperone, the child, or both and all that they start."""
    text = script.host_text()
    for what in {"chaperone": [CHAPERONE], "child": [CHILD], "everybody": [CHAPERONE]}[who]:
        follow = "-f" if who == "everybody" else ""
        strace = f"strace {follow} -D -qq -o {log}-$SS_CALL-$SS_WHEN -e inject=$SS_CALL:signal=KILL:when=$SS_WHEN"
        assert 1 == text.count(what)
        text = text.replace(what, what.replace("/bin/sh", f"{strace} /bin/sh"))
    return text


def idle(folder: Path) -> bool:
    """Nothing that was started for this run lives, strace included."""
    mark = os.fsencode(folder)
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (path / "cmdline").read_bytes() and path.name != str(os.getpid()):
                return False
        except OSError:
            continue
    return True


async def settled(control: Control, run: Run, marker: Path) -> None:
    """Do with a run what a scheduler does that has lost all memory but of having sent a start."""
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
    elif report.outcome is not None and report.outcome.signal is None:
        assert (7, "ran\n") == (report.outcome.exit_code, ran)
    elif report.outcome is not None:
        assert signal.SIGKILL == report.outcome.signal


Point = tuple[str, int]
NEVER: Point = ("reboot", 1)


def points(log: Path, count: int) -> list[Point]:
    """So many of the system calls of a whole life, evenly spread, each as its name and how often it was made before.

    strace counts each name for itself, and each process.
    """
    made: dict[tuple[str, str], int] = {}
    found: dict[Point, None] = {}
    for match in re.finditer(r"^(?:(\d+) +)?(\w+)\(", log.read_text(), re.MULTILINE):
        made[match.groups()] = made.get(match.groups(), 0) + 1
        found[match[2], made[match.groups()]] = None
    return list(found)[:: max(1, len(found) // count)]


@pytest.mark.parametrize("count", [FEW, ALL])
@pytest.mark.parametrize("who", ["chaperone", "child", "everybody"])
@pytest.mark.parametrize("shell", SHELLS)
async def test_a_kill_at_any_system_call_on_the_host(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch, shell: str, who: str, count: int
) -> None:
    """Kill chaperone, child, or both with all their helpers: at most one start, and a verdict."""
    host = make_host(shell)
    text = traced(who, str(host.folder / "log"))
    monkeypatch.setattr(script, "host_text", lambda: text)
    control = await host.control()
    export = "export SS_CALL={} SS_WHEN={}\n"
    await control.shell.ask(export.format(*NEVER))

    def log(point: Point) -> Path:
        return host.folder / "log-{}-{}".format(*point)

    async def attempt(point: Point) -> None:
        marker = host.folder / "ran-{}-{}".format(*point)
        run = a_run(f"echo ran >>{script.quote(str(marker))}; exit 7")
        start = script.start(control.placed(run), script.spool_name(run), {})
        await control.shell.ask(export.format(*point) + start + "\n" + export.format(*NEVER))
        await settled(control, run, marker)

    await attempt(NEVER)
    where = points(log(NEVER), count)
    for first in range(0, len(where), AT_ONCE):
        await asyncio.gather(*map(attempt, where[first : first + AT_ONCE]))
    killed = [point for point in where if "killed by SIGKILL" in log(point).read_text()]

    assert len(killed) > len(where) * 3 // 4
    control.close()


@pytest.mark.parametrize("count", [pytest.param(8, id="some"), ALL])
@pytest.mark.parametrize("shell", SHELLS)
async def test_a_kill_at_any_system_call_of_the_control_shell(make_host: MakeHost, shell: str, count: int) -> None:
    """Kill the shell that is told to start a program: another one finishes what it began, and nothing is done twice."""
    host = make_host(shell)
    log = host.folder / "log"

    async def attempt(point: Point) -> bool:
        marker = host.folder / "ran-{}-{}".format(*point)
        run = a_run(f"echo ran >>{script.quote(str(marker))}; exit 7", stdin="some")
        first = await host.control()
        inject = "inject={}:signal=KILL:when={}".format(*point)
        # What is read has no effect, and bash reads byte by byte.
        call = ["strace", "-p", str(first.channel.process.pid), "-o", str(log), "-e", "trace=!read", "-e", inject]
        with subprocess.Popen(call, stderr=subprocess.PIPE) as strace:  # noqa: ASYNC220
            assert strace.stderr is not None
            await asyncio.to_thread(strace.stderr.readline)  # attached
            try:
                assert ["launched"] == (await first.start(run)).told
                killed = False
            except LinkLostError:
                killed = True
            first.close()
            await first.channel.process.wait()
        second = await host.control()
        await settled(second, run, marker)
        assert ["claimed"] == (await second.start(run)).told
        second.close()
        return killed

    assert not await attempt(NEVER)
    killed = [await attempt(point) for point in points(log, count)]

    assert killed.count(True) > len(killed) // 2


# A start that arrives in part -----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [pytest.param(24, id="some"), ALL])
@pytest.mark.parametrize("shell", [*SHELLS, "mksh"])
async def test_a_start_cut_at_any_byte(make_host: MakeHost, shell: str, count: int) -> None:
    """A start of which only the first bytes arrive does nothing at all; a whole one does all."""
    host = make_host(shell)
    control = await host.control()
    run = a_run("echo 'it is'; exit 7", env={"A": "b c\n}\n"}, stdin="data\n")
    call = script.start(control.placed(run), script.spool_name(run), {})
    request = script.request(1, call).encode()
    setup = f"{script.join(str(control.spool))}\nSS_SETSID={control.hello.setsid} SS_TIME=\n"
    export = "SS_BOOT=$ss_boot\nexport $SS_NAMES\n"
    prelude = (setup + export).replace("/bin/sh", host.sh).encode()

    def cut_at(length: int) -> set[str]:
        subprocess.run(
            [host.sh],
            input=prelude + request[:length].replace(b"/bin/sh", host.sh.encode()),
            capture_output=True,
            env={"PATH": os.defpath},
            check=False,
        )
        return {path.name for path in control.spool.iterdir()}

    before = cut_at(0)
    last = len(request) - 1  # without its last byte, a newline, the request is whole
    for length in sorted({*range(1, last, max(1, last // count)), *range(last - 12, last)}):
        assert before == cut_at(length), request[:length]

    assert {script.spool_name(run)} == cut_at(len(request)) - before
    outcome = (await control.ended(run)).outcome
    assert outcome is not None
    assert 7 == outcome.exit_code
    control.close()
