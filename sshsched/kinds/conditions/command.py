"""A program of the user's own says whether a run may start: its exit code 0 is yes.

Rule: it is run again and again, so it should change nothing; and it is given up after its time limit.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sshsched.domain.draft import length_flaw
from sshsched.domain.model import Run
from sshsched.domain.view import Answer, Probe, View
from sshsched.kinds.conditions.base import Condition
from sshsched.kinds.conditions.probes import Every, Host, asked, check_every, host_of
from sshsched.kinds.written import Seconds

_SHOWN = 60
_LONGEST = 600.0


class Command(Condition, frozen=True, kw_only=True):
    """A command on a host succeeds."""

    command: Annotated[str, Meta(pattern=r"\S", description="a line for `sh -c`; exit code 0 means that it may start")]
    host: Host = ""
    every: Every = 30.0
    timeout: Annotated[Seconds, Meta(description="after so long the command is ended, and counts as no")] = 30.0

    def __post_init__(self) -> None:
        check_every(self.every)
        if message := length_flaw(self.command):
            raise ValueError(f"command: {message}")
        if not 0 < self.timeout <= _LONGEST:
            raise ValueError(f"timeout: {self.timeout:g} s must be more than nothing, and {_LONGEST:g} s at most")

    def ask(self, run: Run, view: View, at: float) -> Answer:
        host = host_of(self.host, run)
        line = " ".join(self.command.split())
        short = line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."
        return asked(Probe(host, self.command, self.every, self.timeout), f"`{short}` to succeed on {host}", view, at)
