"""`sshsched watch` as it is typed."""

from __future__ import annotations

import subprocess
import sys

from tests.cli.driver import Place


def test_once_prints_the_board_and_ends(shared: Place) -> None:
    """The runs that match, the line at now, and no escape sequence in a pipe."""
    shared("run", "-H", "local", "--wait", "--", "echo a; exit 5")
    shared("run", "-H", "local", "--wait", "--", "echo b")
    shown = shared("watch", "--once", "state:failure")

    assert 0 == shown.code
    assert "── now" in shown.text
    assert "exit 5" in shown.text
    assert "echo b" not in shown.text
    assert "\x1b" not in shown.text


def test_once_of_a_run_tells_all_of_it(shared: Place) -> None:
    """Its summary and its log."""
    run = shared("run", "-H", "local", "--wait", "--", "exit 6").text.strip()
    shown = shared("watch", run, "--once")

    assert "exit 6" in shown.text
    assert "running → failure" in shown.text


def test_once_needs_no_scheduler(shared: Place) -> None:
    """What is stored is printed, and that nobody runs is said."""
    shared.kill_scheduler()
    shown = shared("watch", "--once")

    assert 0 == shown.code
    assert "no scheduler runs" in shown.text


def test_once_is_quick() -> None:
    """Textual is not imported for a board that is only printed, nor what schedulers are made of."""
    text = "import sys, sshsched.cli.commands.watch, sshsched.tui.once; print(*sys.modules)"
    names = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.split()

    assert {"textual", "asyncssh", "starlette", "uvicorn", "aiosqlite"}.isdisjoint(names)


def test_what_does_not_exist_is_refused(shared: Place) -> None:
    """A run that there is not, a filter that cannot be read, no terminal: one line, and the exit for it."""
    missing, wrong = shared("watch", "r999999"), shared("watch", "--once", "stat:running")
    piped = shared("watch")

    assert (4, 2, 2) == (missing.code, wrong.code, piped.code)
    assert "no run r999999" in missing.err
    assert "filter: " in wrong.err
    assert "sshsched: watch: the screen needs a terminal; `sshsched watch --once` prints the board\n" == piped.err
