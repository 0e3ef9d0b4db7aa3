"""What a job decides about its runs, in lines for people: what they wait for, what follows, how often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sshsched.cli.times import span
from sshsched.domain.plan import Plan, Retry
from sshsched.kinds.jobs import Job

Line = tuple[str, str]


def decisions(job: Job) -> Iterator[Line]:
    """A word and what stands behind it."""
    plan = job.plan
    for rule in plan.conditions:
        limit = "" if rule.max_wait is None else f" (at most {span(rule.max_wait)}, then {rule.then})"
        yield "waits for", f"{rule.kind}{_options(rule.options)}{limit}"
    if plan.max_wait is not None:
        yield "max wait", f"{span(plan.max_wait)}, then {plan.then}"
    for deed in plan.actions:
        yield "then", f"{deed.kind}{_options(deed.options)} on {', '.join(deed.on)}"
    if plan.retry.count:
        yield "retry", _retry(plan.retry)
    yield from _numbers(plan)
    for expect in job.expects:
        yield "expected", f"a success by {expect.success_by:%H:%M} ({expect.tz}) on {expect.calendar.name}"


def _numbers(plan: Plan) -> Iterator[Line]:
    if plan.idempotent:
        yield "idempotent", "yes"
    if plan.strategy:
        yield "strategy", plan.strategy
    if plan.locks:
        yield "locks", ", ".join(name if count == 1 else f"{name} x {count}" for name, count in plan.locks.items())
    if plan.priority:
        yield "priority", str(plan.priority)
    for word, seconds in (("late after", plan.late_after), ("long after", plan.long_after)):
        if seconds is not None:
            yield word, span(seconds)
    if plan.secrets:
        yield "secrets", ", ".join(f"{variable} ({name})" for variable, name in plan.secrets.items())


def _retry(retry: Retry) -> str:
    pause = f" after {span(retry.delay)}" if retry.delay else ""
    growth = f", each pause {retry.factor:g} times the one before" if retry.delay and retry.factor != 1 else ""
    return f"{retry.count} times{pause}{growth}, on {', '.join(retry.on)}"


def _options(options: Mapping[str, Any]) -> str:
    told = " ".join(f"{name}={_value(value)}" for name, value in options.items())
    return f" {told}" if told else ""


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_value(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(value)
