"""Everything that can be wrong with a plan, whoever made it, before its kinds are asked.

Rule: as in `draft`: each problem is `(path, message)`, and the path is that of the JSON shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sshsched.domain import secrets
from sshsched.domain.graph import flow_flaws
from sshsched.domain.nearest import unknown
from sshsched.domain.plan import STRATEGIES, Plan, Retry
from sshsched.domain.states import State

LONGEST = 1_000_000_000  # 31 years, in seconds; the sh of a 32-bit host counts no further than 2**31
MOST = 100_000
OUTCOMES = ("failure", "error", "timeout", "signal")
OCCASIONS = (*map(str, State), "retry", "held", "late", "long", "absent")
"""What an action may answer. `absent` is of a job, not of a run: no run of it has succeeded in time."""
LOCK = re.compile(r"[^\s,]+")

Flaw = tuple[str, str]


def plan_flaws(plan: Plan, at: str = "plan") -> Iterator[Flaw]:
    """Everything that is wrong with a plan; `at` goes before each path."""
    for name in ("max_wait", "late_after", "long_after"):
        yield from _seconds(f"{at}.{name}", getattr(plan, name))
    for index, rule in enumerate(plan.conditions):
        yield from _seconds(f"{at}.conditions[{index}].max_wait", rule.max_wait)
    for index, deed in enumerate(plan.actions):
        yield from _known(f"{at}.actions[{index}].on", deed.on, OCCASIONS)
    yield from _retry(plan.retry, f"{at}.retry")
    for name, count in plan.locks.items():
        if not (LOCK.fullmatch(name) or "{" in name) or not 1 <= count <= MOST:
            yield f"{at}.locks", f"{name!r}: {count} is no lock; names have no spaces and no commas, counts are above 0"
    if plan.strategy:
        yield from _known(f"{at}.strategy", (plan.strategy,), STRATEGIES)
    if plan.fan.canary < 0 or (plan.fan.max_fail or 0) < 0:
        yield f"{at}.fan", "counts are not below 0"
    for variable, name in plan.secrets.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable) or not re.fullmatch(secrets.NAME, name):
            yield f"{at}.secrets", f"{variable!r}: {name!r} is no variable with a {secrets.WANTED}"
    if plan.flow is not None:
        yield from flow_flaws(plan.flow, f"{at}.flow")
        yield from _seconds(f"{at}.flow.finish_within", plan.flow.finish_within)
    for index, step in enumerate(plan.flow.steps if plan.flow else ()):
        if step.plan is not None:
            yield from plan_flaws(step.plan, f"{at}.flow.steps[{index}].plan")


def seconds_flaw(value: float) -> str | None:
    """Why this cannot be a duration; None if it can."""
    if 0 <= value <= LONGEST:
        return None
    return f"{value} is no duration; give seconds, from 0 to {LONGEST}"


def _retry(retry: Retry, at: str) -> Iterator[Flaw]:
    if not 0 <= retry.count <= MOST:
        yield f"{at}.count", f"{retry.count} is no number from 0 to {MOST}"
    yield from _seconds(f"{at}.delay", retry.delay)
    yield from _seconds(f"{at}.longest", retry.longest)
    if not 1 <= retry.factor <= MOST:
        yield f"{at}.factor", f"{retry.factor:g} is no number from 1 to {MOST}"
    if not 0 <= retry.jitter <= 1:
        yield f"{at}.jitter", f"{retry.jitter:g} is no share from 0 to 1"
    yield from _known(f"{at}.on", (each for each in retry.on if not re.fullmatch(r"\d{1,3}", each)), OUTCOMES)


def _known(at: str, words: Iterable[str], known: Iterable[str]) -> Iterator[Flaw]:
    for word in words:
        if word not in known:
            yield at, unknown(word, known)


def _seconds(at: str, value: float | None) -> Iterator[Flaw]:
    if value is not None and (message := seconds_flaw(value)):
        yield at, message
