"""Runs in the order in which they get what they wait for: by priority, then by age.

Rule: whoever stands in a line is found, added and taken out without a walk along it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping

from sshsched.domain.model import Run

Rank = tuple[int, float, int]


def is_group(asked: str) -> bool:
    """Whether what was asked for stands for any one of several hosts."""
    return asked.startswith(("@", "tags:"))


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


class Lines(Mapping[str, Line]):
    """Waiting lines by what their runs asked for, and who comes first of all of them. None of them is empty."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}
        self._heads: list[tuple[Rank, str]] = []
        self.groups: dict[str, Line] = {}
        """Those for any one of several hosts."""

    def put(self, run: Run) -> None:
        """A run as it is now; see `Line.put`."""
        line = self._lines.get(run.asked)
        if line is None:
            line = self._lines[run.asked] = Line()
            if is_group(run.asked):
                self.groups[run.asked] = line
        before = line.first
        line.put(run)
        self._mend(run.asked, before, line.first)

    def remove(self, run: Run) -> None:
        """Take a run out, if it is there."""
        line = self._lines.get(run.asked)
        if line is None:
            return
        before = line.first
        line.remove(run.id)
        self._mend(run.asked, before, line.first)
        if not len(line):
            del self._lines[run.asked]
            self.groups.pop(run.asked, None)

    def head(self, after: Rank | None = None) -> Run | None:
        """Who comes first of all; or of those that head their lines, who comes next after this rank."""
        at = 0 if after is None else bisect_right(self._heads, after, key=_rank)
        return self._lines[self._heads[at][1]].first if at < len(self._heads) else None

    def _mend(self, asked: str, before: Run | None, now: Run | None) -> None:
        if before is not None and (now is None or now.id != before.id):
            del self._heads[bisect_left(self._heads, rank(before), key=_rank)]
        if now is not None and (before is None or now.id != before.id):
            insort(self._heads, (rank(now), asked))

    def __getitem__(self, asked: str) -> Line:
        return self._lines[asked]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def _rank(head: tuple[Rank, str]) -> Rank:
    return head[0]
