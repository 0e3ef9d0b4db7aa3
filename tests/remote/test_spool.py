"""Spools that are damaged, foreign, full or gone, and processes that are not what they were."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sshsched.domain.events import Claim
from sshsched.domain.model import Cause, Run
from sshsched.domain.program import Stop
from sshsched.remote import script
from sshsched.remote.answers import AnswerError
from tests.remote.hostkit import SHELLS, Control, FakeHost, a_run, ignored, lives, make_path
from tests.support import until

MakeHost = Callable[..., FakeHost]


def chaperone(control: Control, run: Run) -> int:
    """The chaperone's process, of the run's claim."""
    lines = (control.folder(run) / "claim").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("chaperone ")))


# Processes -------------------------------------------------------------------------------------------------------


async def test_a_chaperone_killed_beside_its_program(control: Control) -> None:
    """A program outlives its chaperone; once it has ended too, nobody knows how, and nobody says."""
    run = a_run("sleep 300")
    await control.start(run)
    pid = (await control.claimed(run)).pid
    assert pid is not None
    os.kill(chaperone(control, run), signal.SIGKILL)
    await until(lambda: not lives(chaperone(control, run)))
    assert (await control.look(run)).alive
    os.kill(pid, signal.SIGTERM)
    report = await control.ended(run)

    assert (Claim.PROGRAM, False, None) == (report.claim, report.alive, report.outcome)


@pytest.mark.parametrize("without", [(), ("setsid",)], ids=["all tools", "no setsid"])
@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shell != "posh"])
async def test_a_signal_to_a_chaperone_ends_no_wait(
    make_host: MakeHost, tmp_path: Path, shell: str, without: tuple[str, ...]
) -> None:
    """A TERM, HUP or INT to all processes, as at a logout, does not make a chaperone tell an end that has not come."""
    control = await make_host(shell, path=make_path(tmp_path / "path", without=without)).control()
    run = a_run(f"until [ -e {script.quote(str(tmp_path))}/go ]; do sleep 0.02; done; exit 7")
    await control.start(run)
    await control.claimed(run)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        os.kill(chaperone(control, run), number)
        report = await control.look(run)
        assert (True, None) == (report.alive, report.outcome)
    (tmp_path / "go").touch()
    outcome = (await control.ended(run)).outcome

    assert outcome is not None
    assert (7, None) == (outcome.exit_code, outcome.signal)
    control.close()


async def test_a_program_without_its_chaperone_can_be_stopped(control: Control) -> None:
    """A stop needs no chaperone."""
    run = a_run("sleep 300")
    await control.start(run)
    pid = (await control.claimed(run)).pid
    assert pid is not None
    os.kill(chaperone(control, run), signal.SIGKILL)
    await control.stop(run)

    assert () == (await control.stopped(run)).survivors
    assert not lives(pid)


async def test_who_waits_is_killed_in_the_programs_stead(control: Control) -> None:
    """Where setsid or time is killed, the program goes on, is watched, and its end is not made up."""
    run = a_run("sleep 300")
    await control.start(run)
    pid = (await control.claimed(run)).pid
    assert pid is not None
    parent = chaperone(control, run)
    between = [one for one in children(parent) if one != pid]
    for one in [*between, *(child for each in between for child in children(each) if child != pid)]:
        os.kill(one, signal.SIGKILL)
    assert (await control.look(run)).alive
    assert None is (await control.look(run)).outcome
    os.kill(pid, signal.SIGTERM)
    report = await control.ended(run)

    assert (False, None) == (report.alive, report.outcome)


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("where", ["program", "chaperone"])
async def test_a_number_used_again_is_nobody_of_ours(control: Control, where: str) -> None:
    """A claim whose process number belongs to another process now names nobody, and nobody is signalled."""
    run = a_run("sleep 0.1")  # longer than a tick, which is how exactly a start time is known
    await control.do(run)
    stranger = subprocess.Popen(["sleep", "300"], start_new_session=True)  # noqa: ASYNC220
    folder = control.folder(run)
    claim = (folder / "claim").read_text().splitlines()
    line = next(index for index, text in enumerate(claim) if text.startswith("pid" if where == "program" else where))
    word, _, born = claim[line].split()
    claim[line] = f"{word} {stranger.pid} {born}"
    (folder / "claim").write_text("\n".join(claim) + "\n")
    (folder / "status").unlink()
    report = await control.look(run)
    assert (Claim.PROGRAM, False) == (report.claim, report.alive)
    await control.stop(run, "KILL", 0)
    await until(lambda: (folder / "stopped").exists(), within=20)

    assert None is stranger.poll()
    stranger.kill()
    stranger.wait()


async def test_a_claim_of_another_boot_is_dead(control: Control) -> None:
    """After a reboot a claim names nobody, even if number and start time fit."""
    run = a_run("sleep 300")
    await control.start(run)
    pid = (await control.claimed(run)).pid
    assert pid is not None
    path = control.folder(run) / "claim"
    path.write_text(path.read_text().replace(control.hello.boot, "another-boot"))
    await control.stop(run, "KILL", 0)

    assert not (await control.look(run)).alive
    assert lives(pid)


# How programs behave ---------------------------------------------------------------------------------------------


async def test_leftover_processes_are_noticed(control: Control) -> None:
    """A child that holds standard output neither delays the end nor goes unnoticed."""
    run = a_run("sleep 300 & echo done")
    report = await control.do(run)

    assert report.outcome is not None
    assert (0, True) == (report.outcome.exit_code, report.outcome.leftover)
    assert b"done\n" == await control.output(run)


async def test_a_daemon_ends_with_its_run(control: Control) -> None:
    """Who forks twice into a session of its own, with other files and folder, is found by a stop all the same."""
    run = a_run("(setsid sh -c 'cd /; echo $$; exec sleep 300 >/dev/null 2>&1' &); sleep 301")
    await control.start(run)
    daemon = int(await until(lambda: control.output(run), within=20))
    await control.stop(run, grace=5)
    report = await control.stopped(run)

    assert () == report.survivors
    assert not lives(daemon)


async def test_closed_outputs_do_no_harm(control: Control) -> None:
    """A program may close all that it was given."""
    run = a_run("exec <&- >&- 2>&-; exit 5")

    report = await control.do(run)
    assert report.outcome is not None
    assert 5 == report.outcome.exit_code


async def test_a_frozen_program_is_ended(control: Control) -> None:
    """A program that was stopped with SIGSTOP is alive, and ends when it is to."""
    run = a_run("kill -STOP $$; exit 3")
    await control.start(run)
    pid = (await control.claimed(run)).pid
    assert pid is not None
    await until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "T", within=20)
    assert (await control.look(run)).alive
    await control.stop(run, grace=0)
    report = await control.stopped(run)

    assert report.outcome is not None
    assert signal.SIGKILL == report.outcome.signal or signal.SIGTERM == report.outcome.signal


async def test_a_stop_after_the_end_changes_nothing(control: Control) -> None:
    """Who has ended already has ended as it did."""
    run = a_run("exit 6")
    await control.do(run)
    await control.stop(run)
    report = await control.stopped(run)

    assert report.outcome is not None
    assert (6, ()) == (report.outcome.exit_code, report.survivors)


async def test_a_stop_asked_twice_is_one(control: Control) -> None:
    """A stop that is asked for again, as each new link does, sends its signal once: some take two for `at once`."""
    run = a_run("trap 'echo term' TERM; echo on; while :; do sleep 0.05; done")
    await control.start(run)
    await until(lambda: control.output(run), within=20)
    await control.stop(run, grace=1)
    await until(lambda: (control.folder(run) / ".sent-TERM").exists(), within=20)
    await control.stop(run, grace=1)
    await control.stopped(run)

    assert b"on\nterm\n" == await control.output(run)


async def test_a_stop_before_the_start_is_a_seal(control: Control) -> None:
    """Who has not started never will."""
    run = a_run("true")
    assert Claim.SEALED is (await control.stop(run)).claim

    assert ["claimed"] == (await control.start(run)).told


@pytest.mark.parametrize("seconds", [0.001, 0.01, 0.05])
async def test_the_shortest_timeouts_end_the_program(control: Control, seconds: float) -> None:
    """A timeout may come before the claim does."""
    run = a_run("sleep 300", timeout=seconds, stop=Stop("TERM", 5))
    await control.start(run)
    report = await control.stopped(run)

    assert report.outcome is not None
    assert Cause.TIMEOUT is report.outcome.cause


async def test_nobody_keeps_time_for_a_run_that_is_over(control: Control) -> None:
    """When a program has ended or was refused, nothing of its run goes on."""
    runs = [a_run("true", timeout=600, abandon_after=600), a_run("true", timeout=600, cwd="/no/where")]
    for run in runs:
        await control.do(run)

    await until(lambda: not texts(control), within=10)


def texts(control: Control) -> list[bytes]:
    """The arguments of all processes that work in this spool, shells of links apart."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes()
            if os.fsencode(control.spool) in text + (path.parent / "environ").read_bytes():
                found.append(text)
        except OSError:
            continue
    return found


