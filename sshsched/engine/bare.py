"""A board without a past and without kinds: for a scheduler's first moment, and for tests of what needs neither."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sshsched.domain.draft import Draft
from sshsched.domain.instructions import Make, SaveNotice
from sshsched.domain.model import Run
from sshsched.domain.plan import Plan, Rule
from sshsched.domain.states import State
from sshsched.domain.view import Answer, Never, Past, Rules, View


class _NoPast:
    def found(
        self,
        job_id: str,
        args: Mapping[str, str],
        states: frozenset[State],
        since: float,
        shared: Mapping[str, str] = {},
    ) -> int | None:
        return None

    def names(self, job_id: str) -> frozenset[str] | None:
        return None


class _NoRules:
    def ask(self, rule: Rule, run: Run, view: View, at: float) -> Answer:
        return Never(f"no kind of condition is called '{rule.kind}'")

    def plan(self, plan: Plan, fill: Callable[[str, str], str]) -> Plan:
        return plan

    def fill(self, text: str, values: Mapping[str, Any]) -> str:
        return text

    def draft(self, job_id: str, args: Mapping[str, str], spare: Mapping[str, str], by: str) -> Draft:
        raise ValueError(f"no job is called '{job_id}'")

    def follow(self, run: Run, occasion: str, view: View, at: float) -> Sequence[Make | SaveNotice]:
        return ()


NO_PAST: Final[Past] = _NoPast()
NO_RULES: Final[Rules] = _NoRules()
