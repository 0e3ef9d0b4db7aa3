"""What a plan becomes once the args of its run are known.

Rule: conditions and locks are filled in and looked at now, so that what is wrong is an error of this run before it
waits. Actions stay as they are: their texts tell of what has not happened yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from sshsched.domain.plan import Deed, Plan, Rule
from sshsched.kinds.registry import Family, find

Fill = Callable[[str, str], str]
"""Fills in a text; the first argument says where it stands."""

NO: Final = frozenset({"", "0", "false", "no", "off", "none"})
"""What an `enabled` that was a template means by no, in small or capital letters."""


def bind_plan(plan: Plan, fill: Fill) -> Plan:
    """The plan of a run. Raises ValueError with the condition that is wrong, and whatever `fill` does."""
    locks: dict[str, int] = {}
    for name, count in plan.locks.items():
        filled = fill("locks", name)
        locks[filled] = locks.get(filled, 0) + count
    return replace(plan, conditions=tuple(_conditions(plan.conditions, fill)), locks=locks)


def _conditions(rules: tuple[Rule, ...], fill: Fill) -> Iterator[Rule]:
    for index, rule in enumerate(rules):
        where = f"condition[{index}]"
        options = {name: fill_all(f"{where}.{name}", value, fill) for name, value in rule.options.items()}
        if options.pop("enabled", "true").strip().lower() in NO:
            continue
        bound = replace(rule, options=options)
        if flaw := rule_flaw(bound):
            raise ValueError(f"{where}: {flaw}")
        yield bound


def fill_all(where: str, value: Any, fill: Fill) -> Any:
    """A value with all texts in it filled in."""
    if isinstance(value, str):
        return fill(where, value)
    if isinstance(value, dict):
        return {name: fill_all(f"{where}.{name}", each, fill) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [fill_all(f"{where}[{index}]", each, fill) for index, each in enumerate(value)]
    return value


def rule_flaw(rule: Rule) -> str:
    """What is wrong with a condition whose texts are filled in; empty if nothing is."""
    return _flaw("condition", rule.kind, rule.options)


def deed_flaw(deed: Deed) -> str:
    """What is wrong with an action; empty if nothing is."""
    return _flaw("action", deed.kind, deed.options)


def _flaw(family: Family, kind: str, options: Mapping[str, Any]) -> str:
    from sshsched.kinds.written import make  # only runs that have conditions pay for it

    try:
        make(find(family, kind), options)
    except ValueError as error:
        return f"{kind}: {error}"
    return ""
