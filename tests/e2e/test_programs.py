"""Programs as users see them, over a real sshd: exit codes, signals, output, stops and times."""

from __future__ import annotations

import hashlib
import random
import sqlite3
import statistics
import sys
import threading
import time
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest

from sshsched.errors import SchedulerError
from tests.e2e.kit import Lab, digest, lab, memory
from tests.sshd import Sshd
from tests.support import wait_until

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("command", "state", "code", "number"),
    [
        ("true", "success", 0, None),
        ("exit 3", "failure", 3, None),
        ("exit 255", "failure", 255, None),
        ("exit 143", "failure", 143, None),
        ("kill -TERM $$", "failure", None, 15),
        ("kill -KILL $$", "failure", None, 9),
        ("kill -INT $$", "failure", None, 2),
        ("/no/such/program", "failure", 127, None),
    ],
)
def test_every_end(box: Lab, command: str, state: str, code: int | None, number: int | None) -> None:
    """Exit codes are exit codes and signals are signals, also where a shell would show the same number."""
    (name,) = box.submit(command)
    run = box.finished(name)
    box.settled()

    assert (state, code, number) == (run["state"], run["exit_code"], run["signal"])


def test_the_command_ends_as_the_program(box: Lab) -> None:
    """`run --output` passes on output and exit code; a signal is 128 and its number."""
    done = [
        box.cli("run", "-H", "box", "--output", "--", command)
        for command in ("echo out; echo err >&2; exit 3", "kill -KILL $$")
    ]

    assert [3, 137] == [one.returncode for one in done]
    assert "out\n" == done[0].stdout
    assert "err\n" in done[0].stderr


def test_binary_output_and_a_long_line(box: Lab) -> None:
    """Any bytes, and a line of 10 MB, arrive as they were written, on both streams."""
    chance = random.Random(3)
    data = [chance.randbytes(3 * MIB), b"x" * 10_000_000 + b"\n"]
    for number, piece in enumerate(data):
        (box.folder / f"data{number}").write_bytes(piece)
    (name,) = box.submit(f"cat {box.folder}/data0; cat {box.folder}/data1 >&2")
    box.finished(name)
    box.settled()

    assert digest(data[0]) == digest(box.output(name))
    assert digest(data[1]) == digest(box.output(name, "stderr"))
    assert [digest(each) for each in data] == [box.run(name)["stdout_sha256"], box.run(name)["stderr_sha256"]]


