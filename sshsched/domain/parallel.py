"""How many steps of a workflow run at once: locks of its own, which its steps are given when they are made.

Rule: pure. However a step is made, also as another attempt or out of another workflow, it has the locks of its root.
"""

from __future__ import annotations

from dataclasses import replace

from sshsched.domain.graph import graph_of
from sshsched.domain.model import Run
from sshsched.domain.steps import place_of


def limited(run: Run, root: Run) -> Run:
    """A step that takes its place among those of its workflow, where there are not enough for all."""
    flow, rooms = root.plan.flow, dict[str, int]()
    step = None if flow is None else graph_of(flow).owner(place_of(run.step))
    if flow is not None and flow.max_parallel is not None:
        rooms[f"steps of {root.name}"] = flow.max_parallel
    if step is not None and step.max_parallel is not None:
        rooms[f"{step.name.partition('[')[0]} of {root.name}"] = step.max_parallel
    if rooms == run.plan.rooms:
        return run
    locks = {name: count for name, count in run.plan.locks.items() if name not in run.plan.rooms}
    return replace(run, plan=replace(run.plan, locks={**locks, **dict.fromkeys(rooms, 1)}, rooms=rooms))
