"""Workflows: which steps begin, what holds them, and how the root comes to its end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sshsched.domain.model import Reason
from sshsched.domain.plan import Flow
from sshsched.domain.program import Program
from sshsched.domain.states import State
from tests.domain.workflows import Shop, step

DIAMOND = (step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"))


def diamond(**more: object) -> Shop:
    return Shop(Flow(DIAMOND, **more))  # type: ignore[arg-type]


def test_a_step_begins_after_all_its_needs() -> None:
    """A step begins when the last of its needs has succeeded, and the root ends with the last step."""
    shop = diamond()
    order = [["a"]]
    shop.end("a")
    order.append(shop.live())
    shop.end("c")
    order.append(shop.live())
    shop.end("b")
    order.append(shop.live())
    shop.end("d")

    assert [["a"], ["b", "c"], ["b"], ["d"]] == order
    assert State.SUCCESS is shop.root.state
    assert "4 of 4 steps done" == shop.root.message
    assert Reason.STEPS is shop.root.reason


def test_the_root_tells_how_far_it_is() -> None:
    """The root's message counts the steps that are done, and names those that failed with their runs."""
    shop = diamond()
    shop.end("a")
    before = shop.root.message
    shop.fail("b")

    assert "1 of 4 steps done" == before
    assert "2 of 4 steps done, b failed (r3)" == shop.root.message


def test_a_failure_holds_the_root() -> None:
    """After a failure what does not need it goes on; then the root stays live and says what it waits for, once."""
    shop = diamond()
    shop.end("a")
    shop.fail("b")
    before = shop.root.held
    shop.end("c")

    assert "" == before
    assert "failed: b failed (r3)" == shop.root.held
    assert State.RUNNING is shop.root.state
    assert ["held"] == shop.rules.occasions
    assert "d" not in shop.states()


def test_rerun_failed_goes_on_from_there() -> None:
    """A new run of the failed step lets the workflow go on; what had succeeded does not run again."""
    shop = diamond()
    shop.end("a", "c")
    shop.fail("b")
    shop.rerun_failed()
    held = shop.root.held
    shop.end("b")
    shop.end("d")

    assert "" == held
    assert ["a", "b", "c", "b", "d"] == shop.begun
    assert 3 == shop.run("b").rerun_of
    assert State.SUCCESS is shop.root.state


def test_a_step_that_failed_twice_holds_again() -> None:
    """The second failure is told as the first one was."""
    shop = diamond()
    shop.end("a", "c")
    shop.fail("b")
    shop.rerun_failed()
    shop.fail("b")

    assert ["held", "held"] == shop.rules.occasions
    assert "failed: b failed (r5)" == shop.root.held


def test_release_lets_the_root_fail() -> None:
    """Released, the steps that waited are skipped and say for whom, and the root ends as a failure."""
    shop = diamond()
    shop.end("a", "c")
    shop.fail("b")
    shop.release()

    assert State.FAILURE is shop.root.state
    assert State.SKIPPED is shop.run("d").state
    assert Reason.UPSTREAM_FAILED is shop.run("d").reason
    assert "it needs b (r3: failure)" == shop.run("d").message


def test_on_failure_fail_ends_by_itself() -> None:
    """With on_failure: fail the dependents of a failed step are skipped, one after the other, and the root fails."""
    shop = Shop(Flow((step("a"), step("b", "a"), step("c", "b"), step("x")), "fail"))
    shop.fail("a")
    live = shop.live()
    shop.end("x")

    assert ["x"] == live
    assert {"a": "failure", "x": "success", "b": "skipped", "c": "skipped"} == shop.states()
    assert State.FAILURE is shop.root.state
    assert "" == shop.root.held


@pytest.mark.parametrize(
    ("outcome", "states"),
    [
        (State.SUCCESS, {"ok": "waiting", "bad": "skipped", "any": "waiting"}),
        (State.FAILURE, {"ok": "skipped", "bad": "waiting", "any": "waiting"}),
        (State.ERROR, {"ok": "skipped", "bad": "waiting", "any": "waiting"}),
        (State.SKIPPED, {"ok": "skipped", "bad": "skipped", "any": "waiting"}),
    ],
)
def test_when(outcome: State, states: dict[str, str]) -> None:
    """A step answers success, failure, or any end of its needs."""
    dependents = (step("ok", "a"), step("bad", "a", when="failure"), step("any", "a", when="always"))
    shop = Shop(Flow((step("a"), *dependents), "fail"))
    shop.end("a", state=outcome)

    assert states == {name: state for name, state in shop.states().items() if name != "a"}


