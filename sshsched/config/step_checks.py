"""Steps held against each other: needs that are not there, circles, and templates that ask for what is not known.

Rule: what can be said before anything runs is said now, at the very text.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sshsched.config.nodes import Problems, Text, shown, texts_in
from sshsched.config.templates import faults, is_template, reached
from sshsched.domain.graph import circle
from sshsched.domain.nearest import suggest

if TYPE_CHECKING:
    from sshsched.config.steps import Written

FILLED: Final = (
    *("host", "command", "argv", "env", "cwd", "stdin", "user", "locks", "concurrency", "condition"),
    *("variables", "foreach", "loop", "args"),
)
"""Keys of a step whose texts are filled in when it begins."""
KNOWN_OF_A_STEP: Final = ("state", "run", "runs", "host", "exit_code", "outputs")
GIVEN: Final = ("steps", "workflow")


def check_needs(needs: Mapping[str, Sequence[Text]], known: Collection[str], problems: Problems) -> bool:
    """Note needs that are not there, and circles; tell whether all is well."""
    before = len(problems.found)
    for name, texts in needs.items():
        for text in texts:
            if text.text == name:
                problems.add(text, f"step {shown(name)} needs itself; take that out")
            elif text.text not in known:
                problems.add(text, f"there is no step {shown(text.text)}{suggest(text.text, list(needs))}")
    if len(problems.found) > before:
        return False
    plain = {name: [base(text.text) for text in texts] for name, texts in needs.items()}
    if found := circle(plain):
        text = next(text for text in needs[found[0]] if base(text.text) == found[1])
        problems.add(text, f"the steps wait for each other in a circle: {' -> '.join(found)}")
    return not found


def base(name: str) -> str:
    """test for test[os=debian]: what it is called in its file."""
    return name.partition("[")[0]


def check_texts(written: Sequence[Written], params: Sequence[str], problems: Problems) -> None:
    """Note templates that use what is not defined, or a step that may not have ended by then."""
    steps = {step.name.text: step for step in written}
    before = _ancestors(steps)
    for name, step in steps.items():
        also = dict.fromkeys((*step.step.variables, *(axis for item in step.items for axis in item), *GIVEN))
        also |= {"item": None} if step.step.foreach else {}
        also |= {"round": None} if step.step.until else {}
        visible = before[name] | ({name} if step.step.until else set())
        for key in FILLED:
            for text in texts_in(step.node.entries[key].value) if key in step.node.entries else ():
                if not is_template(text.text):
                    continue
                for fault in faults(text.text, params, also):
                    problems.add(text, fault)
                for path in reached(text.text, "steps"):
                    if wrong := _wrong(path, name, steps, visible):
                        problems.add(text, wrong)


def _wrong(path: tuple[str, ...], name: str, steps: Mapping[str, Written], visible: Collection[str]) -> str:
    """What is wrong with steps.build.outputs.version; empty if nothing is."""
    other = base(path[0])
    if other not in steps:
        return f"there is no step {shown(path[0])}{suggest(path[0], list(steps))}"
    if other not in visible:
        return f"step {shown(other)} may not have ended by then; add it to the needs of {shown(name)}"
    if len(path) > 1 and path[1] not in KNOWN_OF_A_STEP:
        return f"of a step nothing called {shown(path[1])} is known{suggest(path[1], KNOWN_OF_A_STEP)}"
    if len(path) > 2 and path[1] == "outputs" and path[2] not in steps[other].step.outputs:
        return f"step {shown(other)} hands on nothing called {shown(path[2])}; give it `outputs: {{{path[2]}: ...}}`"
    return ""


def _ancestors(steps: Mapping[str, Written]) -> dict[str, set[str]]:
    """All steps that have ended when a step begins."""
    found: dict[str, set[str]] = {}
    todo = list(steps)
    while todo:
        name = todo[-1]
        needs = {base(text.text) for text in steps[name].needs}
        if missing := [need for need in needs if need not in found]:
            todo += missing
        else:
            todo.pop()
            found[name] = needs.union(*(found[need] for need in needs))
    return found
