"""The plan of a run as clients send it: data, as strict as all else that they may send.

Rule: nothing in it is a template any more, but for the texts of actions and steps; its conditions and actions must be
of kinds that are installed here. Its numbers and words are looked at with the rest of the draft (`domain/sound.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from sshsched.domain.nearest import unknown
from sshsched.domain.plan import Plan
from sshsched.errors import UsageError
from sshsched.kinds.plans import deed_flaw, rule_flaw


def plan_of(value: Mapping[str, Any], at: str = "plan") -> Plan:
    """The plan that a JSON object describes. Raises UsageError with all that is wrong."""
    wrong = [f"{at}{path}: {message}" for path, message in _unknown(value, Plan)]
    try:
        plan = msgspec.convert(dict(value), Plan)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise UsageError("; ".join([*wrong, f"{at}{path.rstrip('`')}: {message}"])) from None
    wrong += [f"{path}: {message}" for path, message in _kinds(plan, at)]
    if wrong:
        raise UsageError("; ".join(wrong))
    return plan


def _kinds(plan: Plan, at: str, *, unbound: bool = False) -> Iterator[tuple[str, str]]:
    """What the kinds have to say. The texts of a step are filled in later, and looked at then."""
    for index, rule in enumerate(() if unbound else plan.conditions):
        if flaw := rule_flaw(rule):
            yield f"{at}.conditions[{index}]", flaw
    for index, deed in enumerate(plan.actions):
        if flaw := deed_flaw(deed):
            yield f"{at}.actions[{index}]", flaw
    for index, step in enumerate(plan.flow.steps if plan.flow else ()):
        if step.plan is not None and step.bound:  # else its options may still be templates
            yield from _kinds(step.plan, f"{at}.flow.steps[{index}].plan", unbound=True)


def _unknown(value: Any, kind: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Keys that nothing reads: msgspec would pass them over in a dataclass."""
    if is_dataclass(kind) and isinstance(value, Mapping):
        hints = _hints(kind)
        for name, each in value.items():
            if name not in hints:
                yield path, unknown(name, hints)
            else:
                yield from _unknown(each, hints[name], f"{path}.{name}")
    elif get_origin(kind) in (Union, UnionType):
        for option in get_args(kind):
            if is_dataclass(option):
                yield from _unknown(value, option, path)
    elif get_origin(kind) is tuple and isinstance(value, Sequence) and is_dataclass(get_args(kind)[0]):
        for index, each in enumerate(value):
            yield from _unknown(each, get_args(kind)[0], f"{path}[{index}]")


def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}
