"""The command line as a person meets it: in processes of its own, with a scheduler that it starts by itself."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sshsched.domain.states import LIVE
from sshsched.store.filter import RunFilter
from sshsched.store.lock import holder
from sshsched.store.reader import Reader
from tests.support import ROOT, wait_until

CLI = [sys.executable, "-m", "sshsched"]


@dataclass(frozen=True)
class Ended:
    """What a command did."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Place:
    """Folders of its own for one scheduler and its commands."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.config = folder / "config"
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self.env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(folder / "xdg"),
            "SSHSCHED_STATE_DIR": str(self.state),
            "SSHSCHED_CONFIG_DIR": str(self.config),
            "SSHSCHED_SSH_CONFIG": str(folder / "ssh_config"),
        }
        self.env.pop("NO_COLOR", None)
        (folder / "ssh_config").write_text("")

    def __call__(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Ended:
        """Run a command to its end."""
        done = subprocess.run(
            [*CLI, *args], input=stdin, capture_output=True, env={**self.env, **(env or {})}, timeout=60, check=False
        )
        return Ended(done.returncode, done.stdout, done.stderr.decode(errors="backslashreplace"))

    def begin(self, *args: str) -> subprocess.Popen[bytes]:
        """Begin a command and leave it going."""
        return subprocess.Popen([*CLI, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env)

    def state_of(self, number: int) -> str:
        with Reader(self.state) as reader:
            run = reader.run(number)
        return "" if run is None else str(run.state)

    def started(self, *args: str) -> str:
        """A new run that is known to be running; its name."""
        name = self("run", *args).text.strip()
        wait_until(lambda: self.state_of(int(name[1:])) == "running", within=15)
        return name

    def scheduler(self) -> int | None:
        """The process id of the scheduler."""
        found = holder(self.state) if self.state.exists() else None
        return found.pid if found else None

    def kill_scheduler(self, number: signal.Signals = signal.SIGKILL) -> None:
        if pid := self.scheduler():
            os.kill(pid, number)
            wait_until(lambda: self.scheduler() is None, within=15)

    def close(self) -> None:
        """Nothing goes on behind our back: neither programs nor the scheduler."""
        with Reader(self.state) as reader:
            live = [run.name for run in reader.runs(RunFilter(states=frozenset(LIVE)), limit=1000)]
        if live:
            self("stop", "--signal", "KILL", *live)
            self("wait", "--timeout", "10", *live)
        self.kill_scheduler(signal.SIGTERM)

    def on_terminal(
        self,
        *args: str,
        until: str = "",
        then: Callable[[], object] | None = None,
        within: float = 20.0,
        height: int = 30,
    ) -> tuple[int | None, str]:
        """A command on a terminal of 100 columns: its code and all that the terminal got.

        With `until`, it is left once that was seen, by Ctrl-C, or `then` is done instead.
        """
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ.pop("NO_COLOR", None)
            os.environ.update(self.env, TERM="xterm", COLUMNS="100", LINES=str(height), LC_ALL="C.UTF-8")
            os.execv(sys.executable, [*CLI, *args])
        seen = b""
        end = time.monotonic() + within
        pressed = False
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 0.05)[0]:
                continue
            try:
                data = os.read(terminal, 65536)
            except OSError:  # Linux says EIO once the other side is closed
                break
            if not data:
                break
            seen += data
            if until and not pressed and until in seen.decode(errors="replace"):
                pressed = True
                if then is None:
                    os.write(terminal, b"\x03")
                else:
                    then()
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status), seen.decode(errors="backslashreplace").replace("\r\n", "\n")
