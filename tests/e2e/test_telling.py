"""Whole schedulers that tell people what became of a run, killed between any two of their steps."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sshsched.errors import SchedulerError
from sshsched.store.reader import Reader
from tests.e2e.kit import Lab, Shape, lab
from tests.receivers import Smtpd
from tests.support import wait_until

KILLER = (sys.executable, "-m", "tests.e2e.killer")
CONFIG = """
smtp: {{host: 127.0.0.1, port: {port}, from: sched@example.com, security: none}}
action:
  - {{type: notify, email: me@example.com, if: failure}}
  - {{type: exec, command: 'echo "$SSHSCHED_NOTICE" >>{told}', if: failure}}
"""


@pytest.fixture
def mails() -> Iterator[Smtpd]:
    """A mail server that goes on while schedulers come and go."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = Smtpd()
    serving = server.serving()
    asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result(5)
    yield server
    asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def told(made: Lab) -> list[str]:
    """The ids under which the command was told."""
    path = made.folder / "told"
    return path.read_text().split() if path.exists() else []


def begin(made: Lab, mails: Smtpd) -> None:
    (made.config / "config.yaml").write_text(CONFIG.format(port=mails.port, told=made.folder / "told"))


def delivered(made: Lab) -> bool:
    with Reader(made.state) as reader:
        found = reader.notices(1)
    return len(found) == 2 and all(each.done_at is not None and not each.problem for each in found)


def act(made: Lab) -> Shape:
    if not made.stored():
        made.submit("exit 3", host="local")
    return made.finished("r1")


def test_a_failure_is_told_once(tmp_path: Path, mails: Smtpd) -> None:
    """With nothing in its way, each is told once, and `show` says so."""
    with lab(tmp_path) as made:
        begin(made, mails)
        act(made.start())
        wait_until(lambda: delivered(made))
        shown = made.cli("show", "r1").stdout

        assert 1 == len(mails.received)
        assert 1 == len(told(made))
        assert "told: notify email me@example.com (failure)" in shown


def test_killed_between_delivery_and_save(tmp_path: Path, mails: Smtpd) -> None:
    """Who is killed when something has been delivered, and before that is saved, has it delivered again: same id."""
    with lab(tmp_path) as made:
        begin(made, mails)
        made.start(command=KILLER, KILL_AFTER="House.deliver")
        with suppress(SchedulerError):
            act(made)
        wait_until(lambda: not made.lives())
        made.kill()
        before = len(told(made)) + len(mails.received)
        made.start()
        wait_until(lambda: delivered(made))
        ids = told(made)

        assert 0 < before
        assert before + 2 >= len(ids) + len(mails.received) > 2
        assert 1 == len(set(ids))
        assert 1 == len({letter["Message-ID"] for letter in mails.received})


def killed_at(folder: Path, mails: Smtpd, at: int) -> bool:
    """A story with a kill at that step. Whether the step was reached."""
    with lab(folder) as made:
        begin(made, mails)
        made.start(command=KILLER, KILL_AT=str(at), KILL_NOTE=str(made.folder / "killed"))
        with suppress(SchedulerError):
            act(made)
            wait_until(lambda: not made.lives() or delivered(made), within=20)
        made.kill()
        reached = (made.folder / "killed").exists()
        made.start()
        act(made)
        wait_until(lambda: delivered(made), within=20)

        assert 1 == len(set(told(made)))
        assert 1 == len({letter["Message-ID"] for letter in mails.received})
    mails.received.clear()
    return reached


@pytest.mark.parametrize("at", [4, 11, 18])
def test_killed_at_some_step(tmp_path: Path, mails: Smtpd, at: int) -> None:
    """Wherever a scheduler is killed, a failure is told at least once, and always under the same id."""
    assert killed_at(tmp_path, mails, at), "it was not killed"


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_killed_at_every_step(tmp_path: Path, mails: Smtpd) -> None:
    """There is no step at which a kill loses what is to be told."""
    at = 1
    while killed_at(tmp_path / str(at), mails, at):
        at += 1

    assert 20 < at, "hardly any step was reached: the doors are not wired"
