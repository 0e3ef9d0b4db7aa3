"""Whatever the kernel refuses at whichever system call: nothing starts twice, and nothing is said that is not known."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import pytest

from sshsched.domain.events import Claim, Report
from sshsched.errors import HostError
from sshsched.remote import script
from sshsched.remote.answers import AnswerError, parse_hello, parse_reports
from tests.remote.calls import NEVER, OPENS, SHELLS, WRITES, Point, attached, export, points, settled, trace, traced
from tests.remote.hostkit import FakeHost, a_run
from tests.support import until

MakeHost = Callable[..., FakeHost]
EVERY = 1_000_000
AT_ONCE = 4
FULL, READ_ONLY, NO_MORE_FILES = "error=ENOSPC", "error=EROFS", "error=EMFILE"

ALL = pytest.param(EVERY, id="all", marks=pytest.mark.soak)


@pytest.mark.parametrize("count", [pytest.param(8, id="some"), ALL])
@pytest.mark.parametrize("fault", [FULL, pytest.param(READ_ONLY, marks=pytest.mark.soak)])
@pytest.mark.parametrize("who", ["chaperone", "child", "everybody"])
@pytest.mark.parametrize("shell", SHELLS)
async def test_a_write_that_fails_on_the_host(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch, shell: str, who: str, fault: str, count: int
) -> None:
    """A disk that is full or read-only at any write of chaperone, child and their helpers makes up no outcome."""
    host = make_host(shell)
    log = host.folder / "log"
    text = traced(who, log)
    monkeypatch.setattr(script, "host_text", lambda: text)
    control = await host.control()
    await control.shell.ask(export(NEVER))

    async def attempt(point: Point) -> None:
        marker = host.folder / "ran-{}-{}".format(*point)
        run = a_run(f"echo ran >>{script.quote(str(marker))}; exit 7")
        await control.shell.ask("\n".join([export(point, fault), *control.starting([run]), export(NEVER)]))
        report = await settled(control, run, marker, hit=who != "chaperone")
        assert who != "chaperone" or report.claim is Claim.SEALED or report.outcome is not None

    await attempt(NEVER)
    where = points(trace(log, NEVER), count, only=WRITES)
    for first in range(0, len(where), AT_ONCE):
        await asyncio.gather(*map(attempt, where[first : first + AT_ONCE]))
    failed = [point for point in where if "(INJECTED)" in trace(log, point).read_text()]

    assert len(failed) > len(where) * 3 // 4
    control.close()


@pytest.mark.parametrize("count", [pytest.param(8, id="some"), ALL])
@pytest.mark.parametrize("shell", SHELLS)
async def test_a_start_that_cannot_be_written_down(make_host: MakeHost, shell: str, count: int) -> None:
    """Whatever the shell that is told to start a program cannot make, the run is refused, or is started once."""
    host = make_host(shell)
    log = host.folder / "log"
    control = await host.control()
    only = [call for call in WRITES if call != "write"]  # which would be its answer too

    async def attempt(point: Point) -> bool:
        marker = host.folder / "ran-{}-{}".format(*point)
        run = a_run(f"echo ran >>{script.quote(str(marker))}; exit 7", stdin="some")
        async with attached(control, log, point, what=READ_ONLY):
            await control.shell.ask_all(control.starting([run]))
        failed = "(INJECTED)" in log.read_text()
        await settled(control, run, marker)
        return failed

    assert not await attempt(NEVER)
    failed = [await attempt(point) for point in points(log, count, only=only)]

    assert all(failed)
    control.close()


@pytest.mark.parametrize("count", [pytest.param(8, id="some"), ALL])
@pytest.mark.parametrize("shell", SHELLS)
async def test_what_cannot_be_read_is_unknown(make_host: MakeHost, shell: str, count: int) -> None:
    """While a host can open no file, nobody is said to be dead, sealed or gone: there is the truth, or no report."""
    host = make_host(shell)
    log = host.folder / "log"
    control = await host.control()
    live, over, new = a_run("sleep 300"), a_run("exit 3"), a_run("true")
    await control.start(live)
    await control.claimed(live)
    await control.do(over)
    names = {script.spool_name(run): run for run in (live, over, new)}
    seen: list[int] = []

    async def attempt(point: Point) -> None:
        async with attached(control, log, point, what=NO_MORE_FILES):
            calls = [script.look(names), *map(script.settle, list(names)[:2])]
            answers = await control.shell.ask_all(calls)
        reports = [parse_reports(answer.told, control.clock) for answer in answers]
        seen.append(sum(map(len, reports)))
        for name, report in (item for each in reports for item in each.items()):
            assert names[name] is not live or is_live(report), point
            assert names[name] is not over or is_over(report), point
            assert names[name] is not new or not report.exists, point

    def is_live(report: Report) -> bool:
        return (Claim.PROGRAM, True, None) == (report.claim, report.alive, report.outcome)

    def is_over(report: Report) -> bool:
        return report.outcome is not None and 3 == report.outcome.exit_code

    await attempt(NEVER)
    for point in points(log, count, only=OPENS):
        await attempt(point)

    assert 5 == seen[0]
    assert 5 > min(seen), "nothing was hidden"
    control.close()


@pytest.mark.parametrize("count", [pytest.param(8, id="some"), ALL])
@pytest.mark.parametrize("shell", SHELLS)
async def test_a_host_that_cannot_say_who_it_is(make_host: MakeHost, shell: str, count: int) -> None:
    """A host that can open no file at hello is of no use just now: it is not taken for another, or for rebooted."""
    host = make_host(shell)
    log = host.folder / "log"
    told: list[tuple[str, str] | None] = []

    async def attempt(point: Point) -> None:
        control = await host.control()
        async with attached(control, log, point, what=NO_MORE_FILES):
            try:
                hello = parse_hello(await control.shell.ask(script.hello(str(host.root), "cafe", "fake")))
                told.append((hello.spool, hello.boot))
            except (AnswerError, HostError):
                told.append(None)
        control.close()

    await attempt(NEVER)
    for point in points(log, count, only=OPENS):
        await attempt(point)

    assert {told[0], None} == set(told)


@pytest.mark.parametrize("count", [pytest.param(8, id="some"), ALL])
@pytest.mark.parametrize("shell", SHELLS)
async def test_a_stop_that_cannot_open_a_file(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch, shell: str, count: int
) -> None:
    """Whatever file the stop ladder cannot open for a moment, it keeps the grace time and comes to its end."""
    host = make_host(shell)
    log = host.folder / "log"
    text = traced("ladder", log)
    monkeypatch.setattr(script, "host_text", lambda: text)
    control = await host.control()

    async def attempt(point: Point) -> None:
        run = a_run("trap '' TERM; echo on; while :; do sleep 0.02; done")
        await control.start(run)
        await until(lambda: control.output(run), within=20)
        await control.shell.ask("\n".join([export(point, NO_MORE_FILES), control.stopping(run), export(NEVER)]))
        report = await control.ended(run)
        assert report.outcome is not None
        assert signal.SIGKILL == report.outcome.signal, point

    await attempt(NEVER)
    # Before it looks at the claim it is the shell that cannot begin; then it is asked for again.
    opened = [line for line in trace(log, NEVER).read_text().splitlines() if line.startswith(OPENS)]
    first = next(number for number, line in enumerate(opened, 1) if "/claim" in line)
    later = [point for point in points(trace(log, NEVER), EVERY, only=OPENS) if point[1] >= first]
    where = later[:: max(1, len(later) // count)]
    for first in range(0, len(where), AT_ONCE):
        await asyncio.gather(*map(attempt, where[first : first + AT_ONCE]))
    control.close()
