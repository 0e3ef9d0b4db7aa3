"""One embedded ssh host: a real ssh server on loopback with real `/bin/sh` behind it, which can be cut off at will.

Rule: it behaves as sshd does where it matters to us. Each command gets its own session, signals at their defaults and a
bare environment; when a connection goes, its commands see their input end and their output broken, and nothing else.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

LOOPBACK = "127.0.0.1"
SHELL = "/bin/sh"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Server:
    """A host under a name, with a home folder of its own. All methods run in the loop that it serves in."""

    name: str
    home: Path
    authorized_keys: Path
    key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    port: int = 0
    _links: set[asyncssh.SSHServerConnection] = field(default_factory=set)
    _commands: set[asyncio.Task[None]] = field(default_factory=set)
    _listener: asyncssh.SSHAcceptor | None = None

    async def open(self) -> None:
        """Take connections: on a free port at first, later always on that one."""
        self._listener = await asyncssh.listen(
            LOOPBACK,
            self.port,
            server_factory=lambda: _Login(self._links),
            server_host_keys=[self.key],
            authorized_client_keys=str(self.authorized_keys),
            process_factory=self._started,
            encoding=None,
        )
        self.port = self._listener.get_port()

    async def close(self) -> None:
        """Refuse new connections and break those that there are. Programs go on."""
        if self._listener:
            self._listener.close()
            await self._listener.wait_closed()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """Break all connections, in the middle of a byte if need be."""
        for link in list(self._links):
            link.abort()

    async def switch_off(self) -> None:
        """Close, and leave no program behind."""
        await self.close()
        end_programs(self.home)
        await asyncio.gather(*self._commands)

    def _started(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        # A task of our own: asyncssh would cancel its one with the connection, and nobody would reap the child.
        task = asyncio.create_task(self._run(process))
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)

    async def _run(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Run what a client asks for, as sshd does: through the login shell, with pipes."""
        child_stdin, stdin = os.pipe()
        stdout, child_stdout = os.pipe()
        stderr, child_stderr = os.pipe()
        try:
            child = await asyncio.create_subprocess_exec(
                SHELL,
                *(["-c", process.command] if process.command else []),
                stdin=child_stdin,
                stdout=child_stdout,
                stderr=child_stderr,
                cwd=self.home,
                env={"HOME": str(self.home), "PATH": PATH, "SHELL": SHELL, "USER": "demo", "LOGNAME": "demo"},
                start_new_session=True,
                preexec_fn=_default_signals,
            )
        finally:
            for end in (child_stdin, child_stdout, child_stderr):
                os.close(end)
        # asyncssh owns our ends now, and closes them when the link goes.
        with suppress(OSError, asyncssh.Error):
            await process.redirect(stdin=stdin, stdout=stdout, stderr=stderr, send_eof=False)
            await _all_said(process)
            # The link may have gone before they were taken over; then nobody has closed them.
            await process.redirect(stdin=asyncssh.PIPE, stdout=asyncssh.PIPE, stderr=asyncssh.PIPE)
        code = await child.wait()
        with suppress(OSError, asyncssh.Error):
            if code < 0:
                process.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
            else:
                process.exit(code)
        await process.wait_closed()


async def _all_said(process: asyncssh.SSHServerProcess[bytes]) -> None:
    """Until both outputs have ended, or the link. With a redirection, to drain is to wait for the end of the source,
    but asyncssh does not wake those who wait for it when the link goes."""

    async def ended() -> None:
        await process.stdout.drain()
        await process.stderr.drain()

    either = [asyncio.ensure_future(ended()), asyncio.ensure_future(process.channel.wait_closed())]
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    for waiting in either:
        waiting.cancel()
    await asyncio.gather(*either, return_exceptions=True)


def end_programs(home: Path) -> None:
    """KILL everything that was started with this home folder: a detached program outlives its ssh server."""
    mark = f"HOME={home}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone meanwhile, or not ours to look at
            if mark in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)


class _Login(asyncssh.SSHServer):
    """Notes each connection as long as it lasts, so that it can be cut."""

    def __init__(self, links: set[asyncssh.SSHServerConnection]) -> None:
        self._links = links

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn
        self._links.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._links.discard(self._conn)


def _default_signals() -> None:
    """A shell that started us in the background left INT and QUIT ignored, and a shell cannot undo that."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
