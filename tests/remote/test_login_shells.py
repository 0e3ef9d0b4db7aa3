"""Whatever login shell an account has, and whatever its rc files do, over a real sshd: it works, or we say why not.

The login shell only ever runs the two words `/bin/sh`; these tests hold it to that.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sshsched.domain.events import Report
from sshsched.domain.hosts import Host
from sshsched.domain.model import Outcome, Run
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.errors import NoShellError
from sshsched.remote import script
from sshsched.remote.answers import Clock, parse_hello, parse_reports
from sshsched.remote.doors import Doors
from sshsched.remote.shell import Shell, greet
from sshsched.remote.ssh import SshTransport
from sshsched.remote.transport import Channel
from tests.remote.hostkit import ignored
from tests.sshd import Account, Sshd, SshdFactory, account, program
from tests.support import until

# What each shell reads when sshd has it run a command, and how that shell is made noisy and odd.
RC = {
    "bash": (".bashrc", "echo noise; echo more >&2; umask 000; trap '' INT TERM HUP; set -o noglob"),
    "zsh": (".zshenv", "echo noise; echo more >&2; umask 000; trap '' INT TERM HUP"),
    "fish": (".config/fish/config.fish", "echo noise; echo more >&2; umask 000; trap '' INT TERM HUP"),
    "tcsh": (".tcshrc", "echo noise; umask 000; onintr -"),
    "dash": (".profile", "echo noise"),
    "mksh": (".mkshrc", "echo noise"),
}
PACKAGES = {"tcsh": "tcsh", "fish": "fish", "zsh": "zsh", "mksh": "mksh", "dash": "dash", "bash": "bash"}
HOSTILE = (
    'it\'s "quoted"',
    "$(touch pwned) `touch pwned` ${HOME}",
    "two\nlines\n",
    "; rm -rf / & | > <",
    "-rf",
    "--",
    "",
    "\\ \\n %s !! ~ * ? [a]",
    "žluťoučký 🐎 \u202e",
    "tab\tbell\a esc\x1b[31m",
    "x" * 100_000,
)
ECHO = """
import json, os, sys
words = sys.argv[1:]
told = lambda name: [os.environ[f"{name}{at}"] for at in range(len(words))]
json.dump([words, told("V"), told("SSHSCHED_ARG_A"), os.environ["SSHSCHED_JOB_ID"]], sys.stdout)
"""


@pytest.fixture(params=sorted(RC))
def login(request: pytest.FixtureRequest) -> Iterator[tuple[str, Account]]:
    shell: str = request.param
    with account(program(shell, PACKAGES[shell])) as made:
        yield shell, made


def write_rc(shell: str, made: Account, text: str) -> None:
    path = made.home / RC[shell][0]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")
    for each in (path, *path.parents):
        if each == made.home:
            break
        os.chown(each, made.uid, -1)


@asynccontextmanager
async def channel_to(server: Sshd) -> AsyncIterator[Channel]:
    transport = SshTransport(Host(server.name), Doors(), paths=server.paths)
    connection = await transport.connect()
    try:
        yield await connection.open()
    finally:
        connection.close()
        await connection.wait_closed()


async def outcome_and_stdout(server: Sshd, run: Run) -> tuple[Outcome, bytes]:
    """What became of a run that a fresh link has started."""
    name = script.spool_name(run)
    async with channel_to(server) as channel:
        shell = Shell(server.name, channel, await greet(server.name, channel))
        hello = parse_hello(await shell.ask(script.hello(None, "cafe", server.name)))
        clock = Clock(hello.boot, time.time() - hello.uptime)
        assert ["launched"] == (await shell.ask(script.start(run, name, {}))).told

        async def ended() -> Report | None:
            report = parse_reports((await shell.ask(script.look([name]))).told, clock)[name]
            return report if report.outcome else None

        report = await until(ended, within=20)
        answer = await shell.ask(script.fetch(10**7, [(name, 0, 0)]))
        await shell.ask(script.clean([name]))
        shell.close()
    assert report is not None
    assert report.outcome is not None
    return report.outcome, b"".join(piece.data for piece in answer.data if piece.stream == "stdout")


def run_of(argv: tuple[str, ...], words: tuple[str, ...] = ()) -> Run:
    """With these words as values of its environment and of its args, and all that is short as the id of its job."""
    return Run(
        id=1,
        host="box",
        program=Program(argv=(*argv, *words), env={f"V{at}": word for at, word in enumerate(words)}),
        created_at=0.0,
        state=State.STARTING,
        key="0123abcd",
        args={f"a{at}": word for at, word in enumerate(words)},
        job_id="".join(word for word in words if len(word) < 1000),
    )


async def test_noisy_rc_files_change_nothing(login: tuple[str, Account], make_sshd: SshdFactory) -> None:
    """Through every login shell, noise, traps and umasks and all, a program gets the identical bytes."""
    shell, made = login
    write_rc(shell, made, RC[shell][1])
    server = make_sshd(user=made.name)
    python = shutil.which("python3", path="/usr/bin:/bin") or pytest.fail("needs Debian's python3")

    run = run_of((python, "-c", ECHO), HOSTILE)
    outcome, stdout = await outcome_and_stdout(server, run)

    assert 0 == outcome.exit_code
    assert [list(HOSTILE)] * 3 + [run.job_id] == json.loads(stdout)
    assert not (made.home / "pwned").exists()


async def test_no_signal_is_ignored(login: tuple[str, Account], make_sshd: SshdFactory) -> None:
    """A program ignores no signal, whatever its login shell's rc files trap."""
    shell, made = login
    write_rc(shell, made, RC[shell][1])
    server = make_sshd(user=made.name)

    outcome, stdout = await outcome_and_stdout(server, run_of(("grep", "SigIgn", "/proc/self/status")))

    assert 0 == outcome.exit_code
    assert 0 == ignored(stdout.decode())


