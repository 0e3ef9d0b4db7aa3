"""The host `local`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sshsched.remote.local import LocalTransport, environment
from sshsched.remote.transport import Channel
from tests.support import until


async def everything(channel: Channel) -> bytes:
    parts = []
    while data := await channel.read(65536):
        parts.append(data)
    return b"".join(parts)


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_a_shell_talks() -> None:
    """A local /bin/sh takes lines, answers, and its errors are kept apart."""
    connection = await LocalTransport().connect()
    channel = await connection.open()
    channel.write(b"echo hello; echo oops >&2; exit\n")

    assert b"hello\n" == await everything(channel)
    await until(lambda: channel.errors() == "oops\n")
    connection.close()
    await connection.wait_closed()


async def test_only_the_last_of_many_errors_is_kept() -> None:
    """4 KiB of standard error are remembered, undecodable bytes replaced."""
    connection = await LocalTransport().connect()
    channel = await connection.open("head -c 100000 /dev/zero | tr '\\0' x >&2; printf 'end\\377' >&2")

    assert b"" == await everything(channel)
    await until(lambda: channel.errors().endswith("end\ufffd"))
    assert 4096 == len(channel.errors())
    connection.close()
    await connection.wait_closed()


def test_environment() -> None:
    """What a login would set is passed on, and nothing else of the scheduler's."""
    whole = {
        "HOME": "/h",
        "PATH": "/p",
        "LC_ALL": "C",
        "XDG_STATE_HOME": "/s",
        "TZ": "UTC",
        "SECRET": "x",
        "PYTHONPATH": "y",
    }

    assert {key: whole[key] for key in ("HOME", "PATH", "LC_ALL", "XDG_STATE_HOME", "TZ")} == environment(whole)


def test_home_and_path_are_always_there() -> None:
    """Even a scheduler that was started with nothing gives its programs a home and a path."""
    assert {"HOME", "PATH"} == set(environment({}))


async def test_programs_see_that_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The shell starts at home, in its own session, without our secrets."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSHSCHED_SECRET", "leak")
    connection = await LocalTransport().connect()
    channel = await connection.open()
    channel.write(b'echo "$SSHSCHED_SECRET."; pwd; cut -d " " -f 1,6 /proc/$$/stat; exit\n')

    empty, place, ids = (await everything(channel)).decode().splitlines()

    assert "." == empty
    assert str(tmp_path) == place
    assert [ids.split()[0]] * 2 == ids.split()
    assert os.getsid(0) != int(ids.split()[0])
    connection.close()
    await connection.wait_closed()


async def test_close_ends_the_shell_and_nothing_else() -> None:
    """Closing ends the shell itself and wakes readers; a program that it started in the background lives."""
    connection = await LocalTransport().connect()
    channel = await connection.open()
    channel.write(b"sleep 1000 </dev/null >/dev/null 2>&1 & echo $$ $!\n")
    shell, program = map(int, (await channel.read(100)).split())
    reader = asyncio.create_task(channel.read(1))
    try:
        connection.close()

        assert b"" == await reader
        assert await until(lambda: not alive(shell))
        assert alive(program)
        await connection.wait_closed()
    finally:
        os.kill(program, 9)


async def test_wait_closed_waits() -> None:
    """A local link ends by close and not by the end of a shell."""
    connection = await LocalTransport().connect()
    channel = await connection.open("true")
    gone = asyncio.create_task(connection.wait_closed())
    assert b"" == await everything(channel)

    assert not gone.done()
    connection.close()
    await gone


async def test_writing_to_a_dead_shell_is_no_error() -> None:
    """A shell that has ended swallows what is written to it."""
    connection = await LocalTransport().connect()
    channel = await connection.open("exit 0")
    assert b"" == await everything(channel)

    for _ in range(20):
        channel.write(b"x" * 100_000)
        await channel.drain()
    channel.close()
    channel.write(b"x")
    await channel.drain()
    connection.close()
    await connection.wait_closed()


async def test_large_streams() -> None:
    """Many megabytes pass in both directions, byte for byte."""
    connection = await LocalTransport().connect()
    channel = await connection.open("head -c 5000000")
    block = bytes(range(256)) * 4000

    async def feed() -> None:
        for _ in range(5):
            channel.write(block)
            await channel.drain()

    feeding = asyncio.create_task(feed())
    whole = await everything(channel)
    await feeding

    assert (block * 5)[:5_000_000] == whole
    connection.close()
    await connection.wait_closed()


@pytest.mark.parametrize("module", ["transport", "local", "ssh_config", "known_hosts", "target", "dial"])
def test_quick_to_import(module: str) -> None:
    """Commands that only read can use these without paying for asyncssh."""
    code = f"import sys, sshsched.remote.{module}; sys.exit('asyncssh' in sys.modules)"

    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode
