"""What happens between processes: Ctrl-C, closed pipes, terminals, and a scheduler that comes and goes."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.driver import CLI, Place
from tests.support import ROOT, wait_until


def test_ctrl_c_leaves_the_run_alone(shared: Place) -> None:
    """130, the run goes on, and we say how to come back and how to end it."""
    waiting = shared.begin("run", "-H", "local", "--wait", "--", "sleep", "60")
    assert waiting.stdout is not None
    name = waiting.stdout.readline().decode().strip()
    wait_until(lambda: shared.state_of(int(name[1:])) == "running", within=15)
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=15)
    state = shared.state_of(int(name[1:]))
    shared("stop", name)

    assert 130 == waiting.returncode
    assert f"{name} goes on; `sshsched wait {name}` to come back, `sshsched stop {name}` to end it" in err.decode()
    assert "running" == state
    assert 143 == shared("wait", name).code


def test_a_closed_pipe_is_no_error(shared: Place) -> None:
    """`sshsched output r1 | head -1` ends in silence."""
    name = shared("run", "-H", "local", "-w", "--", "yes | head -c 1000000").text.strip()
    for command in (
        ["output", name],
        ["output", "-f", name],
        ["runs", "--json"],
        ["run", "-H", "local", "-oq", "--", "yes"],
    ):
        process = shared.begin(*command)
        assert process.stdout is not None
        process.stdout.close()
        code = process.wait(timeout=15)
        assert process.stderr is not None
        said = process.stderr.read().decode()
        process.stderr.close()
        live = [run["run"] for run in shared("runs", "--state", "live", "--json").json]
        if live:
            shared("stop", *live, "--signal", "KILL")

        assert 141 == code, command
        assert "" == said or said.startswith("r"), command


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_is_no_error(shared: Place, closed: str) -> None:
    """A stream that somebody closed takes what is written to it, and the exit code is that of the run."""
    command = shlex.join([*CLI, "run", "-H", "local", "--output", "--stdin", "-", "--", "cat; exit 7"])
    done = subprocess.run(
        ["sh", "-c", f"{command} {closed}"], input=b"", env=shared.env, capture_output=True, timeout=60
    )

    assert 7 == done.returncode
    assert b"sshsched:" not in done.stderr


@pytest.mark.parametrize("command", ["runs", "runs --json", "--help", "run -H local --output -- date"])
def test_a_full_disk_behind_the_standard_output_is_said(shared: Place, command: str) -> None:
    """One line names it, and the exit code is ours."""
    line = f"{shlex.join(CLI)} {command} >/dev/full"
    done = subprocess.run(["sh", "-c", line], env=shared.env, capture_output=True, timeout=60)

    assert 125 == done.returncode
    assert done.stderr.endswith(b"sshsched: the standard output cannot be written: No space left on device\n")


def test_a_standard_error_that_is_full_leaves_the_exit_code(shared: Place) -> None:
    """A complaint that cannot be written is no second error."""
    line = f"{shlex.join(CLI)} show r999999 2>/dev/full"

    assert 4 == subprocess.run(["sh", "-c", line], env=shared.env, timeout=60).returncode


def test_a_terminal_shows_one_live_line_and_then_the_end(shared: Place) -> None:
    """While it runs: state, host and elapsed time, redrawn in place. Afterwards only how it ended."""
    code, seen = shared.on_terminal("run", "-H", "local", "--wait", "--", "sleep", "1.3")

    assert 0 == code
    assert "on local: running for" in seen
    assert "\x1b[1F\x1b[J" in seen
    assert re.search(r"success after 1\.[3-9] s", seen.splitlines()[-1])


def test_ctrl_c_on_a_terminal(shared: Place) -> None:
    """The live line goes, the advice stays."""
    code, seen = shared.on_terminal("run", "-H", "local", "--wait", "--", "sleep", "60", until="running for")
    live = [run["run"] for run in shared("runs", "--state", "running", "--json").json]
    shared("stop", *live, "--signal", "KILL")

    assert 130 == code
    assert "to come back" in seen.splitlines()[-1]


def test_escape_sequences_do_not_reach_a_terminal(shared: Place) -> None:
    """Colours pass and end; everything else is shown, unless --raw is given."""
    name = shared("run", "-H", "local", "-w", "--", r"printf '\033[31mred\033[2J\033]0;x\007\n'").text.strip()
    _, harmless = shared.on_terminal("output", name)
    _, raw = shared.on_terminal("output", "--raw", name)

    assert "\x1b[31mred\\x1b[2J\\x1b]0;x\\x07\n\x1b[0m" in harmless
    assert "\x1b[31mred\x1b[2J\x1b]0;x\x07\n" == raw


def test_a_table_fits_the_terminal(shared: Place) -> None:
    """Long commands are cut there, with an ellipsis; states have their colour."""
    shared("run", "-H", "local", "-w", "--", ": " + "x" * 300)
    _, seen = shared.on_terminal("runs", "--limit", "1")
    rows = seen.splitlines()

    assert 2 == len(rows)
    assert "…" in rows[1]
    assert "\x1b[32m✔ success" in rows[1]


def test_what_is_long_goes_through_the_pager(shared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only on a terminal, only where it does not fit; a pager that cannot be started hides nothing."""
    for number in range(3):
        shared("run", "-H", "local", "-w", "--", f"echo {number}")
    monkeypatch.setitem(shared.env, "PAGER", "sed 's/^/paged: /'")
    _, fits = shared.on_terminal("runs", "-n", "2")
    _, long = shared.on_terminal("runs", "-n", "3", height=4)
    monkeypatch.setitem(shared.env, "SSHSCHED_PAGER", "nonesuch-pager")
    _, anyway = shared.on_terminal("runs", "-n", "3", height=4)

    assert "paged" not in fits
    assert 4 == long.count("paged: ")
    assert "✔ success" in anyway
    assert b"paged" not in shared("runs").out


