"""How the last runs of a job went, in numbers. Rule: pure; what is counted is a bounded number of finished runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from sshsched.domain.states import State


@dataclass(frozen=True, slots=True)
class Past:
    """A finished run; `elapsed` (seconds) is None where its program never began."""

    id: int
    state: State
    elapsed: float | None


@dataclass(frozen=True, slots=True)
class JobStats:
    """The last finished runs of a job, oldest first."""

    job: str
    past: Sequence[Past]
    counts: Counter[State] = field(default_factory=Counter)

    @property
    def success_rate(self) -> float | None:
        """Of the runs that were to do something: what was skipped counts neither way."""
        tried = sum(self.counts.values()) - self.counts[State.SKIPPED]
        return self.counts[State.SUCCESS] / tried if tried else None

    def percentile(self, share: float) -> float | None:
        """The duration (seconds) that this share (0 to 1) of the programs did not exceed; the nearest rank."""
        durations = sorted(each.elapsed for each in self.past if each.elapsed is not None)
        return durations[max(0, ceil(share * len(durations)) - 1)] if durations else None


def job_stats(job: str, past: Sequence[Past]) -> JobStats:
    """Of these runs."""
    return JobStats(job, past, Counter(each.state for each in past))
