"""Who needs whom in a workflow: worked out once per workflow, however often its steps are asked for.

Rule: pure. A workflow with a circle, a missing or a repeated step never becomes a run: `circle()` is for its readers.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sshsched.domain.plan import Flow, Step

KEPT = 256
STEP = re.compile(r"[^\s#\[\]][^#\[\]]*(?:\[[^#\[\]]+\])?")
"""build, or test[os=debian]."""


class Graph:
    """The steps by name, and the names of the steps that need each."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.steps: Mapping[str, Step] = {step.name: step for step in flow.steps}
        dependents: dict[str, list[str]] = {name: [] for name in self.steps}
        for step in flow.steps:
            for need in step.needs:
                dependents[need].append(step.name)
        self.dependents: Mapping[str, Sequence[str]] = dependents
        variants: dict[str, list[str]] = {}
        for name in self.steps:
            if "[" in name:
                variants.setdefault(name.partition("[")[0], []).append(name)
        self.variants: Mapping[str, Sequence[str]] = variants
        """The steps that a matrix made of one, by the name of that."""

    def owner(self, place: str) -> Step | None:
        """The step that a place belongs to: test for test[a], itself for itself."""
        step = self.steps.get(place)
        if step is None and place.endswith("]"):
            step = self.steps.get(place[: place.rindex("[")])
        return step


def graph_of(flow: Flow) -> Graph:
    """The graph of a workflow: the very same object each time, as long as it is among the last ones asked for."""
    graph = _known.get(id(flow))
    if graph is None or graph.flow is not flow:
        graph = _known[id(flow)] = Graph(flow)  # which holds the flow, so nobody else can get its id
        if len(_known) > KEPT:
            _known.popitem(last=False)
    else:
        _known.move_to_end(id(flow))
    return graph


_known: OrderedDict[int, Graph] = OrderedDict()


def circle(needs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The names of a circle, the first one again at its end; empty if there is none. Unknown names are passed over."""
    done: set[str] = set()
    for first in needs:
        path: list[str] = []
        on_path: set[str] = set()
        ways = [iter((first,))]
        while ways:
            name = next(ways[-1], None)
            if name is None:
                ways.pop()
                if path:
                    on_path.discard(gone := path.pop())
                    done.add(gone)
            elif name in on_path:
                return (*path[path.index(name) :], name)
            elif name in needs and name not in done:
                path.append(name)
                on_path.add(name)
                ways.append(iter(tuple(needs[name])))
    return ()


def flow_flaws(flow: Flow, at: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a workflow that did not come from a job file; `at` goes before each path."""
    names = [step.name for step in flow.steps]
    if not names or len(set(names)) < len(names):
        yield f"{at}.steps", "no two steps may have the same name, and there must be one"
    for index, step in enumerate(flow.steps):
        where = f"{at}.steps[{index}]"
        if not STEP.fullmatch(step.name):
            yield f"{where}.name", f"{step.name!r} is no name of a step; [...] may only stand at its end, and # nowhere"
        if step.max_parallel is not None and step.max_parallel < 1:
            yield f"{where}.max_parallel", "is below 1"
        if missing := [need for need in step.needs if need not in names]:
            yield f"{where}.needs", f"there is no step {missing[0]!r}"
        if step.plan is not None and step.plan.flow is not None:
            yield f"{where}.plan", "a step cannot be a workflow itself"
        for name, how in step.outputs.items():
            try:
                re.compile(how)
            except re.error as error:
                yield f"{where}.outputs.{name}", f"{how!r} is no regular expression: {error}"
    if flow.max_parallel is not None and flow.max_parallel < 1:
        yield f"{at}.max_parallel", "is below 1"
    if found := circle({step.name: step.needs for step in flow.steps}):
        yield f"{at}.steps", f"the steps wait for each other in a circle: {' -> '.join(found)}"


def layers(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The names, each one layer below the lowest of its needs. The needs must hold no circle."""
    depth: dict[str, int] = {}
    todo = list(needs)[::-1]
    while todo:
        name = todo[-1]
        missing = [need for need in needs[name] if need not in depth and need in needs]
        if name in depth or not missing:
            todo.pop()
            depth.setdefault(name, 1 + max((depth[need] for need in needs[name] if need in needs), default=-1))
        else:
            todo.extend(missing)
    found: list[list[str]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for name in needs:
        found[depth[name]].append(name)
    return found
