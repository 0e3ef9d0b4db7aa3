"""Tides: runs that wait for high water, are due at it, row there, and ring a bell in the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from sshsched.domain.draft import Draft
from sshsched.domain.instructions import Make
from sshsched.domain.model import Run
from sshsched.domain.program import Program
from sshsched.domain.view import Answer, Ready, View, Wait
from sshsched.kinds.actions.base import Action
from sshsched.kinds.conditions.base import Condition
from sshsched.kinds.programs.base import ProgramKind
from sshsched.kinds.schedules.base import Schedule, Target
from sshsched.kinds.written import Seconds

TIDE = 44_712.0  # seconds from one high water to the next
PORTS = {"Cuxhaven": 0.0, "Husum": 5400.0}


def next_high_water(port: str, at: float) -> float:
    phase = PORTS[port]
    return at - (at - phase) % TIDE + TIDE


class Tide(Condition, frozen=True, kw_only=True):
    """The water is high, or about to be."""

    port: Annotated[str, Meta(description="the port whose tide counts")]
    margin: Annotated[Seconds, Meta(description="how long before high water")] = 600.0

    def __post_init__(self) -> None:
        if not self.port:
            raise ValueError("port: it is empty; write one, like Cuxhaven")

    def ask(self, run: Run, view: View, at: float) -> Answer:
        opens = next_high_water(self.port, at) - self.margin
        return Ready() if opens <= at else Wait(f"high water in {self.port}", until=opens)


class Bell(Action, frozen=True, kw_only=True):
    """A run that rings a bell."""

    host: Annotated[str, Meta(description="where the bell hangs")] = "local"
    times: Annotated[int, Meta(ge=1, description="how often it is rung")] = 1

    def runs(self, run: Run, occasion: str, view: View, at: float) -> Iterable[Make]:
        if run.job_id == "mute":
            raise RuntimeError("the bell is cracked")
        yield Make(Draft(self.host, Program(argv=("echo", "dong", str(self.times), run.name)), by=run.name))


@dataclass(frozen=True)
class Tides(Schedule):
    """At each high water."""

    port: str
    tz: str = "UTC"

    def entries(self, instant: float) -> Iterator[Target]:
        while True:
            instant = next_high_water(self.port, instant)
            yield Target(instant, instant)


class Row(ProgramKind, frozen=True, kw_only=True):
    """Rows to a port."""

    port: Annotated[str, Meta(description="where to")]
    crew: Annotated[int, Meta(ge=1, description="how many row")] = 2

    def program(self) -> Program:
        return Program(argv=("row", "--crew", str(self.crew), self.port), env={"PORT": self.port})
