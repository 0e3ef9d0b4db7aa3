"""A workflow as it stands: its steps in order, each with the run that counts for it. For lists, drawings and the API.

Rule: pure, out of the flow and its runs alone; a step that has not begun is there all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sshsched.domain.model import Run
from sshsched.domain.plan import Flow, Step
from sshsched.domain.steps import Steps


@dataclass(frozen=True, slots=True)
class Place:
    """One step, or one item of a step that was repeated for each. `run` is the newest, if it has begun."""

    name: str
    needs: tuple[str, ...]
    when: str
    run: Run | None = None

    @property
    def state(self) -> str:
        """Its run's, or empty."""
        return "" if self.run is None else str(self.run.state)


def outline(flow: Flow, runs: Iterable[Run] = ()) -> list[Place]:
    """The places of a workflow, in the order of its file; what a need was repeated for takes its place there."""
    steps = Steps()
    for run in runs:
        steps.put(run)
    names = {step.name: _names(step, steps) for step in flow.steps}
    return [
        Place(name, tuple(each for need in step.needs for each in names[need]), step.when, steps.newest(name))
        for step in flow.steps
        for name in names[step.name]
    ]


def _names(step: Step, steps: Steps) -> list[str]:
    return list(steps.each(step.name)) or [step.name]


def steps_shape(flow: Flow, runs: Iterable[Run]) -> list[dict[str, Any]]:
    """The steps of a root, as scripts see them; `run` of null has not begun."""
    return [
        {
            "step": place.name,
            "needs": list(place.needs),
            "when": place.when,
            "run": place.run and place.run.name,
            "state": place.state or None,
            "host": (place.run and place.run.host) or None,
            "message": "" if place.run is None else place.run.message,
        }
        for place in outline(flow, runs)
    ]
