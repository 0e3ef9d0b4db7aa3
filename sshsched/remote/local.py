"""The host `local`: the very same shell text, through a /bin/sh of this machine.

Rule: programs see the environment that a login would give them, not the scheduler's own. Passed on are HOME, USER,
LOGNAME, SHELL, PATH, LANG, LC_*, TZ, TMPDIR, XDG_* and SSH_AUTH_SOCK, nothing else.
"""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import cast

from sshsched.domain.hosts import LOCAL
from sshsched.errors import HostError
from sshsched.remote.transport import Tail

PASSED = frozenset({"HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "TZ", "TMPDIR", "SSH_AUTH_SOCK"})
PASSED_PREFIXES = ("LC_", "XDG_")
_BUFFER = 256 * 1024


def environment(whole: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that programs on `local` get. HOME and PATH are always there."""
    me = pwd.getpwuid(os.getuid())
    return {
        "HOME": me.pw_dir,
        "PATH": os.defpath,
        **{name: value for name, value in whole.items() if name in PASSED or name.startswith(PASSED_PREFIXES)},
    }


def _folder(home: str) -> str:
    return home if Path(home).is_dir() else "/"


class LocalTransport:
    """Runs /bin/sh as a child process."""

    host = LOCAL

    async def connect(self) -> LocalConnection:
        return LocalConnection()


class LocalConnection:
    """Stands for the link that a local shell does not need. Dies only by `close`."""

    def __init__(self) -> None:
        self._channels: list[LocalChannel] = []
        self._closed = asyncio.Event()

    async def open(self, command: str = "/bin/sh") -> LocalChannel:
        argv = ("/bin/sh",) if command == "/bin/sh" else ("/bin/sh", "-c", command)
        env = environment(os.environ)
        try:
            # Its own session: a Ctrl-C in the scheduler's terminal is none of its business.
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=_folder(env["HOME"]),
                env=env,
                start_new_session=True,
                limit=_BUFFER,
            )
        except OSError as error:
            raise HostError(LOCAL, f"cannot start /bin/sh: {error.strerror}") from error
        self._channels = [channel for channel in self._channels if not channel.ended]
        self._channels.append(channel := LocalChannel(process))
        return channel

    def close(self) -> None:
        for channel in self._channels:
            channel.close()
        self._closed.set()

    async def wait_closed(self) -> None:
        await self._closed.wait()
        for channel in self._channels:
            await channel.gone()


class LocalChannel:
    """One child process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._stdin = cast(asyncio.StreamWriter, process.stdin)
        self._stdout = cast(asyncio.StreamReader, process.stdout)
        self._errors = Tail()
        self._keeper = asyncio.create_task(self._keep_errors(cast(asyncio.StreamReader, process.stderr)))

    @property
    def ended(self) -> bool:
        """It has been waited for: nothing of it is left."""
        return self._process.returncode is not None

    async def read(self, n: int) -> bytes:
        return await self._stdout.read(n)

    def write(self, data: bytes) -> None:
        if not self._stdin.is_closing():
            self._stdin.write(data)

    async def drain(self) -> None:
        with suppress(OSError):
            await self._stdin.drain()

    def errors(self) -> str:
        return str(self._errors)

    def close(self) -> None:
        # Closes all pipes and kills this one process, never its group: programs may be in it.
        self._process._transport.close()  # type: ignore[attr-defined]  # no public way to close its output pipes
        self._stdout.feed_eof()
        self._keeper.cancel()

    async def gone(self) -> None:
        """Return when the process has ended and been waited for."""
        await self._process.wait()

    async def _keep_errors(self, stream: asyncio.StreamReader) -> None:
        while data := await stream.read(_BUFFER):
            self._errors.add(data)
        await self._process.wait()
