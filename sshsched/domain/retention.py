"""How long runs are kept: the limits that people set, and what may go at all.

Rule: pure. A limit picks runs, and `removable()` has the last word on each: what may still need a run says so there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sshsched.domain.model import Run

RECENT: Final = 3600.0
"""Seconds for which a run that has ended stays, whatever the limits: somebody may be about to look at it."""


class Then(StrEnum):
    """What becomes of a run that is beyond a limit."""

    ARCHIVE = "archive"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Retention:
    """A run goes once it is beyond any of these; None is no limit.

    `age` is in seconds since its end, `count` is how many of the newest runs stay, `size` is how many bytes of output
    the newest runs that stay may have printed together.
    """

    age: float | None = None
    count: int | None = None
    size: int | None = None
    then: Then = Then.ARCHIVE

    def __str__(self) -> str:
        """at most 90 d, 1000 runs; then archive"""
        age = "" if self.age is None else f"{self.age / 86400:g} d"
        count = "" if self.count is None else f"{self.count} runs"
        size = "" if self.size is None else f"{self.size / 1e6:g} MB"
        return f"at most {', '.join(filter(None, (age, count, size)))}; then {self.then}"

    @property
    def unlimited(self) -> bool:
        return self.age is None and self.count is None and self.size is None


def ended_at(run: Run) -> float:
    """When it ended, in seconds since 1970."""
    return run.created_at if run.finished_at is None else run.finished_at


def removable(run: Run, now: float, policy: Retention) -> bool:
    """Whether a run that is beyond a limit of this policy may leave the store now.

    Not while anything is left to do for it, and not before it has been over for a while. That the last run of each job
    and its last success stay is seen to by the query that picks runs.
    """
    return run.settled and now - ended_at(run) >= RECENT
