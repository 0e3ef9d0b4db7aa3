"""Programs and plans with their templates filled in.

Rule: pure; `fill(where, text)` does the work and may raise, and `where` names the place to people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sshsched.domain.plan import Plan
from sshsched.domain.program import Program

Fill = Callable[[str, str], str]


def filled_program(program: Program, fill: Fill) -> Program:
    """All texts of a program that may hold templates."""

    def maybe(where: str, text: str | None) -> str | None:
        return None if text is None else fill(where, text)

    return replace(
        program,
        command=maybe("command", program.command),
        argv=tuple(fill(f"argv[{index}]", word) for index, word in enumerate(program.argv)),
        env={name: fill(f"env.{name}", text) for name, text in program.env.items()},
        cwd=maybe("cwd", program.cwd),
        stdin=maybe("stdin", program.stdin),
        user=maybe("user", program.user),
    )


def filled_plan(plan: Plan, fill: Fill) -> Plan:
    """The conditions of a plan; what its actions say is filled in when they have something to tell."""
    if not plan.conditions:
        return plan
    rules = tuple(
        replace(rule, options=_filled(f"condition[{index}]", rule.options, fill))
        for index, rule in enumerate(plan.conditions)
    )
    return replace(plan, conditions=rules)


def _filled(where: str, part: Any, fill: Fill) -> Any:
    if isinstance(part, str):
        return fill(where, part)
    if isinstance(part, Mapping):
        return {name: _filled(f"{where}.{name}", each, fill) for name, each in part.items()}
    if isinstance(part, Sequence):
        return type(part)(_filled(f"{where}[{index}]", each, fill) for index, each in enumerate(part))  # type: ignore[call-arg]
    return part
