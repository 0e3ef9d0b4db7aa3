"""Whole scheduler processes against real sshd: started, killed, started again, and looked at from outside.

Rule: a lab has folders, ports and spools of its own, everything in it is ended by pid, and when a test ends nothing of
it may be left on the hosts: no process, no spool.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from sshsched.errors import SchedulerError
from sshsched.service.client import Client
from sshsched.store.reader import Reader
from tests.sshd import Sshd
from tests.support import ROOT, wait_until
from tests.tcp_proxy import TcpProxy

Shape = dict[str, Any]
COMMAND = (sys.executable, "-m", "sshsched")
PROGRAM = ("timeout", "stop", "stdin", "accept", "cwd", "env")
FINISHED = ("success", "failure", "error", "skipped")


class Wire:
    """A TcpProxy in a thread of its own, for tests without a loop."""

    def __init__(self, target: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire")
        self._proxy = TcpProxy(target)

    def __enter__(self) -> Wire:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._proxy.__aenter__(), self._loop).result(5)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._proxy.__aexit__(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def port(self) -> int:
        return self._proxy.port

    @property
    def accepted(self) -> int:
        """How many connections there have been."""
        return self._proxy.accepted

    def cut(self) -> None:
        """Reset all connections; new ones work."""
        self._call(self._proxy.cut)

    def stall(self) -> None:
        """Pass nothing on until `resume`."""
        self._call(self._proxy.stall)

    def resume(self) -> None:
        self._call(self._proxy.resume)

    def forget(self) -> None:
        """Existing connections are silent; new ones work."""
        self._call(self._proxy.forget)

    def revive(self) -> None:
        """Silent connections pass on what they still held."""
        self._call(self._proxy.revive)

    @property
    def lines(self) -> int:
        """How many connections there are."""
        return self._proxy.lines

    def cut_after(self, count: int, direction: str) -> None:
        """Cut the connection that passes so many more bytes in a direction."""
        self._call(lambda: self._proxy.cut_after(count, direction))

    def _call(self, work: Callable[[], None]) -> None:
        async def call() -> None:
            work()

        asyncio.run_coroutine_threadsafe(call(), self._loop).result(5)


class Lab:
    """One store, the hosts that it knows, and the scheduler process that serves it, if one runs."""

    def __init__(self, folder: Path, *servers: Sshd, hosts: Mapping[str, Sshd] | None = None, more: str = "") -> None:
        self.folder = folder
        self.state, self.config = folder / "state", folder / "conf"
        self.marks = folder / "marks"
        for made in (self.state, self.config, self.marks):
            made.mkdir(parents=True)
        self.state.chmod(0o700)
        # Short and of its own: the name by which everything of this lab is found in /proc.
        self.root = Path(tempfile.mkdtemp(prefix="e2e-"))
        self.hosts = dict(hosts or {server.name: server for server in servers})
        self.ssh_config = folder / "ssh_config"
        self.reach({})
        lines = [f'{name}: {{spool: "{self.root}"{more}}}' for name in (*self.hosts, "local")]
        (self.config / "hosts.yaml").write_text("\n".join(lines) + "\n")
        self.log = folder / "scheduler.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.client = Client(self.state, patience=20)

    def reach(self, ports: Mapping[str, int]) -> None:
        """Reach these hosts by other ports, those of wires."""
        blocks = []
        for name, server in self.hosts.items():
            if name in ports:
                server.behind(ports[name])
            blocks.append(server.block(name, port=ports.get(name, 0)))
        self.ssh_config.write_text("\n".join(blocks))

    # The scheduler ---------------------------------------------------------------------------------------------------

    @property
    def env(self) -> dict[str, str]:
        ours = {
            "SSHSCHED_STATE_DIR": str(self.state),
            "SSHSCHED_CONFIG_DIR": str(self.config),
            "SSHSCHED_SSH_CONFIG": str(self.ssh_config),
            "PYTHONPATH": str(ROOT),
        }
        return {**{name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}, **ours}

    def start(self, *args: str, command: Sequence[str] = COMMAND, **env: str) -> Lab:
        """Start the scheduler, and return when it answers or has ended."""
        assert self.process is None
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "serve", *args], env=self.env | env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        process = self.process
        wait_until(lambda: self.answers() or process.poll() is not None, within=20)
        return self

    def answers(self) -> bool:
        """Whether this very scheduler does, and not one before it."""
        try:
            with Client(self.state) as client:
                return self.process is not None and client.status()["pid"] == self.process.pid
        except SchedulerError:
            return False

    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """kill -9, in whatever it is doing."""
        self._end(signal.SIGKILL)

    def end(self) -> None:
        """Have it end in order."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(20)
            self.gone()

    def gone(self) -> int | None:
        """Forget a scheduler that has ended; its exit code."""
        assert self.process is not None
        code = self.process.poll()
        self.process = None
        self.client.close()
        return code

    def cli(self, *args: str, within: float = 30) -> subprocess.CompletedProcess[str]:
        """A command, run to its end."""
        return subprocess.run(
            [*COMMAND, *args], env=self.env, capture_output=True, text=True, timeout=within, check=False
        )

    @contextmanager
    def impatient(self, seconds: float) -> Iterator[Client]:
        """A client that does not wait for long."""
        with Client(self.state, timeout=seconds) as client:
            yield client

    def words(self) -> str:
        """The scheduler's log."""
        return self.log.read_text()

    # Runs ------------------------------------------------------------------------------------------------------------

    def submit(self, command: str, host: str = "box", count: int = 1, **more: Any) -> list[str]:
        """Runs of this command; what is in PROGRAM goes to the program, the rest to the run."""
        program = {"command": command}
        program |= {key: more.pop(key) for key in PROGRAM if key in more}
        drafts = [{"host": host, "program": program, "by": "e2e", **more}] * count
        return [run["run"] for run in self.client.submit(drafts)]

    def run(self, name: str) -> Shape:
        found: Shape = self.client.run(name)["run"]
        return found

    def log_of(self, name: str) -> list[tuple[str, str]]:
        """(to, reason) of each row of the run log."""
        return [(row["to"], row["reason"]) for row in self.client.run(name)["log"]]

    def once(self, name: str, true: Callable[[Shape], object], within: float = 15) -> Shape:
        """The run, once this is true of it."""
        found: list[Shape] = []

        def is_so() -> bool:
            found[:] = [self.run(name)]
            return bool(true(found[0]))

        wait_until(is_so, within=within)
        return found[0]

    def reaches(self, name: str, *states: str, within: float = 15) -> Shape:
        """The run, once it is in one of these states."""
        return self.once(name, lambda run: run["state"] in states, within)

    def finished(self, name: str, within: float = 15) -> Shape:
        return self.reaches(name, *FINISHED, within=within)

    def settled(self, within: float = 20) -> None:
        """All runs have ended, their output is here and their spools are gone."""
        wait_until(lambda: not self.client.status()["live"], within=within)

    def output(self, name: str, stream: str = "stdout") -> bytes:
        return b"".join(self.client.output(name, stream))

    def mark(self, name: str = "mark") -> str:
        """A command that notes in a file of this lab that it was run; `marked` counts."""
        return f"echo $SSHSCHED_RUN_ID >>{self.marks}/{name}"

    def marked(self, name: str = "mark") -> list[str]:
        """Which runs were noted there."""
        path = self.marks / name
        return path.read_text().split() if path.exists() else []

    def stored(self) -> list[Shape]:
        """All runs of the store, oldest first, whether a scheduler runs or not."""
        from sshsched.domain.shape import run_shape
        from sshsched.store.filter import RunFilter

        runs = Reader(self.state).runs(RunFilter(), limit=10_000, before=None)
        return [run_shape(run) for run in reversed(runs)]

    # What is left ----------------------------------------------------------------------------------------------------

    def processes(self) -> dict[int, str]:
        """All processes of this lab's spools."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (words := _of_root(entry, str(self.root))):
                found[int(entry.name)] = words
        return found

    def spools(self) -> list[Path]:
        """The runs' folders on all hosts, with those that are being cleaned."""
        return [*self.root.glob("*/*/r*-*"), *self.root.glob("*/*/.gone/*")]

    def leave(self) -> None:
        """End the scheduler in order, when it has cleaned what it still had to. Nothing may be left then."""
        if self.lives():
            wait_until(lambda: not self.spools(), within=10)
        self.end()
        wait_until(lambda: not self.processes(), within=10)

        assert [] == self.spools()
        assert {} == self.processes()
        assert "Traceback" not in self.words(), self.words()

    def power_off(self) -> None:
        """What a power cut does to the programs of all hosts, and to all that watches them there."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def destroy(self) -> None:
        """End whatever there is, also after a test that failed."""
        self.client.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.power_off()
        shutil.rmtree(self.root, ignore_errors=True)


@contextmanager
def lab(folder: Path, *servers: Sshd, **more: Any) -> Iterator[Lab]:
    """A lab that leaves nothing, and is looked at for that if the test has gone well."""
    made = Lab(folder / "lab", *servers, **more)
    try:
        yield made
        made.leave()
    finally:
        made.destroy()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def memory(pid: int, what: str = "VmRSS") -> int:
    """Bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(what)


def _of_root(entry: Path, root: str) -> str:
    """How a process belongs to this lab: by its words, its environment or its folder."""
    try:
        if (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX":
            return ""
        words = (entry / "cmdline").read_bytes()
        place = str((entry / "cwd").readlink())
        around = (entry / "environ").read_bytes()
    except OSError:
        return ""
    if root.encode() in words or place.startswith(root) or root.encode() in around:
        return words.replace(b"\0", b" ").decode(errors="replace")[:200]
    return ""
