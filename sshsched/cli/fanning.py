"""`run` on several hosts as one run: a workflow with a step for each host, or for each of a group.

Rule: the scheduler knows what is in a group, so a group stays one draft that says `all`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sshsched.errors import UsageError

Draft = dict[str, Any]

OF_EACH = ("retry", "idempotent", "locks", "priority", "secrets")
"""What each host's run has of a job's plan; the rest is about the whole."""
GROUPS = ("@", "tags:")


def fanned(drafts: Sequence[Draft], max_fail: int | None, canary: int) -> list[Draft]:
    """One draft for all hosts, for each time that was asked for. Raises UsageError where there is but one host."""
    times: dict[Any, list[Draft]] = {}
    for draft in drafts:
        times.setdefault((draft.get("schedule_time"), *sorted(draft.get("args", {}).items())), []).append(draft)
    return [_one(each, max_fail, canary) for each in times.values()]


def _one(drafts: Sequence[Draft], max_fail: int | None, canary: int) -> Draft:
    hosts = [draft["host"] for draft in drafts]
    plan = drafts[0].get("plan", {})
    if len(hosts) == 1 and hosts[0].startswith(GROUPS):
        return {**drafts[0], "plan": {**plan, "strategy": "all", "fan": {"max_fail": max_fail, "canary": canary}}}
    if len(hosts) == 1:
        raise UsageError(f"{hosts[0]} is one host; to fan out name several with -H, or a group as -H @GROUP")
    if groups := [host for host in hosts if host.startswith(GROUPS)]:
        raise UsageError(f"{groups[0]} is a group; name one group alone, or several hosts")
    own = {name: plan[name] for name in OF_EACH if name in plan}
    steps = [
        {
            "name": draft["host"],
            "host": draft["host"],
            "program": draft["program"],
            "needs": [] if index < canary else hosts[:canary],
            "bound": True,
            "plan": own or None,
        }
        for index, draft in enumerate(drafts)
    ]
    flow = {"steps": steps, "on_failure": "fail", "max_fail": max_fail}
    whole = {name: value for name, value in plan.items() if name not in OF_EACH}
    return {**drafts[0], "host": "", "program": {}, "plan": {**whole, "flow": flow}}