async def test_a_lease_that_nobody_renews_ends_the_program(control: Control) -> None:
    """A program is ended by its host when no scheduler has shown itself for so long, and not while one does."""
    run = a_run("sleep 300", abandon_after=6, stop=Stop("TERM", 5))
    await control.start(run)
    folder = control.folder(run)
    shown_until = time.monotonic() + 7.5
    assert await until(lambda: shown(control, run, shown_until), within=20)
    await until(lambda: (folder / "stopped").exists(), within=20)
    report = await control.stopped(run)

    assert report.outcome is not None
    assert (signal.SIGTERM, Cause.ABANDONED) == (report.outcome.signal, report.outcome.cause)


async def shown(control: Control, run: Run, end: float) -> bool:
    """Look, which renews the lease; true when that time has come."""
    assert None is (await control.look(run)).stopping
    return time.monotonic() > end


# Hosts that lack something ---------------------------------------------------------------------------------------


# posh has no job control at all, so it needs a setsid.
@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shell != "posh"])
@pytest.mark.parametrize("lack", ["setsid", "busybox"])
async def test_a_host_without_the_best_tools(make_host: MakeHost, tmp_path: Path, shell: str, lack: str) -> None:
    """Without setsid, and with that of busybox, programs live, end and stop, and an uncertain end is told as such."""
    tools = (
        {"without": ("setsid",)} if lack == "setsid" else {"busybox": ("setsid", "tail", "head", "wc", "grep", "env")}
    )
    host = make_host(shell, path=make_path(tmp_path / "path", **tools))
    control = await host.control()
    assert ("none" if lack == "setsid" else "plain") == control.hello.setsid
    ends = {"exit 3": (3, None), "exit 255": (255, None), "kill -TERM $$": (143, 15)}
    runs = {command: a_run("/usr/bin/dash", "-c", command) for command in ends}
    status = a_run("cat", "/proc/self/status")
    slow = a_run("sleep 300 & sleep 301", timeout=0.2, stop=Stop("TERM", 5))
    for run in [*runs.values(), status, slow]:
        await control.start(run)
    for command, (code, number) in ends.items():
        outcome = (await control.ended(runs[command])).outcome
        assert outcome is not None
        told = outcome.signal if outcome.certain and outcome.signal else outcome.exit_code
        assert told == (number if outcome.certain and number else code)
        assert outcome.certain or code > 128
    await control.ended(status)
    report = await control.stopped(slow)

    assert 0 == ignored((await control.output(status)).decode())
    assert () == report.survivors
    control.close()


@pytest.mark.parametrize("shell", SHELLS)
async def test_tools_are_tried_once_in_a_boot(make_host: MakeHost, shell: str) -> None:
    """What a host was found to have, the next link believes; in another boot, or if it has gone, it tries anew."""
    host = make_host(shell)
    first = await host.control()
    note = first.spool / ".tools"
    boot, setsid, *rest = note.read_text().splitlines()
    told, kept = [], []
    for text in (f"{boot}\n{setsid}\nend\n", f"{boot}\n{setsid}\n", f"other\n{setsid}\nend\n", f"{boot}\n/gone\nend\n"):
        note.unlink()
        note.write_text(text)
        written = note.stat().st_mtime_ns
        again = await host.control()
        told.append((again.hello.setsid, again.hello.time))
        kept.append(written == note.stat().st_mtime_ns)
        again.close()

    assert (first.hello.boot, ["end"]) == (boot, rest)
    assert os.access(setsid, os.X_OK)
    assert [("wait", "/usr/bin/time")] * 4 == told
    assert [True, False, False, False] == kept
    assert note.read_text().splitlines() == [boot, setsid, "end"]
    first.close()


async def test_a_host_without_time_tells_no_memory(make_host: MakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a host cannot tell is unknown, not zero."""
    host = make_host()
    text = script.host_text().replace("/usr/bin/time", "/no/such/time")
    monkeypatch.setattr(script, "host_text", lambda: text)
    control = await host.control()
    run = a_run("exit 3")
    outcome = (await control.do(run)).outcome

    assert outcome is not None
    assert (3, None) == (outcome.exit_code, outcome.max_rss)
    control.close()


async def test_a_host_without_hard_links_is_refused(make_host: MakeHost, tmp_path: Path) -> None:
    """Where a claim cannot be made, the host says so at once, instead of leaving runs without a verdict."""
    path = make_path(tmp_path / "path", without=("ln",))
    (tmp_path / "path" / "ln").write_text("#!/bin/sh\necho 'ln: Operation not permitted' >&2\nexit 1\n")
    (tmp_path / "path" / "ln").chmod(0o755)

    with pytest.raises(
        AnswerError, match=r"cannot write and link files in .*, where [0-9]+ KiB are free: ln: Operation not permitted"
    ):
        await make_host(path=path).control()


@pytest.mark.parametrize("locale", ["xx_YY.UTF-8", "C"])
async def test_warnings_at_the_start_are_no_signal(make_host: MakeHost, locale: str) -> None:
    """A shell that complains of a locale before the program starts does not make its exit a death by signal."""
    control = await make_host("bash", env={"LC_ALL": locale}).control()
    outcome = (await control.do(a_run("exit 0"))).outcome

    assert outcome is not None
    assert (0, None) == (outcome.exit_code, outcome.signal)
    control.close()


# Spools ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"exit 0\n",
        b"exit 0\nup 1.0\npeak \n\n",
        b"\n\n\nend\n",
        b"exit 0\nup",
        bytes(range(256)) * 8,
        b"x" * 400_000,
        b"y\n" * 100_000,
        b"\n.5\n.6\n.7\n=stdout x 0 500 500\n|name r1-a\n|status exit 0\n",
    ],
    ids=["empty", "torn", "without end", "only an end", "short", "binary", "one long line", "many lines", "forged"],
)
@pytest.mark.parametrize("file", ["status", "stop", "stopped", "refused", "claim"])
@pytest.mark.parametrize("shell", ["dash", "bash"])
async def test_garbage_in_a_spool_is_nobodys_outcome(
    make_host: MakeHost, shell: str, file: str, garbage: bytes
) -> None:
    """Whatever stands in a file of a spool, it forges no outcome and no other run's answer, and the link lives on."""
    control = await make_host(shell).control()
    other = a_run("exit 4")
    await control.do(other)
    run = a_run("exit 9")
    folder = control.folder(run)
    if file in ("claim", "refused"):
        folder.mkdir()
    else:
        await control.do(run)
        (folder / "status").unlink()
    (folder / file).write_bytes(garbage)
    report = await control.look(run)
    again = await control.look(other)

    assert None is report.outcome
    assert again.outcome is not None
    assert 4 == again.outcome.exit_code
    assert not control.shell.problem
    if file == "claim":
        assert ["claimed"] == (await control.start(run)).told
    control.close()


@pytest.mark.parametrize("kind", ["folder", "pipe", "dangling"])
async def test_whatever_has_the_claims_name_keeps_a_program_from_starting(control: Control, kind: str) -> None:
    """A folder, a pipe or a dangling link in the claim's place is a seal: nothing starts, and nothing hangs."""
    run = a_run("touch $SSHSCHED_SPOOL/ran")
    folder = control.folder(run)
    folder.mkdir()
    claim = folder / "claim"
    {"folder": claim.mkdir, "pipe": lambda: os.mkfifo(claim), "dangling": lambda: claim.symlink_to("nowhere")}[kind]()
    await control.start(run)

    assert Claim.SEALED is (await control.look(run)).claim
    assert Claim.SEALED is (await control.settle(run)).claim
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("kind", ["link", "file", "dangling"])
async def test_what_is_foreign_is_not_written_to(control: Control, tmp_path: Path, kind: str) -> None:
    """A link or a file in the place of a run's spool is refused in words, and left as it is."""
    run = a_run("true")
    target = tmp_path / "foreign"
    folder = control.folder(run)
    if kind == "file":
        folder.write_text("mine")
    else:
        folder.symlink_to(target)
        if kind == "link":
            target.mkdir()
    answer = await control.start(run)

    assert answer.told[0].startswith("refused ")
    assert str(folder) in answer.told[0]
    assert kind != "link" or [] == list(target.iterdir())
    assert kind != "file" or "mine" == folder.read_text()


async def test_a_foreign_folder_gets_one_start(control: Control) -> None:
    """An empty folder that stands there already, of a start that was cut off, is used."""
    run = a_run("exit 2")
    control.folder(run).mkdir()

    report = await control.do(run)
    assert report.outcome is not None
    assert 2 == report.outcome.exit_code


async def test_a_spool_that_is_a_link_is_refused(make_host: MakeHost, tmp_path: Path) -> None:
    """A link in the place of the host's whole spool is named, and not followed."""
    host = make_host()
    control = await host.control()
    control.close()
    shutil.move(control.spool, tmp_path / "moved")
    control.spool.symlink_to(tmp_path / "moved")

    with pytest.raises(AnswerError, match="is a symbolic link"):
        await host.control()


async def test_a_spool_deleted_under_a_program(control: Control) -> None:
    """A spool that vanishes takes the outcome with it; the run is told as gone, and nothing of it stays behind."""
    run = a_run("sleep 0.3", timeout=600, abandon_after=600)
    await control.start(run)
    pid = (await control.claimed(run)).pid
    assert pid is not None
    shutil.rmtree(control.folder(run))
    assert not (await control.look(run)).exists
    await until(lambda: not lives(pid), within=10)

    await until(lambda: not texts(control), within=10)
    assert Claim.SEALED is (await control.settle(run)).claim


async def test_output_is_fetched_from_where_it_is_wanted(control: Control) -> None:
    """Pieces of output begin and end at the byte, whatever bytes they are."""
    run = a_run("printf 'a\\0b\\n.1\\n|name x\\n\\377'; printf 0123456789 >&2")
    await control.do(run)
    whole = b"a\0b\n.1\n|name x\n\xff"

    assert whole == await control.output(run)
    pieces = {piece.stream: piece for piece in await control.fetch(run, 5, 10, most=3)}
    assert (5, len(whole), whole[5:8]) == (pieces["stdout"].offset, pieces["stdout"].size, pieces["stdout"].data)
    assert (10, 10, b"") == (pieces["stderr"].offset, pieces["stderr"].size, pieces["stderr"].data)
