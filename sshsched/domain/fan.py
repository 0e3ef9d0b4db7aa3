"""A run on all hosts of a group: a workflow with a step for each host.

Rule: pure. What a run on one host waits for, and what follows it, is about the whole; how it is tried again, its locks
and its secrets are each step's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sshsched.domain.draft import Draft
from sshsched.domain.line import is_group
from sshsched.domain.plan import NO_FAN, NO_PLAN, Fan, Flow, Plan, Retry, Step
from sshsched.domain.program import Program
from sshsched.domain.view import Group

ALL = "all"


def fanned_out(draft: Draft, groups: Mapping[str, Group]) -> Draft:
    """The draft of the workflow that a run on all hosts of a group is; the draft itself if it is none.

    A group that is not there, or has no hosts now, is left to be waited for.
    """
    if draft.plan.flow is not None or draft.root is not None:
        return draft
    hosts, fan = all_hosts(draft.host, draft.plan, groups)
    return on_all(draft, hosts, fan) if hosts else draft


def all_hosts(asked: str, plan: Plan, groups: Mapping[str, Group]) -> tuple[tuple[str, ...], Fan]:
    """The hosts of which each is to have a run, and how that proceeds; none where one of them is to be chosen."""
    group = groups.get(asked) if is_group(asked) else None
    if group is None or (plan.strategy or group.strategy) != ALL:
        return (), NO_FAN
    return group.hosts, group.fan if plan.fan == NO_FAN else plan.fan


def on_all(draft: Draft, hosts: tuple[str, ...], fan: Fan) -> Draft:
    """A workflow that runs the draft on each of these hosts: the first `canary` of them, and then the rest."""
    plan = draft.plan
    own = Plan(
        retry=plan.retry, idempotent=plan.idempotent, locks=plan.locks, priority=plan.priority, secrets=plan.secrets
    )
    first = hosts[: fan.canary]
    steps = tuple(
        Step(host, host, draft.program, needs=() if host in first else first, bound=True, plan=_or_none(own))
        for host in dict.fromkeys(hosts)
    )
    whole = replace(
        plan, retry=Retry(), locks={}, secrets={}, strategy="", fan=NO_FAN, flow=Flow(steps, "fail", fan.max_fail)
    )
    return replace(draft, host="", program=Program(), plan=whole)


def _or_none(plan: Plan) -> Plan | None:
    return None if plan == NO_PLAN else plan
