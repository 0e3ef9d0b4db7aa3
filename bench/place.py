"""What is measured: a stock sshd, a scheduler process, and everything in one folder that is gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sshsched.cli.background import listens
from sshsched.domain.model import Run
from sshsched.service.client import Client
from sshsched.store.filter import RunFilter
from sshsched.store.reader import Reader
from tests.cli.driver import CLI, Place
from tests.sshd import Sshd, account
from tests.support import wait_until

Shape = dict[str, Any]
TICKS = os.sysconf("SC_CLK_TCK")
_SCRIPT = Path(sys.executable).with_name("sshsched")
TYPED = [str(_SCRIPT)] if _SCRIPT.exists() else CLI
"""What people type: the installed command, or else `python -m sshsched`, which takes some ms more to find itself."""


class Commands(Place):
    """Folders and commands, without hosts."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        # Whoever installs a package has its byte code; compiling it anew for every command would be measured too.
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)


class Bench(Commands):
    """Folders, an sshd that answers to all these host names, and commands that know them."""

    def __init__(self, folder: Path, hosts: Sequence[str], sshd: Sshd, spool: Path) -> None:
        super().__init__(folder)
        self.hosts, self.sshd, self.spool = hosts, sshd, spool
        self.ssh_config = folder / "ssh_config"
        self.ssh_config.write_text("".join(sshd.block(name) for name in hosts))
        self.config.mkdir()
        (self.config / "hosts.yaml").write_text("".join(f"{name}: {{spool: {spool}}}\n" for name in hosts))

    @property
    def ssh(self) -> list[str]:
        """OpenSSH's client, as everybody calls it."""
        return ["ssh", "-F", str(self.ssh_config), "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"]

    @contextmanager
    def serving(self) -> Iterator[Process]:
        """A scheduler process that serves this place, while entered."""
        log = self.state.with_name("scheduler.log")
        with log.open("ab") as words:
            child = subprocess.Popen([*CLI, "serve"], env=self.env, stdin=subprocess.DEVNULL, stderr=words)
        try:
            wait_until(lambda: self._serves(child, log), within=20)
            yield Process(child.pid)
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait()

    def _serves(self, child: subprocess.Popen[bytes], log: Path) -> bool:
        assert child.poll() is None, f"the scheduler ended: {log.read_text()[-2000:]}"
        return listens(self.state)

    def client(self) -> Client:
        return Client(self.state)

    def warm(self) -> None:
        """Have a link to every host, and whatever is only done once done."""
        self.finish([self.draft("true", host) for host in self.hosts])

    def draft(self, command: str, host: str = "") -> Shape:
        return {"host": host or self.hosts[0], "program": {"command": command}, "by": "bench"}

    def finish(self, drafts: Sequence[Shape]) -> list[Run]:
        """Submit these, and return when outcomes and outputs of all are in the store, as they stand there.

        Raises AssertionError if any did not succeed: nothing is measured of what does not work.
        """
        with self.client() as client:
            names = [shape["run"] for shape in client.submit(drafts)]
            self.wait(client, names)
        ids = frozenset(int(name[1:]) for name in names)
        with Reader(self.state) as reader:
            runs = reader.runs(RunFilter(ids=ids), limit=len(ids))
        bad = [run for run in runs if run.state != "success" or not run.output.complete]
        assert len(runs) == len(drafts), f"{len(runs)} of {len(drafts)} runs are in the store"
        assert not bad, f"{len(bad)} of {len(runs)} failed, such as {bad[0]}"
        return runs

    def settle(self) -> None:
        """Return when nothing is left to do: outputs compressed, hosts cleaned, links up."""
        wait_until(self._settled, within=120)

    def _settled(self) -> bool:
        with self.client() as client:
            status = client.status()
        up = sum(host["state"] == "up" for host in status["hosts"])
        return up >= len(self.hosts) and not status["live"]

    def wait(self, client: Client, names: Iterable[str]) -> None:
        """Until all these have finished and their outputs are here."""
        left = set(names)
        for event, shape in client.events(list(left)):
            for run in shape["runs"] if event == "snapshot" else [shape] if event == "run" else []:
                if run["finished_at"] and (run["output_complete"] or run["output_lost"]):
                    left.discard(run["run"])
            if not left:
                return


@contextmanager
def bench(hosts: Sequence[str] = ("box",), **options: str) -> Iterator[Bench]:
    """A place of its own; `options` are those of its sshd."""
    with _user() as (user, home), folder() as place:
        sshd = Sshd(place / "sshd", hosts[0], user=user, options=options)
        try:
            yield Bench(place, hosts, sshd.start(), home / ".sshsched-bench")
        finally:
            sshd.remove()


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="sshsched-bench-") as name:
        yield Path(name)


@contextmanager
def _user() -> Iterator[tuple[str, Path]]:
    """Who logs in: root makes an account without rc files, which would be measured too; others log in as themselves."""
    if os.getuid() == 0:
        with account("/bin/sh") as made:
            yield made.name, made.home
    else:
        yield "", Path.home()


@dataclass(frozen=True, slots=True)
class Process:
    """What the kernel says of a process."""

    pid: int

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> float:
        """MiB resident now."""
        return self._status("VmRSS")

    def most_memory(self) -> float:
        """MiB resident at most, since the start or `forget_most_memory`."""
        return self._status("VmHWM")

    def forget_most_memory(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def share(self, during: float) -> float:
        """Per cent of one core over that many seconds from now on."""
        began, before = time.monotonic(), self.cpu()
        time.sleep(during)
        return (self.cpu() - before) / (time.monotonic() - began) * 100

    def _status(self, key: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1]) / 1024
        raise AssertionError(f"no {key} of process {self.pid}")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that has run to its end."""

    seconds: float
    ended: float
    """When it was seen to have ended, in seconds since 1970."""
    output: bytes


def command(words: Sequence[str], env: dict[str, str] | None = None) -> Command:
    """Run it, quietly. Raises AssertionError if it fails."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        child.wait()
        ended, took = time.time(), time.perf_counter() - began
        out.seek(0)
        output = out.read()
    assert child.returncode == 0, f"{' '.join(words[:8])}: exit code {child.returncode}: {output[-500:]!r}"
    return Command(took, ended, output)


_PEAK = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


def peak_memory(words: Sequence[str], env: dict[str, str]) -> float:
    """MiB that a command has resident at most. Started by a small process: what that has would count for its child."""
    return int(command([sys.executable, "-S", "-c", _PEAK, *words], env).output) / 1024