def test_many_runs_show_how_far_they_are(shared: Place) -> None:
    """A bar and the states while they run; the last line counts, and names what did not succeed."""
    go = shared.home / "go"
    begun = [
        shared.started("-H", "local", "--", f"until [ -e {go} ]; do sleep 0.1; done; {end}") for end in ("exit 3", ":")
    ]
    code, seen = shared.on_terminal("wait", *begun, until="0 of 2 ended; 2 running", then=go.touch)

    assert 1 == code
    assert f"{'░' * 20} 0 of 2 ended; 2 running; " in seen
    assert seen.splitlines()[-1].endswith(f"1 of 2 succeeded; {begun[0]} failure: exit 3")


def test_two_commands_at_once_start_one_scheduler(place: Place) -> None:
    """Whoever comes second waits for the first one's scheduler."""
    begun = [place.begin("run", "-H", "local", "--wait", "--", "true") for _ in range(4)]
    ended = [(process.communicate(timeout=60), process.returncode) for process in begun]

    assert [0, 0, 0, 0] == [code for _, code in ended]
    assert {b"r1\n", b"r2\n", b"r3\n", b"r4\n"} == {out for (out, _), _ in ended}
    assert 1 == (place.state / "scheduler.log").read_text().count("listens in")


def test_the_scheduler_in_the_background_is_detached(place: Place) -> None:
    """Own session, no terminal, nothing of ours held open; it outlives the command that started it."""
    assert 0 == place("run", "-H", "local", "--wait", "--", "true").code
    pid = place.scheduler()

    assert pid is not None
    assert pid == os.getsid(pid)
    assert ["/dev/null", "/dev/null"] == [str(Path(f"/proc/{pid}/fd/{fd}").readlink()) for fd in (0, 1)]
    assert 0o600 == (place.state / "scheduler.log").stat().st_mode & 0o777


def test_a_scheduler_that_cannot_start_says_why(place: Place) -> None:
    """The last lines of its log come with the error, and no run is pretended."""
    place.state.mkdir()
    (place.state / "store.db").write_bytes(b"no database at all" * 100)
    done = place("run", "-H", "local", "--", "true")
    (place.state / "store.db").unlink()

    assert 125 == done.code
    assert "damaged, or no database of sshsched" in done.err
    assert b"" == done.out
    assert "Traceback" not in done.err


