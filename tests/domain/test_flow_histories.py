"""Random workflows with random outcomes: dependencies hold in truth, and no root is left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sshsched.domain.instructions import Make
from sshsched.domain.plan import Flow, Step
from sshsched.domain.states import State
from sshsched.domain.steps import FAILED, place_of, round_of
from tests.domain.workflows import Shop, step

OUTCOMES = (State.SUCCESS, State.SUCCESS, State.FAILURE, State.ERROR, State.SKIPPED)
SHAPES: tuple[dict[str, object], ...] = (
    {}, {}, {}, {"foreach": "x\ny"}, {"foreach": "[]"}, {"until": "{{ round > 1 }}", "most": 3},
    {"until": "false", "most": 2}, {"outputs": {"v": "v=(.)"}}, {"command": "{{ nothing }}"},
)  # fmt: skip
DO = ("end", "end", "end", "end", "begin", "rerun_failed", "release", "restart", "stop")


@dataclass
class Watched(Shop):
    """Looks at every run that is made."""

    def _make(self, act: Make) -> None:
        step = owner(self.flow, act.draft.step)
        assert not self.root.finished
        if act.over is None and act.draft.rerun_of is None:
            assert self.root.stop_asked is None, "a step began after the stop"
            for need in step.needs if round_of(act.draft.step) < 2 else ():  # further rounds belong to the first one
                runs = counting(self, need)
                assert runs, f"{step.name} before {need}"
                assert all(run.finished for run in runs)
                if step.when == "success":
                    assert all(run.state is State.SUCCESS for run in runs)
        super()._make(act)


def owner(flow: Flow, name: str) -> Step:
    place = place_of(name)
    return next(step for step in flow.steps if place == step.name or place.startswith(f"{step.name}["))


def counting(shop: Shop, name: str) -> list[object]:
    """The newest runs of a step."""
    each = list(shop.steps.each(name).values())
    run = shop.steps.newest(name)
    return each or ([run] if run else [])  # type: ignore[return-value]


@st.composite
def flows(draw: Callable[..., object]) -> Flow:
    count = draw(st.integers(1, 7))
    steps = []
    for number in range(count):  # type: ignore[arg-type]
        needs = draw(st.lists(st.integers(0, number - 1), max_size=3, unique=True)) if number else []
        when = draw(st.sampled_from(["success", "success", "failure", "always"]))
        shape = draw(st.sampled_from(SHAPES))
        steps.append(step(f"s{number}", *(f"s{need}" for need in needs), when=when, **shape))  # type: ignore[attr-defined, arg-type]
    draw(st.randoms()).shuffle(steps)  # type: ignore[attr-defined]  # needs may be named before they come
    return Flow(tuple(steps), draw(st.sampled_from(["hold", "fail"])), draw(st.sampled_from([None, 0, 1])))  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flow=flows(), history=st.lists(st.tuples(st.sampled_from(DO), st.integers(0, 5)), max_size=40))
def test_histories(flow: Flow, history: list[tuple[str, int]]) -> None:
    """Whatever ends how, every step is accounted for and the root comes to its end, or says why it is held."""
    shop = Watched(flow)
    for what, which in history:
        act(shop, what, which)
    while live := shop.live():
        shop.end(live[0])
    held = shop.root.held
    if not shop.root.finished:
        assert held.startswith("failed: ")
        assert shop.steps.failed
        shop.release()
        while live := shop.live():
            shop.end(live[0])

    assert shop.root.finished, f"left behind: {shop.root.message}"
    assert [] == [step.name for step in flow.steps if not counting(shop, step.name)]
    assert (State.FAILURE if shop.steps.failed or shop.root.stop_asked else State.SUCCESS) is shop.root.state
    assert all(run.message for run in shop.steps.values() if not run.host)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flow=flows(), failing=st.sets(st.integers(0, 6)))
def test_failures_that_are_mended(flow: Flow, failing: set[int]) -> None:
    """A root that holds itself goes on after rerun --failed, and succeeds once everything has."""
    plain = tuple(replace(step, until="", program=replace(step.program, command="true")) for step in flow.steps)
    shop = Watched(replace(flow, steps=plain, on_failure="hold"))
    wrong = {f"s{number}" for number in failing}
    while live := shop.live():
        name = live[0]
        shop.end(name, state=State.FAILURE if name in wrong else State.SUCCESS)
        if not shop.live() and shop.root.held:
            wrong.clear()
            shop.rerun_failed()

    assert State.SUCCESS is shop.root.state
    assert not any(run.state in FAILED for step in plain for run in counting(shop, step.name))  # type: ignore[attr-defined]


def act(shop: Shop, what: str, which: int) -> None:
    if shop.root.finished:
        return
    if what in ("end", "begin"):
        if live := shop.live():
            name = live[which % len(live)]
            if what == "begin":
                shop.begin(name)
            else:
                shop.outputs[name] = b"v=1" if which else b""
                shop.end(name, state=OUTCOMES[which % len(OUTCOMES)])
    elif what != "stop" or which == 0:
        getattr(shop, what)()
