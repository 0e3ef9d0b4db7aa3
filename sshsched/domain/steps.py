"""The runs of the steps of one workflow, indexed so that one step's end costs what it touches.

Rule: a place is a step, or one item of a step that is repeated for each (`test[a]`). A loop's rounds (`build#1`,
`build#2`), retries and reruns are runs of one place, of which the newest counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sshsched.domain.model import Run
from sshsched.domain.states import State

FAILED = frozenset({State.FAILURE, State.ERROR})


def place_of(name: str) -> str:
    """build for build#2."""
    return name.partition("#")[0]


def round_of(name: str) -> int:
    """2 for build#2; 0 for a run that is no round of a loop."""
    number = name.partition("#")[2]
    return int(number) if number.isdigit() else 0


class Steps(Mapping[int, Run]):
    """The runs by id, as a plain mapping would hold them; `put` keeps the indexes true."""

    def __init__(self) -> None:
        self._runs: dict[int, Run] = {}
        self._newest: dict[str, Run] = {}
        self._items: dict[str, dict[str, Run]] = {}
        self.live: dict[str, Run] = {}
        """The places whose newest run has not ended."""
        self.failed: dict[str, Run] = {}
        """The places whose newest run ended as failure or error."""

    def __getitem__(self, number: int) -> Run:
        return self._runs[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    @property
    def done(self) -> int:
        """How many places have come to an end."""
        return len(self._newest) - len(self.live)

    @property
    def bases(self) -> Iterable[str]:
        """What stands before the [...] of places."""
        return self._items

    def newest(self, place: str) -> Run | None:
        """The run that counts for a place."""
        return self._newest.get(place)

    def each(self, step: str) -> Mapping[str, Run]:
        """The newest runs of the items for which a step is repeated, by place; those of its present items only."""
        found = self._items.get(step, {})
        if (over := self._newest.get(step)) is None:
            return found
        return {place: run for place, run in found.items() if run.id > over.id}

    def runs(self, step: str) -> list[Run]:
        """The runs that count for a step; none if it has not begun."""
        if each := self.each(step):
            return list(each.values())
        run = self.newest(step)
        return [] if run is None else [run]

    def put(self, run: Run) -> None:
        """A run as it is now."""
        self._runs[run.id] = run
        place = place_of(run.step)
        if (known := self._newest.get(place)) is not None and known.id > run.id:
            return
        self._newest[place] = run
        if place.endswith("]"):
            self._items.setdefault(place[: place.rindex("[")], {})[place] = run
        for index, belongs in ((self.live, not run.finished), (self.failed, run.state in FAILED)):
            if belongs:
                index[place] = run
            else:
                index.pop(place, None)