@pytest.mark.parametrize("size", [200, pytest.param(1024, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_huge_output(box: Lab, size: int) -> None:
    """Hundreds of megabytes of output arrive whole, and cost the scheduler hardly any memory."""
    box.finished(box.submit("true")[0])
    assert box.process
    before = memory(box.process.pid)
    command = f"seq 1 1000000000 | head -c {size * MIB}"
    (name,) = box.submit(f"{command}; {command} | sha256sum >{box.marks}/sum")
    box.finished(name, within=size)
    box.settled(within=size)
    stdout = box.run(name)["stdout_size"]
    grown = memory(box.process.pid, "VmHWM") - before
    found = hashlib.sha256()
    for piece in box.client.output(name):
        found.update(piece)

    assert size * MIB == stdout
    assert box.marked("sum")[0] == found.hexdigest()
    assert grown < 64 * MIB, f"grew by {grown // MIB} MiB"


def test_follow(box: Lab) -> None:
    """Whoever follows sees each line within a second of its being written, to the last one."""
    (name,) = box.submit("for i in 1 2 3 4 5 6; do date +%s.%N; sleep 0.3; done")
    late = [
        time.time() - float(line) for piece in box.client.output(name, follow=True) for line in piece.decode().split()
    ]

    assert 6 == len(late)
    assert 1.0 > max(late)


def test_follow_over_a_restart(box: Lab) -> None:
    """Whoever follows goes on at the exact byte when the scheduler is killed and started again."""
    (name,) = box.submit("i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo $i; sleep 0.02; done")
    heard: list[bytes] = []
    follower = threading.Thread(target=lambda: heard.extend(box.client.output(name, follow=True)))
    follower.start()
    for most in (50, 300):
        wait_until(partial(_longer, heard, most))
        box.kill()
        box.start()
    follower.join(20)
    box.settled()

    assert b"".join(b"%d\n" % i for i in range(1, 201)) == b"".join(heard)


def _longer(heard: list[bytes], size: int) -> bool:
    return len(b"".join(heard)) > size


def test_a_timeout_while_the_scheduler_is_dead(box: Lab) -> None:
    """The host ends a program at its timeout all by itself; the next scheduler learns of it."""
    (name,) = box.submit(f"{box.mark()}; sleep 60; {box.mark('late')}", timeout=1.5)
    box.reaches(name, "running")
    box.kill()
    wait_until(lambda: list(box.root.glob("*/*/r1-*/stopped")), within=10)
    box.start()
    run = box.finished(name)
    box.settled()

    assert ("failure", "timeout", 15, "timeout") == (run["state"], run["reason"], run["signal"], run["cause"])
    assert run["elapsed"] < 5
    assert [] == box.marked("late")


def test_stop_a_tree(box: Lab) -> None:
    """A stop ends the whole tree, also who ignores TERM or went to a session of its own."""
    far = f"setsid -f sh -c 'trap \"\" TERM; {box.mark('far')}; sleep 100' & "
    (name,) = box.submit(far + f"trap '' TERM; sleep 100 & {box.mark('near')}; wait; sleep 100")
    wait_until(lambda: box.marked("far") and box.marked("near"))
    box.client.stop([name], grace=1, by="e2e")
    run = box.finished(name)
    box.settled()

    assert ("failure", "stopped", "stop") == (run["state"], run["reason"], run["cause"])
    assert [] == run["survivors"]
    assert {} == {pid: words for pid, words in box.processes().items() if "sleep 100" in words}


def test_stop_while_it_starts(box: Lab) -> None:
    """A stop at the moment of the start ends the run as skipped or as stopped, and nothing goes on."""
    names = box.submit(f"{box.mark()}; sleep 30", count=20)
    box.client.stop(names, grace=1, by="e2e")
    box.settled()
    runs = [box.run(name) for name in names]

    assert {"skipped", "failure"} >= {run["state"] for run in runs}
    assert {run["run"] for run in runs if run["state"] == "failure"} >= set(box.marked())


def test_a_scheduled_run(box: Lab) -> None:
    """A run with a start time waits for it, over a restart too, and can be skipped before."""
    due = time.time() + 6
    kept, skipped = box.submit(box.mark(), count=2, schedule_time=due)
    box.client.stop([skipped], by="e2e")
    box.kill()
    box.start()
    early = box.run(kept)
    run = box.finished(kept)
    box.settled()

    assert ("scheduled", "skipped") == (early["state"], box.run(skipped)["state"])
    assert [kept] == box.marked()
    assert [("scheduled", "created"), ("waiting", "due"), ("starting", "host-ready")] == box.log_of(kept)[:3]
    assert "success" == run["state"]


def test_the_end_is_seen_at_once(box: Lab) -> None:
    """From a program's end to the event that tells of it are a few hundredths of a second."""
    box.finished(box.submit("true")[0])
    late = []
    for _ in range(15):
        (name,) = box.submit("sleep 0.05; date +%s.%N")
        for _kind, shape in box.client.events([name]):
            run = shape["runs"][0] if "runs" in shape else shape
            if run.get("state") == "success":
                late.append(time.time() - float(box.output(name)))
                break
    print(f"median {statistics.median(late) * 1000:.1f} ms, most {max(late) * 1000:.1f} ms")  # noqa: T201

    assert statistics.median(late) < 0.1


def test_an_idle_scheduler_rests(box: Lab) -> None:
    """With nothing to do, and with a sleeping program, the scheduler takes next to no CPU time."""
    box.finished(box.submit("true")[0])
    box.settled()
    (name,) = box.submit("sleep 100")
    box.reaches(name, "running")
    assert box.process
    pid = box.process.pid
    begin, at = _cpu(pid), time.monotonic()
    wait_until(lambda: time.monotonic() > at + 4)
    used = _cpu(pid) - begin
    box.client.stop([name], grace=1, by="e2e")
    box.settled()

    assert used < 0.12, f"{used} s of CPU time in 4 s"


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_another_boot(tmp_path: Path, sshd: Sshd) -> None:
    """A run whose host has been rebooted is an error that says so, and is not started again."""
    with lab(tmp_path, sshd) as made:
        made.start()
        (name,) = made.submit(f"{made.mark()}; sleep 100")
        made.reaches(name, "running")
        made.kill()
        made.power_off()
        _rebooted(made)
        made.start()
        run = made.finished(name)
        made.settled()

        assert ("error", "rebooted") == (run["state"], run["reason"])
        assert "rebooted while it ran" in run["message"]
        assert [name] == made.marked()


def test_a_status_from_before_the_boot(tmp_path: Path, sshd: Sshd) -> None:
    """A status that was complete before the host was rebooted counts."""
    with lab(tmp_path, sshd) as made:
        made.start()
        (name,) = made.submit(f"{made.mark()}; {made.mark('ready')}; echo whole; sleep 0.5; exit 5")
        made.reaches(name, "running")
        made.kill()
        wait_until(lambda: list(made.root.glob("*/*/r1-*/status")))
        _rebooted(made)
        made.start()
        run = made.finished(name)
        made.settled()

        assert ("failure", 5, b"whole\n") == (run["state"], run["exit_code"], made.output(name))


def test_a_boot_in_the_middle_of_a_start(tmp_path: Path, sshd: Sshd) -> None:
    """A start that was under way when the host went down is never sent again."""
    with lab(tmp_path, sshd) as made:
        made.start(command=(sys.executable, "-m", "tests.e2e.killer"), KILL_AT="6")  # the third commit is the intent
        with suppress(SchedulerError):
            made.submit(made.mark())
        wait_until(lambda: not made.lives())
        made.gone()
        (before,) = made.stored()
        _rebooted(made)
        made.start()
        run = made.finished("r1")
        made.settled()

        assert "starting" == before["state"]
        assert ("error", "rebooted") == (run["state"], run["reason"])
        assert [] == made.marked()


def _rebooted(made: Lab) -> None:
    """As if all that the store knows of had happened before the host's last boot."""
    with closing(sqlite3.connect(made.state / "store.db")) as store, store:
        store.execute("UPDATE runs SET spool = json_set(spool, '$.boot', 'an-earlier-one')")
