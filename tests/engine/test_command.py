"""`exec`: real commands, with the run on their standard input."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sshsched.domain.instructions import Notice
from sshsched.domain.plan import Deed
from sshsched.engine import command
from sshsched.kinds.actions.base import Action, Command, DeliveryError, Means
from sshsched.kinds.rules import action
from tests.engine.telling import Bench, notice
from tests.support import until


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.with_run()
    async with made.working():
        yield made


async def test_told(bench: Bench, tmp_path: Path) -> None:
    """A command gets the run as JSON, and in its environment what it is about."""
    names = "$SSHSCHED_OCCASION $SSHSCHED_RUN $SSHSCHED_JOB $SSHSCHED_NOTICE"
    text = f'cat >"{tmp_path}/run"; echo "{names}" >"{tmp_path}/env"'
    await bench.tell(notice(kind="exec", command=text))
    await until(lambda: bench.told()["r7-failure-0"].done_at)

    assert "exit code 3" == json.loads((tmp_path / "run").read_text())["facts"]["message"]
    assert "failure r7 backup r7-failure-0\n" == (tmp_path / "env").read_text()


async def test_an_exit_code_is_a_problem(bench: Bench) -> None:
    """Any exit code but 0 is told with what the command printed, and the command is tried again."""
    await bench.tell(notice(kind="exec", command="echo no more; echo space >&2; exit 4"))
    await until(lambda: bench.told()["r7-failure-0"].tries)
    found = bench.told()["r7-failure-0"]

    assert "the command ended with exit code 4: no more space" == found.problem
    assert found.done_at is None
    assert found.problem in bench.store.log(7)[0].message


class Hangs(Action, frozen=True):
    """One of somebody else's that never comes back."""

    async def deliver(self, notice: Notice, means: Means) -> None:
        await asyncio.Event().wait()

    @property
    def limit(self) -> float:
        return 0.2


async def test_an_action_that_hangs(bench: Bench) -> None:
    """A kind of action that never comes back is left when its time is over; a long command is not."""
    await bench.tell(notice("hangs", f"{__name__}.Hangs"), notice("long", "exec", command="true", timeout="10m"))
    await until(lambda: bench.told()["hangs"].tries and bench.told()["long"].done_at)

    assert "it took longer than 0.2 s, and was given up" == bench.told()["hangs"].problem
    assert 610 == action(Deed("exec", {"command": "true", "timeout": "10m"})).limit


async def test_it_takes_too_long(tmp_path: Path) -> None:
    """A command that takes too long is ended, with all that it has started."""
    pid = tmp_path / "pid"
    with pytest.raises(DeliveryError, match=r"longer than 0.3 s"):
        await command.execute(Command(f'sleep 100 & echo $! >"{pid}"; wait', b"", 0.3))
    number = int(pid.read_text())
    await until(lambda: not _lives(number))


async def test_what_it_leaves_in_the_background() -> None:
    """Something left in the background, with its output open, is not waited for."""
    began = time.monotonic()
    await command.execute(Command("sleep 5 & echo done", b"", 60))

    assert 4 > time.monotonic() - began


async def test_much_in_and_much_out() -> None:
    """A command need not read what it is told, and may print more than anybody keeps."""
    code, printed = await command.run("head -c 1000000 /dev/zero", b"x" * 1_000_000, 20, {})

    assert 0 == code
    assert command.MOST >= len(printed) > 0


async def test_a_signal() -> None:
    """A command that dies of a signal is a problem, too."""
    with pytest.raises(DeliveryError, match="signal 15"):
        await command.execute(Command("kill -TERM $$", b"", 10))


def _lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_nothing_is_open() -> None:
    """No pipe of a command stays open here."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    asyncio.run(command.execute(Command("true", b"", 10)))

    assert before == len(list(Path("/proc/self/fd").iterdir()))
