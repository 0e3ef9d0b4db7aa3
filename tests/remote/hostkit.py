"""A host without ssh: a folder, a shell of one's choice as its /bin/sh, and the very requests that a link sends.

Rule: nothing of the protocol is done here; what a test asks goes through script.py and comes back through answers.py.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sshsched.domain.events import Report
from sshsched.domain.model import Cause, Run, Spool, StopAsked
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.remote import script
from sshsched.remote.answers import Answer, Clock, Data, Hello, parse_hello, parse_reports
from sshsched.remote.local import LocalChannel
from sshsched.remote.shell import Shell, greet
from tests.support import until

SHELLS = ("dash", "bash", "busybox", "mksh", "ksh93", "zsh", "posh", "yash")
EVERYTHING = 2**30


class HostChannel(LocalChannel):
    """A process whose requests name the chosen shell wherever they say /bin/sh."""

    def __init__(self, process: asyncio.subprocess.Process, sh: str) -> None:
        super().__init__(process)
        self.process = process
        self._sh = sh.encode()

    def write(self, data: bytes) -> None:
        super().write(data.replace(b"/bin/sh", self._sh))


@dataclass
class FakeHost:
    """`sh` is the path of its shell. `before` is said to each shell first, as an rc file would."""

    folder: Path
    sh: str = "/bin/sh"
    path: str = os.defpath
    before: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    wrap: Sequence[str] = ()
    """What each shell is run under, such as strace."""
    channels: list[HostChannel] = field(default_factory=list, init=False)

    @property
    def root(self) -> Path:
        return self.folder / "sp ool"

    async def open(self, *, wrap: Sequence[str] | None = None) -> HostChannel:
        process = await asyncio.create_subprocess_exec(
            *(self.wrap if wrap is None else wrap),
            self.sh,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.folder,
            env={"PATH": self.path, "HOME": str(self.folder), **self.env},
            start_new_session=True,
            limit=2**20,
        )
        channel = HostChannel(process, self.sh)
        self.channels.append(channel)
        channel.write(self.before.encode())
        return channel

    async def control(self, *, wrap: Sequence[str] | None = None, within: float = 20.0) -> Control:
        """A shell that has been greeted and has said hello, as a link has it."""
        channel = await self.open(wrap=wrap)
        shell = Shell("fake", channel, await greet("fake", channel, within))
        answer = await shell.ask(script.hello(str(self.root), "cafe", "fake"), within)
        now = time.time()
        hello = parse_hello(answer)
        return Control(shell, channel, hello, Clock(hello.boot, now - hello.uptime))

    def processes(self) -> list[int]:
        """All that live here or belong to a run of this host, whatever it is, this process apart."""
        return [pid for pid in _pids() if pid != os.getpid() and _belongs(pid, os.fsencode(self.folder))]

    async def end(self) -> None:
        """All that runs here is gone afterwards."""
        self.kill_all()
        for channel in self.channels:
            channel.close()
            await channel.process.wait()

    def kill_all(self) -> None:
        """Until nobody is left: some of them start others."""
        for _ in range(100):
            pids = self.processes()
            if not pids:
                return
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)  # for the kernel to do it
        raise AssertionError(f"cannot be killed: {self.processes()}")


@dataclass
class Control:
    """A control shell, and what a link asks of one."""

    shell: Shell
    channel: HostChannel
    hello: Hello
    clock: Clock

    @property
    def spool(self) -> Path:
        return Path(self.hello.spool)

    def folder(self, run: Run) -> Path:
        return self.spool / script.spool_name(run)

    def placed(self, run: Run) -> Run:
        return replace(run, spool=Spool(str(self.folder(run)), self.hello.boot))

    async def start(
        self,
        run: Run,
        env: Mapping[str, str] | None = None,
        stop_in: float | None = None,
        secrets: Mapping[str, str] = script.NOTHING,
    ) -> Answer:
        call = script.start(self.placed(run), script.spool_name(run), env or {}, stop_in, secrets)
        return await self.shell.ask(call)

    async def start_all(self, runs: Sequence[Run]) -> Answer:
        """Start them together, as a link does."""
        return (await self.shell.ask_all(self.starting(runs)))[-1]

    def starting(self, runs: Sequence[Run]) -> list[str]:
        """The calls that start them together."""
        named = [(run, script.spool_name(run), None) for run in map(self.placed, runs)]
        puts = [script.put(run, name, {}) for run, name, _ in named]
        return [script.rooms([name for _, name, _ in named]), *puts, script.launch(named)]

    async def report(self, call: str, run: Run) -> Report:
        answer = await self.shell.ask(call)
        return parse_reports(answer.told, self.clock)[script.spool_name(run)]

    async def look(self, run: Run) -> Report:
        return await self.report(script.look([script.spool_name(run)]), run)

    async def settle(self, run: Run) -> Report:
        return await self.report(script.settle(script.spool_name(run)), run)

    async def stop(self, run: Run, signal: str = "TERM", grace: float = 1.0) -> Report:
        return await self.report(self.stopping(run, signal, grace), run)

    def stopping(self, run: Run, signal: str = "TERM", grace: float = 1.0) -> str:
        """The call that stops it."""
        asked = replace(run, stop_asked=StopAsked(0.0, "test", Cause.STOP, signal, grace))
        return script.stop(asked, script.spool_name(run))

    async def clean(self, *runs: Run) -> list[str]:
        return (await self.shell.ask(script.clean(map(script.spool_name, runs)))).told

    async def fetch(self, run: Run, stdout: int = 0, stderr: int = 0, most: int = EVERYTHING) -> list[Data]:
        return (await self.shell.ask(script.fetch(most, [(script.spool_name(run), stdout, stderr)]))).data

    async def output(self, run: Run, stream: str = "stdout") -> bytes:
        return b"".join(piece.data for piece in await self.fetch(run) if piece.stream == stream)

    async def claimed(self, run: Run, within: float = 20.0) -> Report:
        """Wait until the program has been started."""

        async def has_claim() -> Report | None:
            report = await self.look(run)
            return report if report.pid is not None else None

        return await until(has_claim, within=within)

    async def ended(self, run: Run, within: float = 20.0) -> Report:
        """Wait until the program has an outcome, or never will."""

        async def has_ended() -> Report | None:
            report = await self.look(run)
            over = report.outcome is not None or report.refused is not None
            return report if over or (report.pid is not None and not report.alive) else None

        return await until(has_ended, within=within)

    async def stopped(self, run: Run, within: float = 20.0) -> Report:
        """Wait until the stop ladder has come to its end, and the status is there."""

        async def is_done() -> Report | None:
            report = await self.look(run)
            return report if report.stop_done and not report.alive else None

        return await until(is_done, within=within)

    async def do(self, run: Run) -> Report:
        """Start it and wait for its end."""
        answer = await self.start(run)
        assert ["launched"] == answer.told, answer
        return await self.ended(run)

    def close(self) -> None:
        self.shell.close()


_numbers = iter(range(1, 10**9))


def a_run(*argv: str, command: str | None = None, key: str = "abcd1234", **program: Any) -> Run:
    """A run of a program; a lone word is a command for sh -c."""
    if len(argv) == 1 and command is None:
        argv, command = (), argv[0]
    made = Program(command=command, argv=argv, **program)
    return Run(id=next(_numbers), host="fake", program=made, created_at=time.time(), state=State.STARTING, key=key)


def make_shell(name: str, folder: Path) -> str:
    """That shell under the name `sh`, as hosts have it: some behave otherwise under their own."""
    real = shutil.which(name)
    assert real is not None, f"{name} is not installed; run tests/needs.sh"
    folder.mkdir(exist_ok=True)
    (folder / "sh").symlink_to(real)
    return str(folder / "sh")


def make_path(folder: Path, *, without: Sequence[str] = (), busybox: Sequence[str] = ()) -> str:
    """A PATH with all of this machine's programs but those; some of them are busybox' instead."""
    folder.mkdir()
    for where in ("/usr/bin", "/bin", "/usr/sbin", "/sbin"):
        for program in Path(where).iterdir():
            link = folder / program.name
            if program.name not in without and not link.is_symlink():
                link.symlink_to("/bin/busybox" if program.name in busybox else program)
    return str(folder)


def ignored(status: str) -> int:
    """The signals that a process ignores, of the text of its /proc/PID/status, but for the two that belong to libc."""
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn:")), 16) & ~(0b11 << 31)


def lives(pid: int) -> bool:
    """A process of that number is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208


def _belongs(pid: int, mark: bytes) -> bool:
    try:
        if mark == os.fsencode(os.readlink(f"/proc/{pid}/cwd")):  # noqa: PTH115
            return True
    except OSError:
        pass
    for name in ("environ", "cmdline"):
        try:
            if mark in Path(f"/proc/{pid}/{name}").read_bytes():
                return True
        except OSError:
            continue
    return False
