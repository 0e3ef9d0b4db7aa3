"""`steps:` of a job: a workflow, out of steps that are read one by one and then held against each other.

Rule: a matrix is multiplied out here, so that what runs is known before it begins; only what depends on outputs
(`foreach`, loops, templates) waits until then. Everything wrong is noted at its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sshsched.config.decisions import check_decisions, take_plan
from sshsched.config.matrix import names as matrix_names
from sshsched.config.nodes import Entry, Listing, Mapping, Node, Problems, Text, UnreadableError, shown
from sshsched.config.params import names_in
from sshsched.config.programs import check_program, make_program, spread
from sshsched.config.reading import Schema, Take, present, read_value, reader
from sshsched.config.step_checks import check_needs, check_texts
from sshsched.config.step_keys import (
    ARGS,
    COMMON,
    FOREACH,
    HOST,
    IF,
    JOB,
    JOB_STEP,
    LOOP,
    MATRIX,
    NEEDS,
    OUTPUTS,
    STEP,
    STEP_NAME,
    STRATEGY,
    WHEN,
    named_in,
    renamed,
    step_schema,
)  # fmt: skip
from sshsched.config.workflow import FINISH_WITHIN, MAX_FAIL, MAX_PARALLEL, MOST_STEPS, ON_FAILURE, VARIABLES, inherited
from sshsched.domain.line import is_group
from sshsched.domain.plan import NO_PLAN, Flow, Step
from sshsched.domain.program import Program

if TYPE_CHECKING:
    from sshsched.config.surroundings import Surroundings


@dataclass(frozen=True)
class Written:
    """A step as it stands in the file: before its matrix is multiplied out."""

    name: Text
    node: Mapping
    """Its entries, those that it takes over among them."""
    step: Step
    items: tuple[dict[str, str], ...]
    needs: tuple[Text, ...]

    def names(self) -> list[str]:
        return matrix_names(self.step.name, self.items) if self.items else [self.step.name]


def read_flow(node: Mapping, problems: Problems, around: Surroundings) -> tuple[Flow, dict[str, int]]:
    """The workflow of a job, and the lines of its steps. Notes problems; its answer counts if there are none."""
    before = len(problems.found)
    outer = _value(node, VARIABLES, problems) or {}
    written = [step for name, value in _named(node.entries["steps"].value, problems)
               if (step := _read(name, value, node, outer, problems, around))]  # fmt: skip
    if len(problems.found) > before:
        return Flow(()), {}
    known = {step.name.text: step.names() for step in written}
    known |= {name: [name] for names in known.values() for name in names}
    if check_needs({step.name.text: step.needs for step in written}, known, problems):
        params = node.entries.get("params")
        check_texts(written, names_in(params.value) if params else [], problems)
    if sum(len(step.names()) for step in written) > MOST_STEPS:
        problems.add(node.entries["steps"].key, f"makes more than {MOST_STEPS} steps")
    if len(problems.found) > before:
        return Flow(()), {}
    steps = tuple(each for step in written for each in _multiplied(step, known))
    on_failure: Any = _value(node, ON_FAILURE, problems) or "hold"
    places = {f"steps.{step.name.text}": step.name.line for step in written}
    limits = (_value(node, key, problems) for key in (MAX_FAIL, FINISH_WITHIN, MAX_PARALLEL))
    return Flow(steps, on_failure, *limits), places


def steps_schema() -> Schema:
    """The JSON Schema of `steps`."""
    names = {"pattern": f"^{STEP_NAME}$"}
    step = {"anyOf": [{"type": "string"}, *step_schema(named=False)["anyOf"]]}
    mapping = {"type": "object", "propertyNames": names, "additionalProperties": step, "minProperties": 1}
    return {"anyOf": [mapping, {"type": "array", "items": step_schema(named=True), "minItems": 1}]}


def _value(node: Mapping, key: Any, problems: Problems) -> Any:
    entry = node.entries.get(key.name)
    try:
        return key.default if entry is None else read_value(entry.value, key.kind, problems)
    except UnreadableError:
        return None


def _named(node: Node, problems: Problems) -> Iterator[tuple[Text, Node]]:
    """The names of steps and what stands under them."""
    if isinstance(node, Mapping) and node.entries:
        yield from ((entry.key, entry.value) for entry in node.entries.values())
    elif isinstance(node, Listing) and node.items:
        seen: dict[str, Text] = {}
        for item in node.items:
            name = item.entries.get("name") if isinstance(item, Mapping) else None
            if name is None or not isinstance(item, Mapping) or not isinstance(name.value, Text):
                problems.add(item, "a step in a list needs a name: `- {name: build, run: make}`")
            elif (first := seen.setdefault(name.value.text, name.value)) is not name.value:
                problems.add(name.value, f"{shown(first.text)} is also the step in line {first.line}; rename one")
            else:
                rest = {word: entry for word, entry in item.entries.items() if word != "name"}
                yield name.value, Mapping(item.line, item.column, item.path, rest)
    else:
        problems.add(node, "has no steps in it; write `steps: {build: make, test: {needs: build, run: make test}}`")


def _read(
    name: Text, node: Node, job: Mapping, outer: dict[str, str], problems: Problems, around: Surroundings
) -> Written | None:
    before = len(problems.found)
    try:
        if not re.fullmatch(STEP_NAME, name.text):
            raise problems.refuse(name, f"{shown(name.text)} is no name of a step; use letters, digits and _ . + -")
        own = _own(present(node, problems), problems)
        step, items = _job_step(name.text, own, problems) if "job" in own.entries else (
            _program_step(name.text, own, job, problems, around))  # fmt: skip
    except UnreadableError:
        return None
    if len(problems.found) > before:
        return None
    needs = tuple(named_in(own.entries["needs"].value)) if "needs" in own.entries else ()
    return Written(name, own, replace(step, variables={**outer, **step.variables}), items, needs)


def _own(node: Node, problems: Problems) -> Mapping:
    if isinstance(node, Text):
        key = Text(node.line, node.column, f"{node.path}.command", "command", plain=True)
        return Mapping(node.line, node.column, node.path, {"command": Entry(key, node)})
    if isinstance(node, Mapping):
        return renamed(node)
    raise problems.refuse(node, f"{node.what} stands where a step should be: a command, or `key: value` pairs")


def _program_step(
    name: str, own: Mapping, job: Mapping, problems: Problems, around: Surroundings
) -> tuple[Step, tuple[dict[str, str], ...]]:
    entries = inherited(spread(own, problems), job.entries)
    check_program(own, entries, problems)
    whole = Mapping(own.line, own.column, own.path, entries)
    check_decisions(whole, problems)
    with reader(whole, STEP, problems) as take:
        program, asked, plan, common = make_program(take), take(HOST), take_plan(take), _common(take)
    if not asked.name:
        raise problems.refuse(own, "no host: write `host: ...` here, or beside 'steps' for all of them")
    found = plan(asked, around.settings, lambda: around.tz)
    made, items = _made(name, asked.name, program, common, whole, problems)
    return replace(made, plan=None if found.plan == NO_PLAN else found.plan), items


def _job_step(name: str, own: Mapping, problems: Problems) -> tuple[Step, tuple[dict[str, str], ...]]:
    with reader(own, JOB_STEP, problems) as take:
        job, args, common = take(JOB), take(ARGS), _common(take)
    made, items = _made(name, "", Program(), common, own, problems)
    return replace(made, job=job, args=args), items


def _common(take: Take) -> dict[str, Any]:
    return {key.name: take(key) for key in COMMON}  # type: ignore[misc]


def _made(
    name: str, host: str, program: Program, common: dict[str, Any], node: Mapping, problems: Problems
) -> tuple[Step, tuple[dict[str, str], ...]]:
    for one, other in (("foreach", "loop"), ("when", "if"), ("matrix", "strategy")):
        if one in node.entries and other in node.entries:
            problems.add(node.entries[other].key, f"stands beside '{one}'; keep one")
    loop, strategy = common[LOOP.name], common[STRATEGY.name]
    items = common[MATRIX.name] or strategy.items
    most = common[MAX_PARALLEL.name] or strategy.most
    if most and not (items or common[FOREACH.name] or is_group(host)):
        place = node.entries[MAX_PARALLEL.name if MAX_PARALLEL.name in node.entries else STRATEGY.name]
        problems.add(place.key, "'max_parallel' means something only beside 'matrix', 'foreach' or a group of hosts")
    step = Step(
        name,
        host,
        program,
        needs=tuple(dict.fromkeys(common[NEEDS.name])),
        when=common[IF.name] or common[WHEN.name],
        variables=common[VARIABLES.name],
        foreach=common[FOREACH.name],
        until=loop.until,
        most=loop.most,
        pause=loop.pause,
        outputs=common[OUTPUTS.name],
        max_parallel=most,
    )
    return step, items


def _multiplied(written: Written, known: dict[str, list[str]]) -> Iterator[Step]:
    step = written.step
    needs = tuple(dict.fromkeys(each for need in step.needs for each in known[need]))
    if not written.items:
        yield replace(step, needs=needs)
        return
    for name, item in zip(written.names(), written.items, strict=True):
        yield replace(step, name=name, needs=needs, variables={**step.variables, **item})
