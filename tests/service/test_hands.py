"""What people do to runs by hand, over the real socket: what follows, and each refusal with its words."""

from __future__ import annotations

from typing import Any

import pytest

from sshsched.domain.draft import Draft
from sshsched.domain.plan import Flow, Plan, Step
from sshsched.domain.program import Program
from sshsched.domain.states import FINISHED, State
from sshsched.errors import NotFoundError, RefusedError, UsageError
from sshsched.service.client import Client
from tests.service.scheduler import DRAFT, NOW, Scheduler
from tests.service.test_api import do


async def in_state(scheduler: Scheduler, state: State) -> None:
    """A run r1 that has come to this state."""
    later = NOW + 60 if state is State.SCHEDULED else None
    await scheduler.submit([Draft("nas", Program("true"), "load", schedule_time=later)])
    if state in (State.SCHEDULED, State.WAITING):
        return
    run = scheduler.run(1)
    assert run is not None
    if state in (State.SKIPPED, State.ERROR, State.STARTING):
        await scheduler.move(run, state, run.reason, cleaned=state in FINISHED)
        return
    await scheduler.start(1)
    if state in (State.SUCCESS, State.FAILURE):
        await scheduler.finish(1, int(state is State.FAILURE))
    elif state is State.STOPPING:
        run = scheduler.run(1)
        assert run is not None
        await scheduler.move(run, state, run.reason)


@pytest.mark.parametrize("state", State)
async def test_start(scheduler: Scheduler, client: Client, state: State) -> None:
    """What has not begun starts past its time and conditions; what has is refused, and nothing changes."""
    await in_state(scheduler, state)
    if state in (State.SCHEDULED, State.WAITING):
        [run] = await do(client.start, ["r1"], by="ann")
        assert ("waiting", "by-hand") == (run["state"], run["reason"])
        return

    with pytest.raises(RefusedError, match=f"r1 is {state}; only a run that has not begun can be started past its"):
        await do(client.start, ["r1"])


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("wanted", sorted(FINISHED))
async def test_mark(scheduler: Scheduler, client: Client, state: State, wanted: str) -> None:
    """What has ended is taken for another outcome; what has not, and what is that already, is refused."""
    await in_state(scheduler, state)
    if state not in FINISHED:
        with pytest.raises(RefusedError, match=f"r1 is {state}; only a run that has ended can be marked"):
            await do(client.mark, ["r1"], wanted)
    elif state == wanted:
        with pytest.raises(RefusedError, match=f"r1 is {state} already"):
            await do(client.mark, ["r1"], wanted)
    else:
        [run] = await do(client.mark, ["r1"], wanted, by="ann")
        log = (await do(client.run, "r1"))["log"]

        assert (wanted, f"marked by ann; it was {state}: ") == (run["state"], run["message"])
        assert (state, wanted) == (log[-1]["from"], log[-1]["to"])


@pytest.mark.parametrize("wanted", ["running", "waiting", "nonsense", ""])
async def test_mark_as_what_is_no_outcome(scheduler: Scheduler, client: Client, wanted: str) -> None:
    """Only outcomes can be marked, and they are named."""
    await in_state(scheduler, State.SUCCESS)
    with pytest.raises(UsageError, match="error, failure, skipped, success"):
        await do(client.mark, ["r1"], wanted)


@pytest.mark.parametrize("state", State)
async def test_hold(scheduler: Scheduler, client: Client, state: State) -> None:
    """What has not begun is held, and let go; what has begun is refused."""
    await in_state(scheduler, state)
    if state in (State.SCHEDULED, State.WAITING):
        held = await do(client.hold, {"runs": ["r1"]}, by="ann")
        free = await do(client.release, {"runs": ["r1"]}, by="ann")

        assert held["runs"][0]["held"].startswith("held by ann since ")
        assert not free["runs"][0]["held"]
        return
    with pytest.raises(RefusedError, match=f"r1 is {state}; only a run that has not begun can be held"):
        await do(client.hold, {"runs": ["r1"]})


async def test_held_jobs_hosts_and_everything(scheduler: Scheduler, client: Client) -> None:
    """What is held is listed, in the words of who holds it, until it is let go."""
    held = await do(client.hold, {"jobs": ["a/b"], "hosts": ["nas"], "everything": True}, by="ann")
    left = await do(client.release, {"hosts": ["nas"], "everything": True}, by="bob")

    assert {"*", "host:nas", "job:a/b"} == set(held["holds"])
    assert all(words.startswith("held by ann since ") for words in held["holds"].values())
    assert {"job:a/b"} == set(left["holds"])


RELEASED: list[tuple[dict[str, Any], str]] = [
    ({"runs": ["r1"]}, "r1 is not held; it is waiting: "),
    ({"jobs": ["load"]}, "job load is not held; held are: host web"),
    ({"hosts": ["nas"]}, "host nas is not held; held are: host web"),
    ({"everything": True}, "everything is not held; held are: host web"),
]


