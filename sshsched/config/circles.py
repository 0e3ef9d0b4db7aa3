"""Jobs that wait for each other in a circle, so that none of them could ever start.

Rule: jobs depend on each other run by run, so a circle is one only if it comes back to a run of the same args:
yesterday's run may be waited for. Arguments that nobody gives may be any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Final, NamedTuple

from sshsched.domain.plan import Plan
from sshsched.errors import UsageError
from sshsched.kinds.jobs import Job, Render, bind
from sshsched.kinds.targets import depends, is_alternative

DEEPER: Final = 100
"""So many runs further than there are jobs is a circle followed before it is believed to have an end."""

Args = Mapping[str, str]


class _Node(NamedTuple):
    """A run that is waited for; args that are not here may be any."""

    job: str
    args: tuple[tuple[str, str], ...]


class Circles:
    """`add()` runs, then ask for what was `found()`."""

    def __init__(self, jobs: Mapping[str, Job], render: Render) -> None:
        self._jobs = jobs
        self._render = render
        self._starts: dict[_Node, tuple[list[_Node], float]] = {}
        self._graph: dict[str, set[str]] = {}

    def add(self, job: Job, args: Args, plan: Plan, at: float) -> None:
        """A run with these args and this plan, due at an instant."""
        targets = list(self._targets(job, args, plan))
        if targets:
            self._starts[_node(job.id, args)] = targets, at
            self._graph.setdefault(job.id, set()).update(each.job for each in targets if each.job != job.id)

    def found(self) -> list[tuple[str, ...]]:
        """The ids of the jobs of each circle, in the order of waiting, the first by name first."""
        suspects = self._suspects()
        circles: dict[tuple[str, ...], None] = {}
        followed: set[_Node] = set()
        for start, (targets, at) in self._starts.items():
            if start.job in suspects and start not in followed:
                for circle in self._follow(start, targets, at, suspects, followed):
                    first = circle.index(min(circle))
                    circles[(*circle[first:], *circle[:first])] = None
        return list(circles)

    def _suspects(self) -> set[str]:
        """All jobs but those from which every way comes to an end."""
        sorter = TopologicalSorter(self._graph)
        try:
            sorter.prepare()
            return set()
        except CycleError:
            pass  # all that is in no circle, and leads to none, still comes out
        left = {*self._graph, *(job for jobs in self._graph.values() for job in jobs)}
        while ready := sorter.get_ready():
            sorter.done(*ready)
            left -= set(ready)
        return left

    def _follow(
        self, start: _Node, targets: list[_Node], at: float, suspects: set[str], followed: set[_Node]
    ) -> Iterator[list[str]]:
        """Depth first, without recursion."""
        path = [start]
        pending = [iter(targets)]
        while pending:
            following = next(pending[-1], None)
            if following is None:
                pending.pop()
                followed.add(path.pop())
            elif (back := _met(following, path)) is not None:
                if len(circle := [node.job for node in path[back:]]) > 1:
                    yield circle
            elif following.job in suspects and following not in followed and len(path) < len(suspects) + DEEPER:
                path.append(following)
                pending.append(self._after(following, at))

    def _after(self, node: _Node, at: float) -> Iterator[_Node]:
        job = self._jobs[node.job]
        try:
            bound = bind(job, dict(node.args), self._render, at)
        except UsageError:
            known = self._starts.get(node)
            return iter(known[0] if known else ())
        return self._targets(job, bound.args, bound.plan)

    def _targets(self, job: Job, own: Args, plan: Plan) -> Iterator[_Node]:
        for rule in plan.conditions:
            for name, args in () if is_alternative(rule) else depends(rule, own):
                if (other := self._jobs.get(name)) is not None:
                    shared = {param.name: own[param.name] for param in other.params if param.name in own}
                    yield _node(name, {**shared, **args})


def _node(job: str, args: Args) -> _Node:
    return _Node(job, tuple(sorted(args.items())))


def _met(node: _Node, path: list[_Node]) -> int | None:
    """Where on the path there is a run that this may be."""
    for index, other in enumerate(path):
        if other.job == node.job:
            theirs = dict(other.args)
            if all(theirs.get(name, value) == value for name, value in node.args):
                return index
    return None
