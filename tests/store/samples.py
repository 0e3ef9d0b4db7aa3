"""Runs to store: plain ones, and any that can be thought of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from sshsched.domain.instructions import Save
from sshsched.domain.model import Cause, LogEntry, Outcome, Output, Reason, Run, Spool, StopAsked
from sshsched.domain.plan import NO_PLAN, Deed, Flow, Plan, Retry, Rule, Step
from sshsched.domain.program import Program, Stop
from sshsched.domain.states import State
from sshsched.store.ports import RunReader, RunStore

T0 = 1_700_000_000.25


@dataclass(frozen=True, slots=True)
class Pair:
    store: RunStore
    reader: RunReader


def run(id: int, state: State = State.WAITING, **fields: Any) -> Run:
    """A run with the least that a run can have."""
    given = {"host": "alpha", "program": Program("true"), "created_at": T0 + id} | fields
    return Run(id=id, state=state, **given)


def new(*runs: Run) -> list[Save]:
    return [Save(run, None) for run in runs]


def entry(run_id: int, old: State | None, new: State, message: str = "") -> LogEntry:
    return LogEntry(run_id, T0, old, new, Reason.CREATED, message)


# Bytes of a command line that are no UTF-8 are these lone surrogates in Python.
_any_text = st.text(
    st.characters(codec="utf-8") | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF), max_size=12
)
_text = st.text(max_size=12)
_time = st.floats(0, 1e11)
_count = st.integers(0, 2**53)
_pids = st.lists(st.integers(1, 2**31), max_size=3).map(tuple)


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


_pairs = st.dictionaries(_any_text, _any_text, max_size=3)
_programs = st.builds(
    Program,
    command=_maybe(_any_text),
    argv=st.lists(_any_text, max_size=3).map(tuple),
    env=_pairs,
    cwd=_maybe(_any_text),
    stdin=_maybe(_any_text),
    umask=_maybe(_text),
    user=_maybe(_text),
    stop=st.builds(Stop, signal=_text, grace=_time),
    timeout=_maybe(_time | st.just(float("inf"))),
    accept=st.lists(st.integers(0, 255), max_size=3).map(tuple),
    abandon_after=_maybe(_time),
)
_outcomes = st.builds(
    Outcome,
    exit_code=_maybe(st.integers(0, 255)),
    signal=_maybe(st.integers(1, 64)),
    certain=st.booleans(),
    core=st.booleans(),
    cause=_maybe(st.sampled_from(Cause)),
    started_at=_maybe(_time),
    ended_at=_maybe(_time),
    cpu_user=_maybe(_time),
    cpu_system=_maybe(_time),
    max_rss=_maybe(_count),
    leftover=st.booleans(),
)

_options = st.dictionaries(_text, _any_text | st.booleans() | st.integers(0, 9) | st.none(), max_size=2)
_plans = st.builds(
    Plan,
    conditions=st.lists(
        st.builds(Rule, kind=_text, options=_options, max_wait=_maybe(_time), then=st.sampled_from(["error", "skip"])),
        max_size=2,
    ).map(tuple),
    actions=st.lists(
        st.builds(Deed, kind=_text, options=_options, on=st.lists(_text, max_size=2).map(tuple)), max_size=2
    ).map(tuple),
    retry=st.builds(Retry, count=st.integers(0, 9), delay=_time, on=st.just(("failure", "3"))),
    idempotent=st.booleans(),
    locks=st.dictionaries(_text, st.integers(1, 9), max_size=2),
    priority=st.integers(-9, 9),
    strategy=_text,
    secrets=_pairs,
    flow=_maybe(
        st.builds(
            Flow,
            steps=st.lists(
                st.builds(
                    Step,
                    name=_text,
                    host=_text,
                    program=_programs,
                    needs=st.lists(_text, max_size=2).map(tuple),
                    plan=_maybe(st.builds(Plan, priority=st.integers(0, 9))),
                ),
                max_size=2,
            ).map(tuple),
            max_fail=_maybe(st.integers(0, 9)),
        )
    ),
)

any_run = st.builds(
    Run,
    id=st.integers(1, 2**62),
    key=_text,
    host=_text,
    asked=_text,
    program=_programs,
    plan=st.just(NO_PLAN) | _plans,
    root=_maybe(st.integers(1, 2**62)),
    step=_text,
    retried_by=_maybe(st.integers(1, 2**62)),
    ready_since=_maybe(_time),
    not_before=_maybe(_time),
    forced=st.booleans(),
    held=_text,
    warned=st.lists(_text, max_size=2).map(tuple),
    values=_pairs,
    created_at=_time,
    state=st.sampled_from(State),
    job_id=_maybe(_text),
    args=_pairs,
    labels=st.lists(_any_text, max_size=3).map(tuple),
    by=_text,
    attempt=st.integers(1, 99),
    rerun_of=_maybe(st.integers(1, 2**62)),
    schedule_time=_maybe(_time),
    start_within=_time | st.just(float("inf")),
    stop_rule=_text,
    stop_at=_maybe(_time),
    reason=st.sampled_from(Reason),
    message=_text,
    waiting_since=_maybe(_time),
    starting_since=_maybe(_time),
    started_at=_maybe(_time),
    finished_at=_maybe(_time),
    spool=_maybe(st.builds(Spool, path=_any_text, boot=_text)),
    pid=_maybe(st.integers(1, 2**31)),
    stop_asked=_maybe(
        st.builds(StopAsked, at=_time, by=_any_text, cause=st.sampled_from(Cause), signal=_text, grace=_time)
    ),
    unreachable_since=_maybe(_time),
    survivors=_pids,
    outcome=_maybe(_outcomes),
    output=st.builds(Output, stdout=_count, stderr=_count, complete=st.booleans(), lost=st.booleans()),
    cleaned=st.booleans(),
)