def test_a_failure_is_heard_further_down() -> None:
    """A step for failures begins also where what it needs was only skipped, because something before it failed."""
    shop = Shop(Flow((step("a"), step("b", "a"), step("c", "b", when="failure"), step("d", "c")), "fail"))
    shop.fail("a")
    begun = shop.live()
    shop.end("c")
    shop.end("d")

    assert ["c"] == begun
    assert State.FAILURE is shop.root.state


def test_cleaning_up_after_a_release() -> None:
    """What waits for the end of a step that is held begins when the root is released."""
    shop = Shop(Flow((step("a"), step("b", "a"), step("tidy", "b", when="always"))))
    shop.fail("a")
    held = shop.live()
    shop.release()
    released = shop.live()
    shop.end("tidy")

    assert [] == held
    assert ["tidy"] == released
    assert State.FAILURE is shop.root.state


def test_stop_ends_all() -> None:
    """Stopped, a workflow begins nothing any more, also no cleaning up, and tells of every step."""
    shop = Shop(Flow((step("a"), step("x"), step("b", "a"), step("tidy", "a", when="always"))))
    shop.begin("a")
    shop.stop()

    assert {"a": "failure", "x": "skipped", "b": "skipped", "tidy": "skipped"} == shop.states()
    assert State.FAILURE is shop.root.state
    assert Reason.STOPPED is shop.root.reason
    assert shop.root.message.startswith("stopped by anna: ")


def test_stop_of_a_held_root() -> None:
    """A root that holds itself ends at once when it is stopped."""
    shop = diamond()
    shop.fail("a")
    shop.stop()

    assert State.FAILURE is shop.root.state
    assert "" == shop.root.held


def test_a_mark_lets_it_go_on() -> None:
    """Whoever marks a failed step as a success lets the workflow go on."""
    shop = Shop(Flow((step("a"), step("b", "a"))))
    shop.fail("a")
    shop.mark("a", State.SUCCESS)
    held = shop.root.held
    shop.end("b")

    assert "" == held
    assert State.SUCCESS is shop.root.state


def test_max_fail() -> None:
    """After more failures than max_fail no further step begins and what waits is skipped; cleaning up is not."""
    steps = (*(step(f"s{n}") for n in range(4)), step("after", "s2"), step("tidy", "s0", when="always"))
    shop = Shop(Flow(steps, "fail", max_fail=1))
    shop.begin("s0", "s1", "s2")
    shop.fail("s0")
    before = shop.run("s3").state
    shop.fail("s1")
    shop.end("s2")
    shop.end("tidy")

    assert State.WAITING is before
    assert "more than 1 steps have failed" == shop.run("s3").message
    assert State.SKIPPED is shop.run("after").state
    assert State.FAILURE is shop.root.state


def test_max_fail_and_rerun() -> None:
    """Rerun with the failed ones: what was called off for them, and what could not begin."""
    shop = Shop(Flow((step("a"), step("b"), step("c", "a")), max_fail=0))
    shop.begin("a")
    shop.fail("a")
    called_off = shop.run("b").state
    shop.rerun_failed()
    again = shop.live()
    shop.end("a", "b")
    shop.end("c")

    assert State.SKIPPED is called_off
    assert ["a", "b"] == again
    assert State.SUCCESS is shop.root.state


def test_templates_see_what_was_before() -> None:
    """Texts are filled in when a step begins: params, variables in their order, and other steps."""
    variables = {"greeting": "hello {{ name }}", "whole": "{{ greeting }}!"}
    last = step("b", "a", command="echo {{ whole }} {{ steps.a.state }} {{ steps.a.outputs.v }}", host="{{ name }}",
                variables=variables)  # fmt: skip
    shop = Shop(Flow((step("a", outputs={"v": "^v=(.*)$"}), last)), {"name": "ada"}, outputs={"a": b"x\nv=1.2\n"})
    shop.end("a")

    assert Program(command="echo hello ada! success 1.2") == shop.run("b").program
    assert "ada" == shop.run("b").asked


