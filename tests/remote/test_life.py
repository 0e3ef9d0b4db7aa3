"""The whole life of a run, on every shell that a host may have as its /bin/sh."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from sshsched.domain.events import Claim
from sshsched.domain.model import Cause, Outcome
from sshsched.domain.program import Stop
from tests.remote.hostkit import SHELLS, Control, FakeHost, a_run, ignored, lives
from tests.support import until

CODES = (0, 1, 2, 96, 126, 127, 128, 129, 137, 143, 254, 255)
# Nobody dies of the others.
HARMLESS = ("SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU")
DEADLY = [each for each in signal.Signals if each.name not in HARMLESS]


@pytest.fixture(params=SHELLS)
async def anyshell(request: pytest.FixtureRequest, make_host: Callable[..., FakeHost]) -> AsyncIterator[Control]:
    control = await make_host(request.param).control()
    yield control
    control.close()


def outcome(report: object) -> tuple[int | None, int | None, bool]:
    ended = report.outcome  # type: ignore[attr-defined]
    assert isinstance(ended, Outcome), report
    return ended.exit_code, ended.signal, ended.certain


async def test_a_whole_life(anyshell: Control) -> None:
    """A run starts, ends, tells how, hands out its output byte for byte, and leaves nothing behind."""
    run = a_run("printf 'out\\n'; printf 'err\\n' >&2; exit 3")

    assert ["launched"] == (await anyshell.start(run)).told
    report = await anyshell.ended(run)
    assert (3, None, True) == outcome(report)
    assert not report.outcome.leftover
    assert abs(report.outcome.ended_at - report.started_at) < 5
    assert report.outcome.cpu_user is not None
    assert report.outcome.max_rss is not None
    assert b"out\n" == await anyshell.output(run)
    assert b"err\n" == await anyshell.output(run, "stderr")
    assert [] == await anyshell.clean(run)
    assert not (await anyshell.look(run)).exists
    assert not anyshell.folder(run).exists()


@pytest.mark.parametrize("codes", [CODES, pytest.param(range(256), marks=pytest.mark.soak)], ids=["some", "all"])
async def test_exit_codes_are_the_programs_own(anyshell: Control, codes: Sequence[int]) -> None:
    """Whatever a program exits with is told, also what shells use for themselves."""
    runs = {code: a_run(f"exit {code}") for code in codes}
    for run in runs.values():
        await anyshell.start(run)

    assert {code: (code, None, True) for code in codes} == {
        code: outcome(await anyshell.ended(run)) for code, run in runs.items()
    }


async def test_death_by_signal_is_no_exit_code(anyshell: Control) -> None:
    """A program that a signal killed is told apart from one that exits with 128 and that number."""
    # Some of the shells catch some signals for themselves and exit; dash catches none.
    runs = {number: a_run("/usr/bin/dash", "-c", f"kill -{int(number)} $$") for number in DEADLY}
    for run in runs.values():
        await anyshell.start(run)

    assert {number: (None, int(number), True) for number in DEADLY} == {
        number: outcome(await anyshell.ended(run)) for number, run in runs.items()
    }


async def test_programs_that_are_started_together(anyshell: Control) -> None:
    """Each of many has a chaperone of its own, ignores no signal, and ends in its own way at its own time."""
    runs = [a_run(f"cat /proc/self/status; exit {number}") for number in range(5)]
    late = a_run("exec sleep 60", timeout=0.5)
    answer = await anyshell.start_all([*runs, late])
    ended = [await anyshell.ended(run) for run in runs]
    stopped = await anyshell.stopped(late)
    claims = [(anyshell.folder(run) / "claim").read_text().splitlines() for run in runs]

    assert ["launched"] == answer.told
    assert [(number, None, True) for number in range(5)] == [outcome(report) for report in ended]
    assert [0] * 5 == [ignored((await anyshell.output(run)).decode()) for run in runs]
    assert 5 == len({chaperone for _, chaperone, _ in claims})
    assert Cause.TIMEOUT is stopped.stopping


async def test_the_shell_that_forked_the_chaperones_may_be_killed(anyshell: Control) -> None:
    """Programs that were started together are told of each by its own chaperone, whatever becomes of their parent."""
    runs = [a_run(f"while [ ! -e $HOME/go ]; do sleep 0.05; done; exit {number}") for number in (3, 4, 5)]
    await anyshell.start_all(runs)
    for run in runs:
        await anyshell.claimed(run)
    chaperone = (anyshell.folder(runs[0]) / "claim").read_text().split()[4]
    parent = int(Path(f"/proc/{chaperone}/stat").read_text().rpartition(") ")[2].split()[1])
    os.kill(parent, signal.SIGKILL)
    (anyshell.spool.parents[2] / "go").touch()

    assert [3, 4, 5] == [outcome(await anyshell.ended(run))[0] for run in runs]


async def test_short_output_is_fetched_byte_for_byte(anyshell: Control) -> None:
    """Whatever a program printed, however little."""
    every = bytes(range(256))
    texts = [
        b"a",
        b"\n",
        b"no end",
        b"a\n\n",
        b"\0",
        b"a\0b\n",
        b" \t x \\n\\\n",
        b"-n\n",
        b"-e %s\\c\n",
        "\u00e9\u4e2d".encode() * 20,
    ]
    texts += [
        every[:128],
        every[128:],
        b"\xff\xfe\n",
        b"\r\n",
        *(every[n : n + 3] for n in range(0, 256, 3)),
        b"x" * 199,
    ]
    runs = [a_run("true") for _ in texts]
    for run, text in zip(runs, texts, strict=True):
        anyshell.folder(run).mkdir()
        (anyshell.folder(run) / "stdout").write_bytes(text)

    assert texts == [await anyshell.output(run) for run in runs]


async def test_no_signal_is_ignored(anyshell: Control) -> None:
    """A started program ignores no signal."""
    run = a_run("cat", "/proc/self/status")
    await anyshell.do(run)

    assert 0 == ignored((await anyshell.output(run)).decode())


@pytest.mark.parametrize("shell", SHELLS)
async def test_signals_that_the_login_ignored_are_restored(shell: str, make_host: Callable[..., FakeHost]) -> None:
    """Not even a control shell that was started with ignored signals hands them on."""
    host = make_host(shell, wrap=("/bin/sh", "-c", "trap '' INT TERM HUP QUIT; exec \"$@\"", "sh"))
    control = await host.control()
    run = a_run("cat", "/proc/self/status")
    await control.do(run)

    assert 0 == ignored((await control.output(run)).decode())
    control.close()


async def test_no_program_holds_the_connection(anyshell: Control) -> None:
    """When a control shell has ended, nothing holds its channel open, whatever programs it has started."""
    runs = [a_run("exec sleep 300", timeout=600, abandon_after=600), a_run("sleep 301 & sleep 302")]
    await anyshell.start_all(runs)
    for run in runs:
        await anyshell.claimed(run)
    os.kill(anyshell.channel.process.pid, signal.SIGKILL)

    async with asyncio.timeout(5):
        await anyshell.shell.closed()  # it has read to the end


async def test_a_second_start_starts_nothing(anyshell: Control) -> None:
    """A start sent three times at once, and again after the end, starts once."""
    run = a_run("echo once")
    await asyncio.gather(*(anyshell.start(run) for _ in range(3)))
    await anyshell.ended(run)

    assert ["claimed"] == (await anyshell.start(run)).told
    assert b"once\n" == await anyshell.output(run)


async def test_a_seal_beats_a_late_start(anyshell: Control) -> None:
    """A run that was sealed never starts."""
    run = a_run("echo never")
    assert Claim.SEALED is (await anyshell.settle(run)).claim

    assert ["claimed"] == (await anyshell.start(run)).told
    assert Claim.SEALED is (await anyshell.look(run)).claim
    assert not (anyshell.folder(run) / "stdout").exists()


async def test_a_start_beats_a_late_seal(anyshell: Control) -> None:
    """A run that has started cannot be sealed, and the seal tells whose the claim is."""
    run = a_run("exit 4")
    await anyshell.do(run)
    report = await anyshell.settle(run)

    assert Claim.PROGRAM is report.claim
    assert (4, None, True) == outcome(report)


async def test_a_stop_ends_the_tree(anyshell: Control) -> None:
    """A stop ends the program with the signal asked for, and its children with it."""
    run = a_run("sleep 300 & echo $!; sleep 301")
    await anyshell.start(run)
    child = int(await until(lambda: anyshell.output(run), within=20))
    assert await anyshell.stop(run, "TERM")
    report = await anyshell.stopped(run)

    assert (None, signal.SIGTERM, True) == outcome(report)
    assert Cause.STOP is report.outcome.cause
    assert () == report.survivors
    assert not lives(child)


async def test_a_stop_that_is_ignored_ends_in_a_kill(anyshell: Control) -> None:
    """Programs that ignore TERM, and children in sessions of their own that do, are killed after the grace time."""
    run = a_run("trap '' TERM; setsid sleep 302 & sleep 303 & echo $!; sleep 304")
    await anyshell.start(run)
    await until(lambda: anyshell.output(run), within=20)
    await anyshell.stop(run, grace=0)
    report = await anyshell.stopped(run)

    assert (None, signal.SIGKILL, True) == outcome(report)
    assert () == report.survivors


async def test_a_timeout_holds_on_the_host(anyshell: Control) -> None:
    """A program that takes too long is ended by its host alone."""
    run = a_run("sleep 300", timeout=0.2, stop=Stop("TERM", 1.0))
    await anyshell.start(run)
    report = await anyshell.stopped(run)

    assert (None, signal.SIGTERM, True) == outcome(report)
    assert Cause.TIMEOUT is report.outcome.cause


@pytest.mark.parametrize(
    ("limit", "stop_in", "cause"), [(None, 0.2, Cause.STOP), (300, 0.2, Cause.STOP), (0.2, 300, Cause.TIMEOUT)]
)
async def test_a_stop_time_holds_on_the_host(
    anyshell: Control, limit: float | None, stop_in: float, cause: Cause
) -> None:
    """A program whose stop time comes is stopped by its host alone; of stop time and timeout the first holds."""
    run = a_run("sleep 300", timeout=limit, stop=Stop("TERM", 1.0))
    await anyshell.start(run, stop_in=stop_in)
    report = await anyshell.stopped(run)

    assert (None, signal.SIGTERM, True) == outcome(report)
    assert cause is report.outcome.cause


async def test_a_refused_start_brings_the_hosts_words(anyshell: Control) -> None:
    """A folder that is not there is told in the host's words, before anything has begun."""
    run = a_run("true", cwd="/no/such folder")
    await anyshell.start(run)
    report = await anyshell.ended(run)

    assert Claim.NONE is report.claim
    assert "/no/such folder" in report.refused
    assert Claim.SEALED is (await anyshell.settle(run)).claim
