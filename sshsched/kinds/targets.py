"""Which other jobs a condition waits for or asks the past of, and of which an action makes runs.

Rule: what is wrong with a kind is said elsewhere; here it has no targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sshsched.domain.plan import Deed, Rule
from sshsched.kinds.rules import action, condition

Target = tuple[str, Mapping[str, str]]
"""A job, and what the args of its run must be, or are."""

ALTERNATIVES: Final = ("any", "n_of")


def depends(rule: Rule, args: Mapping[str, str]) -> list[Target]:
    """What a condition of a run with these args waits for."""
    try:
        return list(condition(rule).targets(args))
    except Exception:  # kinds are of others' making, too
        return []


def remembers(rule: Rule) -> list[tuple[str, float]]:
    """The jobs whose past a condition asks for, and how many seconds back; their names may be templates."""
    options = {name: value for name, value in rule.options.items() if name != "enabled"}
    try:
        return list(condition(replace(rule, options=options)).remembers())
    except Exception:  # kinds are of others' making, too
        return []


def follows(deed: Deed) -> list[Target]:
    """What an action makes runs of."""
    try:
        return list(action(deed).targets())
    except Exception:
        return []


def is_alternative(rule: Rule) -> bool:
    """Whether others may do instead of one of its targets."""
    return rule.kind in ALTERNATIVES