def test_a_template_that_fails() -> None:
    """A step whose texts cannot be filled in is an error that says where; rerun fills them in anew."""
    shop = Shop(Flow((step("a", outputs={"v": "v=(.*)"}), step("b", "a", command="echo {{ steps.a.outputs.v }}"))))
    shop.end("a")
    wrong = shop.run("b")
    shop.move(replace(shop.run("a"), values={"v": "2"}))
    shop.rerun_failed()

    assert State.ERROR is wrong.state
    assert Reason.CONFIG is wrong.reason
    assert wrong.message.startswith("command: the template fails: ")
    assert Program(command="echo 2") == shop.run("b").program


def test_outputs_before_dependents() -> None:
    """While what a step hands on is still on its way, nobody who needs it begins, and the root does not end."""
    shop = Shop(Flow((step("a", outputs={"v": "v=(.*)"}), step("b", "a"))))
    shop.move(replace(shop.run("a"), state=State.SUCCESS, started_at=1.0, finished_at=2.0))
    before = shop.live()
    restarted = shop.restart() or shop.live()
    shop.outputs["a"] = b"v=1"
    shop.end("a")
    shop.restart()

    assert [] == before == restarted
    assert State.RUNNING is shop.root.state
    assert ["b"] == shop.live()


def test_foreach() -> None:
    """A step is repeated for each item of a list that is known only now; who needs it waits for all."""
    each = step("t", "a", command="test {{ item }}", foreach="{{ steps.a.outputs.l }}", outputs={"n": "text"})
    last = step("z", "t", command="echo {{ steps.t.outputs.n | join('+') }} {{ steps.t.state }}")
    first = step("a", outputs={"l": "json"})
    shop = Shop(Flow((first, each, last)), outputs={"a": b'["x", "y z"]', "t[x]": b"1\n", "t[2]": b"2\n"})
    shop.end("a")
    begun = shop.live()
    shop.end("t[x]")
    between = shop.live()
    shop.end("t[2]")

    assert ["t[x]", "t[2]"] == begun
    assert Program(command="test y z") == shop.run("t[2]").program
    assert "y z" == shop.run("t[2]").args["item"]
    assert ["t[2]"] == between
    assert Program(command="echo 1+2 success") == shop.run("z").program
    assert "3 of 4 steps done" == shop.root.message


def test_foreach_without_items() -> None:
    """Nothing to repeat it for: the step is skipped and says so."""
    shop = Shop(Flow((step("t", foreach="[]"),)))

    assert Reason.NOT_NEEDED is shop.run("t").reason
    assert State.SUCCESS is shop.root.state


def test_foreach_reruns_only_what_failed() -> None:
    """Of many items only the failed ones run again."""
    shop = Shop(Flow((step("t", foreach="x\ny\n"), step("z", "t"))))
    shop.end("t[x]")
    shop.fail("t[y]")
    shop.rerun_failed()
    again = shop.live()
    shop.end("t[y]")

    assert ["t[y]"] == again
    assert ["z"] == shop.live()


def test_loop() -> None:
    """A step is repeated until its template says true; a failure on the way does not count."""
    shop = Shop(Flow((step("p", until="{{ steps.p.state == 'success' }}", most=5), step("z", "p"))))
    shop.fail("p#1")
    shop.fail("p#2")
    shop.end("p#3")
    after = shop.live()
    shop.end("z")

    assert ["p#1", "p#2", "p#3", "z"] == shop.begun
    assert ["z"] == after
    assert State.SUCCESS is shop.root.state


def test_a_loop_has_a_bound() -> None:
    """A loop that comes to its bound is an error; once more, it begins at the beginning."""
    shop = Shop(Flow((step("p", until="false", most=2), step("z", "p"))))
    shop.end("p#1")
    shop.end("p#2")
    wrong = shop.run("p")
    shop.rerun_failed()

    assert "after 2 rounds `until` is still not true" == wrong.message
    assert ["p#1"] == shop.live()


def test_a_job_as_a_step() -> None:
    """A step that is a run of a job knows that job's params and nothing else; its args know the workflow."""
    backup = step("b", command="save {{ disk }}", job="backup", args={"disk": "{{ where }}-1"})
    shop = Shop(Flow((backup,)), {"where": "nas"})

    assert Program(command="save nas-1") == shop.run("b").program
    assert {"disk": "nas-1"} == shop.run("b").args


def test_a_restart_in_the_middle_changes_nothing() -> None:
    """Taken up anew, a workflow begins nothing twice, and goes on."""
    shop = diamond()
    shop.end("a")
    shop.restart()
    shop.end("b", "c")
    shop.restart()
    shop.end("d")

    assert ["a", "b", "c", "d"] == shop.begun
    assert State.SUCCESS is shop.root.state