@pytest.mark.parametrize(("what", "message"), RELEASED)
async def test_release_of_what_is_not_held(
    scheduler: Scheduler, client: Client, what: dict[str, Any], message: str
) -> None:
    """What is not held is told apart, with what is."""
    await in_state(scheduler, State.WAITING)
    await do(client.hold, {"hosts": ["web"]})
    with pytest.raises(RefusedError, match=message):
        await do(client.release, what)


async def test_release_where_nothing_is_held(scheduler: Scheduler, client: Client) -> None:
    """Where nothing is held at all, that is said."""
    with pytest.raises(RefusedError, match="everything is not held; nothing is"):
        await do(client.release, {"everything": True})


@pytest.mark.parametrize("words", [{}, {"everything": False}, {"runs": []}])
async def test_hold_of_nothing(scheduler: Scheduler, client: Client, words: dict[str, Any]) -> None:
    """A wish that names nothing is no wish for everything."""
    for work in (client.hold, client.release):
        with pytest.raises(UsageError, match="name runs, jobs or hosts, or say everything"):
            await do(work, words)
    with pytest.raises(UsageError, match="hosts: "):
        await do(client.hold, {"hosts": ["-x"]})

    assert {} == scheduler.holds()


async def test_one_bad_run_among_good_ones(scheduler: Scheduler, client: Client) -> None:
    """Whatever is refused is refused before anything is done for the others."""
    await do(client.submit, [DRAFT, DRAFT])
    await scheduler.start(2)
    with pytest.raises(RefusedError, match="r2 is running"):
        await do(client.start, ["r1", "r2"])
    with pytest.raises(RefusedError, match="r2 is running"):
        await do(client.hold, {"runs": ["r1", "r2"], "everything": True})
    with pytest.raises(NotFoundError, match="r9: there is no such run"):
        await do(client.start, ["r1", "r9"])
    with pytest.raises(UsageError, match="runs: is empty"):
        await do(client.start, [])
    run = scheduler.run(1)

    assert run is not None
    assert (False, "") == (run.forced, run.held)
    assert {} == scheduler.holds()


async def test_explain(scheduler: Scheduler, client: Client) -> None:
    """What would happen is told, run by run, and nothing is made."""
    await do(client.hold, {"jobs": ["load"]}, by="ann")
    told = await do(client.explain, [DRAFT, {**DRAFT, "job": "load"}, {**DRAFT, "schedule_time": NOW + 60}])
    with pytest.raises(UsageError, match=r"runs\[0\]\.host"):
        await do(client.explain, [{**DRAFT, "host": "-x"}])

    assert told[0].startswith("it would wait: it waits for a connection to nas")
    assert told[1].startswith("it would wait: it waits for a release: held by ann since ")
    assert told[2].startswith("it would wait until ")
    assert [] == list(scheduler.live())


async def test_rerun_as_the_job_is_now(scheduler: Scheduler, client: Client) -> None:
    """A rerun is bound to the job as that is now; with `same` it is what it was."""
    await in_state(scheduler, State.FAILURE)
    [now] = await do(client.rerun, ["r1"], by="ann")
    [same] = await do(client.rerun, ["r1"], same=True)

    assert ("newer", "r1", "ann") == (now["program"]["command"], now["rerun_of"], now["by"])
    assert ("true", "r1") == (same["program"]["command"], same["rerun_of"])


async def test_rerun_of_a_job_that_is_gone(scheduler: Scheduler, client: Client) -> None:
    """What cannot be bound any more is refused, with what to do."""
    await do(client.submit, [{**DRAFT, "job": "gone"}])
    await scheduler.start(1)
    await scheduler.finish(1)
    with pytest.raises(RefusedError, match="r1: no such job: gone; --same repeats it as it was"):
        await do(client.rerun, ["r1"])
    [same] = await do(client.rerun, ["r1"], same=True)

    assert "gone" == same["job"]


@pytest.mark.parametrize("state", State)
async def test_rerun_failed_of_what_is_no_workflow(scheduler: Scheduler, client: Client, state: State) -> None:
    """Only workflows have failed steps."""
    await in_state(scheduler, state)
    with pytest.raises(RefusedError, match="r1 is no workflow; `sshsched rerun r1` runs it again"):
        await do(client.rerun, ["r1"], failed=True)


async def test_rerun_failed_where_nothing_has(scheduler: Scheduler, client: Client) -> None:
    """A workflow that waits, or that has succeeded, has no failed steps."""
    flow = Plan(flow=Flow((Step("a", "nas", Program("true")),)))
    await scheduler.submit([Draft("", Program(), plan=flow)] * 2)
    await scheduler.start(2)
    with pytest.raises(RefusedError, match="r1 is waiting; wait for its end"):
        await do(client.rerun, ["r1"], failed=True)
    with pytest.raises(RefusedError, match="nothing of r2 has failed"):
        await do(client.rerun, ["r2"], failed=True)
    await scheduler.finish(2)
    with pytest.raises(RefusedError, match="nothing of r2 has failed; `sshsched rerun r2` runs all of it again"):
        await do(client.rerun, ["r2"], failed=True)
