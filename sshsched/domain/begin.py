"""The runs that a step of a workflow becomes when it begins: one, one for each item, or the next round of a loop.

Rule: pure. A step whose texts cannot be filled in is made all the same, and has ended as an error that says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sshsched.domain.draft import Draft, draft_flaws
from sshsched.domain.fan import all_hosts
from sshsched.domain.filling import filled_program
from sshsched.domain.graph import Graph
from sshsched.domain.handing import items_of, values_for, with_variables
from sshsched.domain.instructions import Make, Over
from sshsched.domain.model import Reason, Run
from sshsched.domain.plan import NO_PLAN, Plan, Step
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.domain.steps import Steps
from sshsched.domain.view import View


class Beginning:
    """Makes the runs of the steps of one root."""

    def __init__(self, view: View, root: Run, graph: Graph, steps: Steps, at: float) -> None:
        self._at = at
        self._rules = view.rules
        self._groups = view.groups
        self._root = root
        self._graph = graph
        self._steps = steps

    def step(self, step: Step) -> Iterator[Make]:
        """The first run of a step, or all if it is repeated for each of several items."""
        try:
            values = self._values(step)
            if step.until:
                yield Make(self._draft(step, f"{step.name}#1", values | {"round": 1}))
            elif step.foreach:
                yield from self._each(step, values)
            else:
                yield from self._on_all(step, self._draft(step, step.name, values))
        except ValueError as error:
            yield over(self._root, step.name, State.ERROR, Reason.CONFIG, str(error))

    def next_round(self, step: Step, number: int) -> Iterator[Make]:
        """What follows the end of a round: nothing if that was the last, another, or an error after too many."""
        try:
            values = self._values(step)
            if _true(self._rules.fill(step.until, values | {"round": number})):
                return
            if number < step.most:
                values |= {"round": number + 1}
                not_before = self._at + step.pause if step.pause else None
                yield Make(self._draft(step, f"{step.name}#{number + 1}", values), not_before)
                return
            why = f"after {number} rounds `until` is still not true"
            yield over(self._root, step.name, State.ERROR, Reason.CONDITION, why)
        except ValueError as error:
            yield over(self._root, step.name, State.ERROR, Reason.CONFIG, f"until: {error}")

    def _values(self, step: Step) -> dict[str, Any]:
        return with_variables(values_for(self._root, self._graph, self._steps), step, self._rules.fill)

    def _each(self, step: Step, values: dict[str, Any]) -> Iterator[Make]:
        makes = [
            Make(self._draft(step, f"{step.name}[{name}]", values | {"item": item}))
            for name, item in items_of(self._rules.fill(step.foreach, values))
        ]
        none = "`foreach` gives no items"
        yield from makes or [over(self._root, step.name, State.SKIPPED, Reason.NOT_NEEDED, none)]

    def _on_all(self, step: Step, draft: Draft) -> Iterator[Make]:
        """A step on all hosts of a group is repeated for each of them."""
        hosts, _ = all_hosts(draft.host, draft.plan, self._groups)
        yield from [Make(replace(draft, host=host, step=f"{step.name}[{host}]")) for host in hosts] or [Make(draft)]

    def _draft(self, step: Step, name: str, values: Mapping[str, Any]) -> Draft:
        root = self._root
        args: Mapping[str, str] = {**root.args, "item": values["item"]} if step.foreach else root.args
        if step.job:
            args = {arg: self._fill(f"args.{arg}", text, values) for arg, text in step.args.items()}
            values = {"job_id": step.job, **args}

        def fill(where: str, text: str) -> str:
            return text if step.bound else self._fill(where, text, values)

        draft = Draft(
            fill("host", step.host),
            filled_program(step.program, fill),
            job_id=step.job or None,
            args=args,
            labels=root.labels,
            by=root.by,
            root=root.id,
            step=name,
            plan=self._plan(step, fill),
            start_within=root.start_within,
        )
        if flaws := "; ".join(f"{path}: {message}" for path, message in draft_flaws(draft)):
            raise ValueError(flaws)
        return draft

    def _plan(self, step: Step, fill: Callable[[str, str], str]) -> Plan:
        if step.plan is None or step.bound:
            return step.plan or NO_PLAN
        return self._rules.plan(step.plan, fill)

    def _fill(self, where: str, text: str, values: Mapping[str, Any]) -> str:
        try:
            return self._rules.fill(text, values)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None


def over(root: Run, name: str, state: State, reason: Reason, why: str) -> Make:
    """A step that is over before it began."""
    draft = Draft("", Program(), labels=root.labels, by=root.by, root=root.id, step=name)
    return Make(draft, over=Over(state, reason, why))


def again(run: Run, by: str) -> Make:
    """A step once more, as it was."""
    return Make(
        Draft(
            run.asked,
            run.program,
            job_id=run.job_id,
            args=run.args,
            labels=run.labels,
            by=by,
            rerun_of=run.id,
            root=run.root,
            step=run.step,
            plan=run.plan,
            start_within=run.start_within,
        )
    )


def _true(text: str) -> bool:
    word = text.strip().lower()
    if word not in ("true", "false", ""):
        raise ValueError(f"gives {text.strip()[:60]!r}, which is neither true nor false")
    return word == "true"