async def test_spool_is_private(login: tuple[str, Account], make_sshd: SshdFactory) -> None:
    """A umask of 000 in an rc file opens nothing of the spool to others."""
    shell, made = login
    write_rc(shell, made, RC[shell][1])
    server = make_sshd(user=made.name)

    await outcome_and_stdout(server, run_of(("true",)))

    spools = made.home / ".local/state/sshsched"
    assert [] == [path for path in (spools, *spools.rglob("*")) if path.stat().st_mode & 0o077]


@pytest.mark.parametrize("login", ["fish", "tcsh"], indirect=True)
async def test_rc_file_that_ends_early(login: tuple[str, Account], make_sshd: SshdFactory) -> None:
    """Where `exit` in an rc file ends only that file, nothing is lost."""
    shell, made = login
    write_rc(shell, made, "echo maintenance\nexit 0")
    server = make_sshd(user=made.name)

    outcome, stdout = await outcome_and_stdout(server, run_of(("echo", "here")))

    assert 0 == outcome.exit_code
    assert b"here\n" == stdout


@pytest.mark.parametrize("login", ["bash", "zsh"], indirect=True)
async def test_rc_file_that_exits(login: tuple[str, Account], make_sshd: SshdFactory) -> None:
    """An rc file that ends the shell is told with what the host said."""
    shell, made = login
    write_rc(shell, made, "echo maintenance; exit 0")
    server = make_sshd(user=made.name)

    async with channel_to(server) as channel:
        with pytest.raises(NoShellError) as caught:
            await greet("box", channel)

    assert "rc file that exits" in str(caught.value)
    assert "maintenance" in str(caught.value)


@pytest.mark.parametrize("login", ["bash", "zsh", "fish", "tcsh"], indirect=True)
async def test_rc_file_that_reads_its_input(login: tuple[str, Account], make_sshd: SshdFactory) -> None:
    """An rc file that reads all input leaves no shell to talk to; the message asks for just that."""
    shell, made = login
    write_rc(shell, made, "cat >/dev/null")
    server = make_sshd(user=made.name)

    async with channel_to(server) as channel:
        with pytest.raises(NoShellError) as caught:
            await greet("box", channel, within=2)

    assert "does an rc file there read its input" in str(caught.value)


@pytest.mark.parametrize("login", ["bash", "zsh", "fish"], indirect=True)
async def test_rc_file_that_reads_one_line(login: tuple[str, Account], make_sshd: SshdFactory) -> None:
    """An rc file that asks one question gets the blank line that comes first."""
    shell, made = login
    write_rc(shell, made, "read answer" if shell != "fish" else "read answer >/dev/null")
    server = make_sshd(user=made.name)

    outcome, stdout = await outcome_and_stdout(server, run_of(("echo", "here")))

    assert 0 == outcome.exit_code
    assert b"here\n" == stdout


def test_every_login_shell_of_the_issue_is_here() -> None:
    """The matrix is whole, and a shell that is missing fails its test with the way to install it."""
    assert {"dash", "bash", "zsh", "fish", "tcsh", "mksh"} == RC.keys()
    assert Path("/bin/sh").exists()
