"""Waiting lines: who comes first, however runs come and go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sshsched.domain.line import Lines, rank
from sshsched.domain.model import Run
from sshsched.domain.plan import Plan
from sshsched.domain.program import Program
from sshsched.domain.states import State

RUNS = st.builds(
    lambda number, asked, priority: Run(
        number, "", Program("x"), float(number // 3), State.WAITING, asked, plan=Plan(priority=priority)
    ),
    st.integers(1, 12),
    st.sampled_from(["a", "b", "@web", "tags:x,y"]),
    st.integers(-1, 1),
)


@given(st.lists(st.tuples(st.booleans(), RUNS), max_size=40))
def test_lines(steps: list[tuple[bool, Run]]) -> None:
    """The heads of all lines come in the order of their ranks, as sorting would put them, and no line is empty."""
    lines, there = Lines(), dict[int, Run]()
    for comes, run in steps:
        if comes and run.id not in there:
            lines.put(run)
            there[run.id] = run
        elif not comes and run.id in there:
            lines.remove(there.pop(run.id))
    expected = {asked: sorted(rank(run) for run in there.values() if run.asked == asked) for asked in lines}
    heads, head = [], lines.head()
    while head is not None:
        heads.append(rank(head))
        head = lines.head(rank(head))

    assert {run.asked for run in there.values()} == set(lines)
    assert expected == {asked: [rank(run) for run in line] for asked, line in lines.items()}
    assert sorted(ranks[0] for ranks in expected.values()) == heads
    assert {asked for asked in expected if asked.startswith(("@", "tags:"))} == set(lines.groups)


def test_a_run_that_is_not_there() -> None:
    """Taking out what never stood in line changes nothing."""
    lines = Lines()
    lines.remove(Run(1, "", Program("x"), 0.0, State.WAITING, "a"))

    assert lines.head() is None
    assert 0 == len(lines)
