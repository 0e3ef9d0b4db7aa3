"""A scheduler of the demo's own, and its commands: real processes, as a user starts them.

Rule: what the demo does, a user can type. Nothing here reaches around the command line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from sshsched.demo.hosts import DemoHosts
from sshsched.errors import NoSchedulerError, SchedulerError, SshschedError
from sshsched.service.client import Client

PACKAGE = Path(__file__).parents[1]
ENDS_WITHIN = 20.0  # seconds


class Stage:
    """A scheduler that can be killed and started again. Ends with its `with` block."""

    def __init__(self, hosts: DemoHosts) -> None:
        self._env = {**os.environ, **hosts.env}
        self._state_dir = hosts.state_dir
        self._log = hosts.folder / "scheduler.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the scheduler; it is there when `answers()` says so."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                _command("serve"),
                cwd=PACKAGE.parent,  # `-m` looks there first: the same sshsched, whatever folder the user is in
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which then ends the scheduler in good order
            )

    def answers(self) -> bool:
        """Whether the scheduler does. Raises SchedulerError if it has ended instead."""
        if self._process and self._process.poll() is not None:
            raise SchedulerError(f"the demo's scheduler ended by itself: {self._log.read_text().strip()}")
        try:
            with Client(self._state_dir) as client:
                client.status()
        except NoSchedulerError:
            return False
        return True

    def kill(self) -> None:
        """kill -9, as a machine that loses its power does it."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def command(self, *words: str) -> Any:
        """What an sshsched command says with --json. Raises SshschedError if the command fails."""
        result = subprocess.run(
            _command(*words, "--json"), cwd=PACKAGE.parent, env=self._env, stdin=subprocess.DEVNULL, capture_output=True
        )
        if result.returncode:
            raise SshschedError(f"sshsched {' '.join(words)}: {result.stderr.decode().strip()}")
        return json.loads(result.stdout)

    def __enter__(self) -> Stage:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(ENDS_WITHIN)
            self.kill()


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", PACKAGE.name, *words]
