"""The embedded hosts behave as sshd does where it matters to us."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncssh
import pytest

from sshsched.demo.hosts import DemoHosts
from tests.support import until


def alive(pid: int) -> bool:
    """The process is there and no zombie."""
    try:
        return "Z" != Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def open_pipes() -> int:
    """How many ends of pipes this process holds."""
    found = 0
    for fd in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found += str(fd.readlink()).startswith("pipe:")
    return found


@asynccontextmanager
async def link_to(hosts: DemoHosts, name: str) -> AsyncIterator[asyncssh.SSHClientConnection]:
    known = str(hosts.ssh_config.parent / "known_hosts")
    async with asyncssh.connect(name, config=str(hosts.ssh_config), known_hosts=known, agent_path=None) as link:
        yield link


async def test_runs_what_it_is_told(demo_hosts: DemoHosts) -> None:
    """A command's two outputs and its exit code come back."""
    async with link_to(demo_hosts, "nas") as link:
        result = await link.run("cat; echo err >&2; exit 3", input="in")

    assert ("in", "err\n", 3) == (result.stdout, result.stderr, result.exit_status)


async def test_big_output_is_whole(demo_hosts: DemoHosts) -> None:
    """The end of the command does not cut off its output, and none of it gets lost."""
    async with link_to(demo_hosts, "nas") as link:
        result = await link.run("head -c 3000000 /dev/zero; exec >&-; head -c 100000 /dev/zero >&2", encoding=None)

    assert (3_000_000, 100_000) == (len(result.stdout or b""), len(result.stderr or b""))


async def test_death_by_signal_is_told(demo_hosts: DemoHosts) -> None:
    """A command that dies of a signal has no exit code."""
    async with link_to(demo_hosts, "nas") as link:
        result = await link.run("kill -TERM $$")

    assert "TERM" == (result.exit_signal or [""])[0]


async def test_signals_are_at_their_defaults(demo_hosts: DemoHosts) -> None:
    """Nothing is ignored that sshd would not ignore."""
    async with link_to(demo_hosts, "nas") as link:
        result = await link.run("sed -n 's/^SigIgn:.//p' /proc/self/status", check=True)
    of_glibc = 1 << 31 | 1 << 32  # signals 32 and 33: `make` leaves them ignored, and no program can undo that

    assert 0 == int(str(result.stdout), 16) & ~of_glibc


async def test_each_command_has_its_own_session(demo_hosts: DemoHosts) -> None:
    """A command leads its session, and its home is the host's."""
    async with link_to(demo_hosts, "web1") as link:
        result = await link.run('echo $$; cut -d" " -f6 /proc/$$/stat; pwd; echo $HOME', check=True)
    lines = str(result.stdout).split()

    assert lines[0] == lines[1]
    assert [str(demo_hosts.home("web1"))] * 2 == lines[2:]


async def test_a_cut_ends_input_and_nothing_else(demo_hosts: DemoHosts) -> None:
    """When the link is cut, a shell sees the end of its input; a program in the background goes on."""
    home = demo_hosts.home("nas")
    async with link_to(demo_hosts, "nas") as link:
        shell = await link.create_process("/bin/sh -c 'sleep 60 & echo $! >pid; cat; echo over >over'")
        pid = await until(lambda: (home / "pid").exists() and (home / "pid").read_text().strip())
        demo_hosts.cut("nas")
        await until((home / "over").exists)
        await shell.wait()

    assert shell.exit_status is None
    assert alive(int(pid))


async def test_output_into_a_cut_link_is_no_mishap(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """asyncssh raises where it writes to a channel that is gone: of that nothing is said, of any other mishap all."""

    def raising(error: Exception) -> None:
        raise error

    with DemoHosts(tmp_path) as hosts:
        loop = hosts._opened.result()
        loop.call_soon_threadsafe(raising, BrokenPipeError("Channel not open for sending"))
        loop.call_soon_threadsafe(raising, ValueError("a mistake"))
        await until(lambda: bool(caplog.records))

    assert ["a mistake"] == [str(record.exc_info[1]) for record in caplog.records if record.exc_info]


async def test_a_cut_while_a_command_begins(demo_hosts: DemoHosts) -> None:
    """However early a link is cut, nothing of its command stays open here."""
    pipes = open_pipes()
    for round in range(30):
        async with link_to(demo_hosts, "nas") as link:
            opening = [asyncio.ensure_future(link.create_process("cat; sleep 60")) for _ in range(3)]
            await asyncio.wait(opening, timeout=round / 2000)
            demo_hosts.cut("nas")
            await asyncio.gather(*opening, return_exceptions=True)

    await until(lambda: open_pipes() <= pipes)


async def test_away_and_back(demo_hosts: DemoHosts) -> None:
    """A host that is away refuses connections; when it is back, it has its old port and key."""
    demo_hosts.away("nas")
    with pytest.raises(ConnectionRefusedError):
        async with link_to(demo_hosts, "nas"):
            pass
    demo_hosts.back("nas")
    async with link_to(demo_hosts, "nas") as link:
        result = await link.run("echo here")

    assert "here\n" == result.stdout


def test_openssh_agrees(demo_hosts: DemoHosts) -> None:
    """The files that are written lead OpenSSH's own client there too."""
    command = ["ssh", "-F", str(demo_hosts.ssh_config), "-o", "BatchMode=yes", "web2", "echo $HOME"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)

    assert f"{demo_hosts.home('web2')}\n" == result.stdout


def test_strangers_stay_out(demo_hosts: DemoHosts) -> None:
    """Only the key that was made for these hosts opens them."""
    command = ["ssh", "-F", str(demo_hosts.ssh_config), "-o", "BatchMode=yes", "-o", "PubkeyAuthentication=no", "nas"]

    assert 255 == subprocess.run([*command, "true"], capture_output=True).returncode


async def test_switched_off_with_all_programs(tmp_path: Path) -> None:
    """When the hosts go, no program of theirs is left."""
    with DemoHosts(tmp_path, ["nas"]) as hosts:
        async with link_to(hosts, "nas") as link:
            result = await link.run("setsid sleep 60 >/dev/null 2>&1 & echo $!", check=True)
            attached = await link.create_process("trap '' HUP; sleep 60; sleep 60")
        pid = int(str(result.stdout))
        assert alive(pid)

    assert attached.exit_status is None
    await until(lambda: not alive(pid))
