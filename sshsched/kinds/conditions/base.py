"""What every condition is: frozen data that says, at any instant, whether a run may start.

Rule: pure. `ask` looks at the run and the view only, costs what it touches, and answers in words that continue the
sentence "waits for ...". A field without a default must be given; its `description` is what job files tell of it.

::

    class Tide(Condition):
        port: Annotated[str, Meta(description="the port whose tide counts")]
        margin: Annotated[Seconds, Meta(description="how long before high water")] = 600.0

        def ask(self, run: Run, view: View, at: float) -> Answer:
            high = next_high_water(self.port, at)
            return Ready() if high - at <= self.margin else Wait(f"high water in {self.port}", until=high - self.margin)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from sshsched.domain.model import Run
from sshsched.domain.view import Answer, View


class Condition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of condition. What its constructor raises (ValueError) is what is wrong with its options."""

    def ask(self, run: Run, view: View, at: float) -> Answer:
        """Whether it holds at this instant, in seconds since 1970."""
        raise NotImplementedError

    def targets(self, run_args: Mapping[str, str]) -> Iterable[tuple[str, Mapping[str, str]]]:
        """The jobs that it waits for, each with the args that their runs must have: for `check`."""
        return ()

    def remembers(self) -> Iterable[tuple[str, float]]:
        """The jobs whose past it asks for, and how many seconds before the run's scheduled time: retention keeps it."""
        return ()
