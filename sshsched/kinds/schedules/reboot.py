"""@reboot: when the scheduler comes up after its machine has booted.

Rule: it has no times of its own, so it gives none; whoever starts a scheduler asks `started`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sshsched.kinds.schedules.base import Schedule, Target, local_args
from sshsched.kinds.zones import zone


@dataclass(frozen=True)
class Reboot(Schedule):
    """One run at the scheduler's first start after each boot of the scheduler's own machine, as cron has it.

    A scheduler that starts again in the same boot runs nothing, and neither does the reboot of a host that jobs run on.
    """

    tz: str = "UTC"

    def __post_init__(self) -> None:
        zone(self.tz)

    def __str__(self) -> str:
        return "@reboot"

    def entries(self, instant: float) -> Iterator[Target]:
        return iter(())

    def started(self, now: float) -> Target:
        """The run that is due when a scheduler starts at this instant, the first time in this boot of its machine."""
        return Target(now, now, local_args(now, self.tz))

    @property
    def dst(self) -> str:
        return "no times of its own"