def test_waiting_outlives_the_scheduler(place: Place) -> None:
    """Killed while somebody waits: another one is started, and the exit code is the program's."""
    go = place.home / "go"
    waiting = place.begin(
        "run", "-H", "local", "-o", "--", f"echo before; while [ ! -e {go} ]; do sleep 0.1; done; exit 6"
    )
    assert waiting.stdout is not None
    wait_until(lambda: place.state.exists() and place.state_of(1) == "running", within=15)
    assert b"before\n" == waiting.stdout.readline()
    place.kill_scheduler()
    go.touch()
    out, err = waiting.communicate(timeout=60)

    assert 6 == waiting.returncode, err
    assert b"" == out


def test_the_past_needs_no_scheduler(place: Place) -> None:
    """Lists, details and output come from the store; live states come with a warning."""
    assert 0 == place("run", "-H", "local", "--wait", "--", "echo hi").code
    place.started("-H", "local", "--", "sleep", "60")
    place.kill_scheduler()
    listed, shown, output, status = place("runs"), place("show", "r2"), place("output", "r1"), place("status")
    scheduler = place.scheduler()

    assert "no scheduler runs: states are as of" in listed.err
    assert "no scheduler runs: states are as of" in shown.err
    assert (b"hi\n", "") == (output.out, output.err)
    assert "no scheduler runs" in status.text
    assert [0, 0, 0, 0] == [done.code for done in (listed, shown, output, status)]
    assert scheduler is None


def test_nothing_has_happened_yet(place: Place) -> None:
    """Before the first run, reading commands show nothing, make nothing, and are no error."""
    assert [0, 0, 4] == [place(*command).code for command in (["runs"], ["status"], ["show", "r1"])]
    assert not place.state.exists()


# Each takes some milliseconds, and a waited run has 60 above Python's own start.
SLOW_TO_IMPORT = {"asyncssh", "starlette", "uvicorn", "asyncio", "rich", "yaml", "aiosqlite", "http.client"}
NOT_FOR_READING = {"sshsched.domain.instructions", "sshsched.domain.view", "sshsched.domain.events"}
NOT_FOR_A_RUN = {
    *("sqlite3", "subprocess", "shutil", "pathlib", "dataclasses", "urllib.parse", "sshsched.domain.model"),
    *("ast", "dis", "tokenize"),  # these are needed by `inspect`, which click imports
}


@pytest.mark.parametrize(
    ("command", "not_wanted"),
    [
        (["run", "-H", "local", "--wait", "--", "true"], SLOW_TO_IMPORT | NOT_FOR_A_RUN),
        (["runs", "is:failed", "host:local"], SLOW_TO_IMPORT | NOT_FOR_READING),
        (["show", "r1"], SLOW_TO_IMPORT | NOT_FOR_READING),
        (["output", "r1"], SLOW_TO_IMPORT),
        (["status"], SLOW_TO_IMPORT | NOT_FOR_READING),
    ],
)
def test_commands_import_only_what_they_need(shared: Place, command: list[str], not_wanted: set[str]) -> None:
    """Start-up time is a feature, and imports are most of it."""
    assert 0 == shared("run", "-H", "local", "--wait", "--", "true").code  # now there is a scheduler
    code = f"import sys; from sshsched.cli.main import run; run({command}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=shared.env, cwd=ROOT, capture_output=True, timeout=60, check=True
    )

    assert set() == not_wanted & set(done.stderr.decode().split())


def test_a_mistake_of_ours_is_one_line(shared: Place) -> None:
    """No traceback, unless SSHSCHED_DEBUG asks for it."""
    broken = shared.home / "file"
    broken.write_text("")
    arguments = ["--config-dir", str(broken), "--state-dir", str(broken / "state"), "status"]
    done, debugged = shared(*arguments), shared(*arguments, env={"SSHSCHED_DEBUG": "1"})

    assert done.code == debugged.code
    assert "Traceback" not in done.err
