"""A workflow that has ended is taken up by another one: what had succeeded is taken over, the rest runs.

Rule: pure. A step is taken over if it and all that it needs have succeeded. Where a step was repeated and some of it
has not, all of that is taken over as it is, and what failed runs again as soon as the new workflow begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from sshsched.domain.begin import again
from sshsched.domain.graph import graph_of, layers
from sshsched.domain.handing import waits_for_outputs
from sshsched.domain.instructions import Make, Over
from sshsched.domain.model import Reason, Run
from sshsched.domain.plan import Flow
from sshsched.domain.states import State
from sshsched.domain.steps import Steps


def taken(flow: Flow, runs: Iterable[Run]) -> tuple[Run, ...]:
    """Which of the runs of a workflow's steps the next one takes over; the oldest first, as it is given them."""
    steps, graph = Steps(), graph_of(flow)
    for run in runs:
        steps.put(run)
    found: list[Run] = []
    done: set[str] = set()
    for name in chain(*layers({step.name: step.needs for step in flow.steps})):
        step, each = graph.steps[name], steps.runs(name)
        good = [run for run in each if run.state is State.SUCCESS and not waits_for_outputs(step, run)]
        if good and done.issuperset(step.needs):
            found += each
            if len(good) == len(each):
                done.add(name)
    return tuple(sorted(found, key=lambda run: run.id))


def take_over(root: Run, runs: Iterable[Run]) -> Iterator[Make]:
    """These runs as steps of a new workflow: they end there as they did."""
    for run in runs:
        draft = replace(again(run, root.by).draft, root=root.id)
        yield Make(draft, over=Over(run.state, Reason.TAKEN_OVER, f"taken over from {run.name}", run))
