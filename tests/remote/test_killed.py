"""Whoever is killed at whichever system call: a program starts at most once, and every run gets a verdict."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from sshsched.domain.events import Claim
from sshsched.domain.model import Cause
from sshsched.errors import LinkLostError
from sshsched.remote import script
from tests.remote.calls import NEVER, SHELLS, Point, attached, export, idle, points, settled, trace, traced
from tests.remote.hostkit import Control, FakeHost, a_run
from tests.support import until

MakeHost = Callable[..., FakeHost]
EVERY = 1_000_000
AT_ONCE = 4
AGAIN: Point = ("reboot", 2)  # never, too, with a log of its own

# (how many kills in the fast suite; all of them in soak)
FEW = pytest.param(16, id="some")
ALL = pytest.param(EVERY, id="all", marks=pytest.mark.soak)


@pytest.mark.parametrize("count", [FEW, ALL])
@pytest.mark.parametrize(
    ("who", "together"), [("chaperone", 1), ("chaperone", 3), ("child", 1), ("everybody", 1)], ids=lambda it: str(it)
)
@pytest.mark.parametrize("shell", SHELLS)
async def test_a_kill_at_any_system_call_on_the_host(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch, shell: str, who: str, together: int, count: int
) -> None:
    """Kill chaperone, who forks several, child, or all with their helpers: at most one start, and a verdict."""
    host = make_host(shell)
    log = host.folder / "log"
    text = traced(who, log)
    monkeypatch.setattr(script, "host_text", lambda: text)
    control = await host.control()
    await control.shell.ask(export(NEVER))

    async def attempt(point: Point) -> None:
        markers = [host.folder / "ran-{}-{}-{}".format(*point, number) for number in range(together)]
        runs = [a_run(f"echo ran >>{script.quote(str(marker))}; exit 7") for marker in markers]
        await control.shell.ask("\n".join([export(point), *control.starting(runs), export(NEVER)]))
        for run, marker in zip(runs, markers, strict=True):
            await settled(control, run, marker)

    await attempt(NEVER)
    where = points(trace(log, NEVER), count)
    for first in range(0, len(where), AT_ONCE):
        await asyncio.gather(*map(attempt, where[first : first + AT_ONCE]))
    killed = [point for point in where if "killed by SIGKILL" in trace(log, point).read_text()]

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
        killed = await killed_while(first, first.start(run), log, point)
        second = await host.control()
        await settled(second, run, marker)
        assert ["claimed"] == (await second.start(run)).told
        second.close()
        return killed

    assert not await attempt(NEVER)
    killed = [await attempt(point) for point in points(log, count)]

    assert killed.count(True) > len(killed) // 2


async def killed_while(
    control: Control, work: Coroutine[Any, Any, object], log: Path, point: Point, *more: str
) -> bool:
    """Whether a control shell was killed at that call before it answered."""
    # What is read has no effect, and bash reads byte by byte.
    async with attached(control, log, point, *more, "-e", "trace=!read"):
        try:
            await work
            killed = False
        except LinkLostError:
            killed = True
        control.close()
        await control.channel.process.wait()
    return killed


@pytest.mark.parametrize("count", [pytest.param(6, id="some"), ALL])
@pytest.mark.parametrize("request_", ["settle", "clean"])
@pytest.mark.parametrize("shell", SHELLS)
async def test_a_kill_while_a_run_is_sealed_or_removed(
    make_host: MakeHost, shell: str, request_: str, count: int
) -> None:
    """Kill the shell that seals a run, or removes its spool, with its helpers: asked again, it is done, and whole."""
    host = make_host(shell)
    log = host.folder / "log"
    other = await host.control()
    running = a_run("sleep 300")
    await other.start(running)
    await other.claimed(running)

    async def attempt(point: Point) -> bool:
        run = a_run("exit 7")
        first = await host.control()
        if request_ == "clean":
            await first.do(run)
        work = first.settle(run) if request_ == "settle" else first.clean(run)
        killed = await killed_while(first, work, log, point, "-f")
        second = await host.control()
        if request_ == "settle":
            assert Claim.SEALED is (await second.settle(run)).claim
            assert ["claimed"] == (await second.start(run)).told
            assert not (second.folder(run) / "stdout").exists()
        await second.clean(run)
        assert not second.folder(run).exists()
        assert [] == list(second.spool.glob(".gone/*"))
        assert (await second.look(running)).alive
        second.close()
        return killed

    assert not await attempt(NEVER)
    killed = [await attempt(point) for point in points(log, count)]

    assert killed.count(True) > len(killed) // 4  # helpers are killed too, and their shell lives on


@pytest.mark.parametrize("count", [pytest.param(8, id="some"), ALL])
@pytest.mark.parametrize("shell", SHELLS)
async def test_a_kill_at_any_system_call_of_a_stop(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch, shell: str, count: int
) -> None:
    """Kill the stop ladder on any of its rungs: asked again it comes to its end, and the outcome is that of a stop."""
    host = make_host(shell)
    log = host.folder / "log"
    text = traced("ladder", log)
    monkeypatch.setattr(script, "host_text", lambda: text)
    control = await host.control()

    async def attempt(point: Point) -> None:
        run = a_run("trap 'echo term; exit 7' TERM; echo on; while :; do sleep 0.02; done")
        await control.start(run)
        await until(lambda: control.output(run), within=20)
        await control.shell.ask("\n".join([export(point), control.stopping(run, grace=5), export(AGAIN)]))
        await until(lambda: idle(control.folder(run), "ss_ladder"), within=20)
        await control.stop(run, grace=5)
        report = await control.stopped(run)
        assert report.outcome is not None
        assert (7, Cause.STOP, ()) == (report.outcome.exit_code, report.outcome.cause, report.survivors)
        # Who is killed between the signal and the note of it is followed by one who sends it again.
        assert await control.output(run) in (b"on\nterm\n", b"on\nterm\nterm\n")

    await attempt(NEVER)
    where = points(trace(log, NEVER), count, but=("read", "poll"))  # it looks at all of /proc
    for first in range(0, len(where), AT_ONCE):
        await asyncio.gather(*map(attempt, where[first : first + AT_ONCE]))
    killed = [point for point in where if "killed by SIGKILL" in trace(log, point).read_text()]

    assert len(killed) > len(where) * 3 // 4
    control.close()


# A request that arrives in part ---------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [pytest.param(24, id="some"), ALL])
@pytest.mark.parametrize("request_", ["start", "start together", "stop", "clean"])
@pytest.mark.parametrize("shell", [*SHELLS, "mksh"])
async def test_a_request_cut_at_any_byte(make_host: MakeHost, shell: str, request_: str, count: int) -> None:
    """A request of which only the first bytes arrive does nothing at all, and removes nothing; a whole one does all.

    Of several that are sent together, those that are whole may be done: no program starts before the last one is.
    """
    host = make_host(shell)
    control = await host.control()
    run = a_run("echo 'it is'; exit 7", env={"A": "b c\n}\n"}, stdin="data\n")
    other, ended = a_run("sleep 300"), a_run("true")
    await control.start(other)
    await control.claimed(other)
    await control.do(ended)
    calls = {
        "start": [script.start(control.placed(run), script.spool_name(run), {})],
        "start together": control.starting([run]),
        "stop": [control.stopping(other, grace=0)],
        "clean": [script.clean([script.spool_name(ended)])],
    }[request_]
    sent = "".join(script.request(number, call) for number, call in enumerate(calls, 1)).encode()
    setup = f"{script.join(str(control.spool))}\nSS_SETSID={control.hello.setsid} SS_TIME=\n"
    export = "SS_BOOT=$ss_boot\nexport $SS_NAMES\n"
    prelude = (setup + export).replace("/bin/sh", host.sh).encode()

    def cut_at(length: int) -> set[str]:
        subprocess.run(
            [host.sh],
            input=prelude + sent[:length].replace(b"/bin/sh", host.sh.encode()),
            capture_output=True,
            env={"PATH": os.defpath},
            check=False,
        )
        own = {"command", "stdin"} if request_ == "start together" else set()  # of calls that were whole
        paths = [path for path in control.spool.rglob("*") if path.parent.name != "shells" and path.name not in own]
        return {str(path) for path in paths if path != control.folder(run) or request_ == "start"}

    before = cut_at(0)
    last = len(sent) - 1  # without its last byte, a newline, the request is whole
    for length in sorted({*range(1, last, max(1, last // count)), *range(last - 12, last)}):
        assert before == cut_at(length), sent[:length]
    assert (await control.look(other)).alive

    cut_at(len(sent))
    if request_.startswith("start"):
        outcome = (await control.ended(run)).outcome
        assert outcome is not None
        assert 7 == outcome.exit_code
    elif request_ == "stop":
        assert () == (await control.stopped(other)).survivors
    else:
        assert not control.folder(ended).exists()
    control.close()
