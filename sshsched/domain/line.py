"""Runs in the order in which they get what they wait for: by priority, then by age.

Rule: whoever stands in a line is found, added and taken out without a walk along it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from sshsched.domain.model import Run

Rank = tuple[int, float, int]


def rank(run: Run) -> Rank:
    """What comes first has the lower one."""
    return (-run.plan.priority, run.due_at, run.id)


class Line:
    """A waiting line."""

    def __init__(self) -> None:
        self._ranks: list[Rank] = []
        self._places: dict[int, Rank] = {}
        self._runs: dict[int, Run] = {}

    def put(self, run: Run) -> None:
        """A run as it is now, at the place that it has had since it came."""
        if run.id not in self._runs:
            self._places[run.id] = rank(run)
            insort(self._ranks, self._places[run.id])
        self._runs[run.id] = run

    def remove(self, run_id: int) -> None:
        """Take a run out, if it is there."""
        if self._runs.pop(run_id, None) is not None:
            del self._ranks[bisect_left(self._ranks, self._places.pop(run_id))]

    @property
    def first(self) -> Run | None:
        """Whose turn is next."""
        return self._runs[self._ranks[0][2]] if self._ranks else None

    def __iter__(self) -> Iterator[Run]:
        return (self._runs[number] for _, _, number in self._ranks)

    def __len__(self) -> int:
        return len(self._ranks)

    def __contains__(self, run_id: int) -> bool:
        return run_id in self._runs
