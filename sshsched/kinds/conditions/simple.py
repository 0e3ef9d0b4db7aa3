"""Conditions that need no more than a look: an approval, a host that answers, and a fixed answer for tests."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from sshsched.domain import keys
from sshsched.domain.model import Run
from sshsched.domain.view import Answer, Never, Ready, View, Wait
from sshsched.kinds.conditions.base import Condition
from sshsched.kinds.conditions.probes import Host, host_of, problem


class Const(Condition, frozen=True, kw_only=True):
    """Always the same answer: for tests."""

    value: Annotated[bool | Literal["never"], Meta(description="true, false or never")] = True

    def ask(self, run: Run, view: View, at: float) -> Answer:
        if self.value == "never":
            return Never("its condition is `const: never`")
        return Ready() if self.value else Wait("what never comes: its condition is `const: false`")


class Manual(Condition, frozen=True, kw_only=True):
    """Somebody has to let it go: `sshsched start RUN`, and nothing else, releases it."""

    message: Annotated[str, Meta(description="what whoever approves it should know")] = ""

    def ask(self, run: Run, view: View, at: float) -> Answer:
        told = f" ({self.message})" if self.message else ""
        return Wait(f"somebody's approval{told}; `sshsched start {run.name}` gives it")


class HostUp(Condition, frozen=True, kw_only=True):
    """A host can be reached. Whoever waits for it has it connected."""

    host: Host = ""

    def ask(self, run: Run, view: View, at: float) -> Answer:
        host = host_of(self.host, run)
        if (known := view.hosts.get(host)) is not None and known.up:
            return Ready()
        return Wait(f"{host} to be reachable{problem(host, view)}", (keys.host(host),))
