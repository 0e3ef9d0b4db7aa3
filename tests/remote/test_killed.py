"""Whoever is killed at whichever system call: a program starts at most once, and every run gets a verdict."""

from __future__ import annotations

import asyncio
import os
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
NEVER = 65_535  # the most that strace counts
AT_ONCE = 4
CHAPERONE = '/bin/sh -c \'eval "$SS_TEXT" && ss_chaperone'
CHILD = 'set -- /bin/sh -c "$ss_child"'
SHELLS = ["dash", "bash", "busybox"]

# (how many kills in the fast suite; all of them in soak)
FEW = pytest.param(16, id="some")
ALL = pytest.param(NEVER, id="all", marks=pytest.mark.soak)


def traced(who: str, log: str) -> str:
    """The host's text, with strace before the chaperone, the child, or both and all that they start."""
    text = script.host_text()
    for what in {"chaperone": [CHAPERONE], "child": [CHILD], "everybody": [CHAPERONE]}[who]:
        follow = "-f" if who == "everybody" else ""
        strace = f"strace {follow} -D -qq -o {log}-$SS_WHEN -e inject=all:signal=KILL:when=$SS_WHEN"
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
    ran = marker.read_text() if marker.exists() else ""
    assert ran in ("", "ran\n")
    if report.claim is Claim.SEALED:
        assert "" == ran
    elif report.outcome is None:
        assert not report.alive
    elif report.outcome.signal is None:
        assert (7, "ran\n") == (report.outcome.exit_code, ran)
    else:
        assert signal.SIGKILL == report.outcome.signal


def chosen(total: int, count: int) -> list[int]:
    """So many of the numbers from 1 to total and a little above, evenly spread."""
    step = max(1, total // count)
    return list(range(1, total + step + 1, step))


@pytest.mark.parametrize("count", [FEW, ALL])
@pytest.mark.parametrize("who", ["chaperone", "child", "everybody"])
@pytest.mark.parametrize("shell", SHELLS)
async def test_a_kill_at_any_system_call_on_the_host(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch, shell: str, who: str, count: int
) -> None:
    """Kill chaperone, child, or both with all their helpers: at most one start, and a verdict."""
    host = make_host(shell)
    log = host.folder / "log"
    text = traced(who, str(log))
    monkeypatch.setattr(script, "host_text", lambda: text)
    control = await host.control()

    async def attempt(when: int) -> None:
        marker = host.folder / f"ran-{when}"
        run = a_run(f"echo ran >>{script.quote(str(marker))}; exit 7")
        async with turn:
            await control.shell.ask(f"SS_WHEN={when}; export SS_WHEN")
            started = asyncio.ensure_future(control.start(run))
            after = asyncio.ensure_future(control.shell.ask(f"SS_WHEN={NEVER}"))
        await asyncio.gather(started, after)
        await settled(control, run, marker)

    turn = asyncio.Lock()
    await attempt(NEVER)
    whole = (host.folder / f"log-{NEVER}").read_text().splitlines()
    whens = chosen(len(whole), count)
    for start in range(0, len(whens), AT_ONCE):
        await asyncio.gather(*map(attempt, whens[start : start + AT_ONCE]))
    killed = [when for when in whens if "killed by SIGKILL" in (host.folder / f"log-{when}").read_text()]

    assert len(killed) > min(count, len(whens)) // 4
    control.close()


@pytest.mark.parametrize("count", [pytest.param(8, id="some"), ALL])
@pytest.mark.parametrize("shell", SHELLS)
async def test_a_kill_at_any_system_call_of_the_control_shell(make_host: MakeHost, shell: str, count: int) -> None:
    """Kill the shell that is told to start a program: another one finishes what it began, and nothing is done twice."""
    host = make_host(shell)

    async def attempt(when: int) -> bool:
        marker = host.folder / f"ran-{when}"
        run = a_run(f"echo ran >>{script.quote(str(marker))}; exit 7", stdin="some")
        first = await host.control()
        # What is read has no effect, and bash reads byte by byte.
        inject = ["-e", "trace=!read", "-e", f"inject=!read:signal=KILL:when={when}"]
        with subprocess.Popen(  # noqa: ASYNC220
            ["strace", "-p", str(first.channel.process.pid), "-o", str(host.folder / "log"), *inject],
            stderr=subprocess.PIPE,
        ) as strace:
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
    total = len((host.folder / "log").read_text().splitlines())
    killed = [await attempt(when) for when in chosen(total, count)]

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
    whole = (script.join(str(control.spool)) + "\n" + call).encode()
    request = script.request(1, call).encode()
    assert request.rstrip() == request[:-1]
    setup = f"{script.join(str(control.spool))}\nSS_SETSID={control.hello.setsid} SS_TIME= SS_WRITE='printf %s'\n"
    export = "export SS_TEXT SS_SETSID SS_TIME SS_SPOOL SS_WRITE\n"
    prelude = (setup + export).replace("/bin/sh", host.sh).encode()
    assert len(whole) > len(request) - 50

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
    for length in chosen(len(request) - 3, count):
        if length < len(request) - 1:
            assert before == cut_at(length), request[:length]
    for length in range(len(request) - 12, len(request) - 1):
        assert before == cut_at(length), request[:length]

    assert {script.spool_name(run)} == cut_at(len(request)) - before
    outcome = (await control.ended(run)).outcome
    assert outcome is not None
    assert 7 == outcome.exit_code
    control.close()
