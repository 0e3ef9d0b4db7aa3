"""Workflows on `local` through the real scheduler: what runs, in which order, and how people go on after a failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.driver import Place
from tests.support import wait_until

WHOLE = """
host: local
params: {name: ada}
variables: {greeting: "hello {{ name }}"}
env: {FROM_JOB: "1"}
steps:
  build: {run: echo version=1.2, outputs: {version: '^version=(.*)$'}}
  list: {command: printf 'x\\ny\\n', outputs: {items: text}}
  test:
    needs: build
    matrix: {os: [debian, alpine]}
    command: echo {{ os }} {{ steps.build.outputs.version }}
    outputs: {said: last_line}
  each: {needs: list, foreach: "{{ steps.list.outputs.items }}", command: "echo {{ item }}"}
  poll: {loop: {until: "{{ round >= 3 }}", most: 5}, command: "echo {{ round }}"}
  publish:
    needs: [test, each, poll]
    command: echo {{ greeting }} {{ steps.test.outputs.said | join(' + ') }} $FROM_JOB
"""
HELD = """
host: local
steps:
  a: echo a
  b: {needs: a, command: "test -e %s/mended"}
  c: {needs: b, command: echo c}
  tidy: {needs: c, when: always, command: echo tidy}
"""


def write(place: Place, **jobs: str) -> None:
    folder = place.config / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in jobs.items():
        (folder / f"{name}.yaml").write_text(text)


def shown(place: Place, root: str) -> dict[str, Any]:
    found: dict[str, Any] = place("show", root, "--json").json
    return found


def states(place: Place, root: str) -> dict[str, str | None]:
    return {step["step"]: step["state"] for step in shown(place, root)["steps"]}


def held(place: Place, root: str) -> dict[str, Any]:
    """The root, once it holds itself."""
    return wait_until(lambda: run if (run := shown(place, root)["run"])["held"] else None, within=20)  # type: ignore[no-any-return]


def test_a_whole_workflow(shared: Place) -> None:
    """Outputs are handed on, a matrix, a list and a loop are repeated, and the root has one result."""
    write(shared, whole=WHOLE)
    done = shared("run", "whole", "--wait", "--json")
    root = done.json[0]
    steps = {step["step"]: step for step in shown(shared, root["run"])["steps"]}
    said = shared("output", steps["publish"]["run"]).text

    assert 0 == done.code
    assert ("success", "8 of 8 steps done") == (root["state"], root["message"])
    assert {"build", "list", "test[os=debian]", "test[os=alpine]", "each[x]", "each[y]", "poll", "publish"} == set(
        steps
    )
    assert "hello ada debian 1.2 + alpine 1.2 1\n" == said


def test_held_and_gone_on(shared: Place, tmp_path: Path) -> None:
    """A failure holds the workflow; once it is mended, only what failed and what follows runs."""
    write(shared, held=HELD % tmp_path)
    root = shared("run", "held").text.strip()
    before = held(shared, root)
    (tmp_path / "mended").touch()
    again = shared("rerun", "--failed", root, "--wait", "--json")
    waited = shared("wait", root)

    assert before["message"].startswith("2 of 4 steps done, b failed (r")
    assert ["b"] == [run["step"] for run in again.json]
    assert (0, 0) == (again.code, waited.code)
    assert {"a": "success", "b": "success", "c": "success", "tidy": "success"} == states(shared, root)


ENDED = """
host: local
on_failure: fail
steps:
  a: {run: echo v=1, outputs: {v: 'v=(.*)'}}
  each: {foreach: [x, y], needs: a, command: "[ {{ item }} = x ] || test -e %s/mended"}
  b: {needs: each, command: "echo {{ steps.a.outputs.v }} from {{ steps.a.host }}"}
  tidy: {needs: b, when: always, command: echo tidy}
  bad: "test -e %s/mended"
"""


def test_ended_and_taken_up(shared: Place, tmp_path: Path) -> None:
    """`rerun --failed` of a workflow that has ended makes a new one: what had succeeded does not run again."""
    write(shared, ended=ENDED % (tmp_path, tmp_path))
    old = shared("run", "ended", "--wait", "--json").json[0]
    (tmp_path / "mended").touch()
    again = shared("rerun", "--failed", old["run"], "--wait", "--json")
    new = again.json[0]
    steps = {step["step"]: step["run"] for step in shown(shared, new["run"])["steps"]}
    fresh = {name for name, run in steps.items() if shown(shared, run)["run"]["reason"] != "taken-over"}
    refused = shared("rerun", "--failed", new["run"])

    assert ("failure", 0, "success") == (old["state"], again.code, new["state"])
    assert (old["run"], "6 of 6 steps done") == (new["rerun_of"], new["message"])
    assert {"each[y]", "b", "tidy", "bad"} == fresh
    assert "1 from local\n" == shared("output", steps["b"]).text
    assert f"nothing of {new['run']} has failed" in refused.err


def test_held_and_released(shared: Place, tmp_path: Path) -> None:
    """Released, it fails: what waited is skipped, what tidies up runs, and waiting for it ends with 1."""
    write(shared, held=HELD % tmp_path)
    root = shared("run", "held").text.strip()
    held(shared, root)
    released = shared("release", root)
    waited = shared("wait", root)

    assert (0, 1) == (released.code, waited.code)
    assert {"a": "success", "b": "failure", "c": "skipped", "tidy": "success"} == states(shared, root)


def test_held_and_stopped(shared: Place, tmp_path: Path) -> None:
    """Stopped, it ends, and nothing more begins."""
    write(shared, held=HELD % tmp_path)
    root = shared("run", "held").text.strip()
    held(shared, root)
    shared("stop", root)
    shared("wait", root)

    assert {"a": "success", "b": "failure", "c": "skipped", "tidy": "skipped"} == states(shared, root)
    assert "stopped" == shown(shared, root)["run"]["reason"]


def test_stop_ends_programs(shared: Place) -> None:
    """A stop of the root ends the programs of its steps."""
    write(shared, long="host: local\nsteps: {a: sleep 60, b: {needs: a, command: echo b}}\n")
    root = shared("run", "long").text.strip()
    wait_until(lambda: "running" == states(shared, root)["a"], within=20)
    shared("stop", root, "--signal", "KILL")
    waited = shared("wait", root)

    assert 1 == waited.code
    assert {"a": "failure", "b": "skipped"} == states(shared, root)


@pytest.mark.parametrize("where", ["max_parallel: 2\nsteps: {a: {", "steps: {a: {max_parallel: 2, "])
def test_so_many_at_once(shared: Place, where: str) -> None:
    """Of a step that is repeated five times no more than two run at once, and all of them do."""
    write(shared, two=f"host: local\n{where}foreach: [1, 2, 3, 4, 5], command: sleep 0.3}}}}\n")
    root = shared("run", "two", "--wait", "--json").json[0]
    runs = [shown(shared, step["run"])["run"] for step in shown(shared, root["run"])["steps"]]
    times = [(run["started_at"], run["finished_at"]) for run in runs]

    assert ("success", "5 of 5 steps done") == (root["state"], root["message"])
    assert 2 == max(sum(began <= at < ended for began, ended in times) for at, _ in times)


def test_a_workflow_that_takes_too_long(shared: Place) -> None:
    """After `finish_within` the whole workflow is stopped: what runs, and what waits."""
    write(shared, slow="host: local\nfinish_within: 1s\nsteps: {a: sleep 60, b: {needs: a, command: echo b}}\n")
    done = shared("run", "slow", "--wait", "--json")
    root = done.json[0]

    assert ("failure", "timeout") == (root["state"], root["reason"])
    assert "not finished within 1 s: 1 of 2 steps done, a failed" in root["message"]
    assert {"a": "failure", "b": "skipped"} == states(shared, root["run"])


@pytest.mark.parametrize(
    ("code", "says", "args"),
    [
        (2, "is no workflow: it has no steps", ["graph", "plain"]),
        (2, "is one host; to fan out name several", ["run", "-H", "local", "--canary", "1", "--", "true"]),
        (2, "is a group; name one group alone", ["run", "-H", "local", "-H", "@web", "--max-fail", "1", "--", "true"]),
        (2, "leave --same out", ["rerun", "--same", "--failed", "r1"]),
    ],
)
def test_what_cannot_be_done(shared: Place, code: int, says: str, args: list[str]) -> None:
    """Bad input: one line that says what to do."""
    write(shared, plain="host: local\ncommand: 'true'\n")
    (shared.config / "hosts.yaml").write_text("groups: {web: {hosts: [local]}}\n")
    done = shared(*args)

    assert code == done.code
    assert says in done.err
    assert 1 == len(done.err.splitlines())


def test_only_a_live_workflow_goes_on(shared: Place) -> None:
    """`rerun --failed` of what is none, or has ended, says what to type instead."""
    plain = shared("run", "-H", "local", "--wait", "--", "true").text.strip()
    done = shared("rerun", "--failed", plain)

    assert f"{plain} is no workflow; `sshsched rerun {plain}` runs it again" in done.err


def test_one_run_on_several_hosts(shared: Place) -> None:
    """With --canary several hosts are one run: the rest waits for the first, and one failure makes it fail."""
    shared.config.mkdir(exist_ok=True)
    done = shared("run", "-H", "local", "-H", "other", "--canary", "1", "--wait", "--json", "--", "exit 3")
    root = done.json[0]

    assert 1 == done.code
    assert ("failure", "steps") == (root["state"], root["reason"])
    assert {"local": "failure", "other": "skipped"} == states(shared, root["run"])


def test_drawings(shared: Place) -> None:
    """A job and a run are drawn; narrow, as a list; and as mermaid."""
    write(shared, whole=WHOLE)
    wide = shared("graph", "whole", env={"COLUMNS": "120"}).text
    narrow = shared("graph", "whole", env={"COLUMNS": "30"}).text
    mermaid = shared("graph", "whole", "--mermaid").text

    assert "│ publish │" in wide
    assert "  test[os=debian]  -  after build" in narrow.splitlines()
    assert mermaid.startswith("flowchart TD\n")


def test_killed_in_the_middle(place: Place, tmp_path: Path) -> None:
    """kill -9 of the scheduler, again and again: every step runs once, and the workflow comes to its end."""
    write(place, chain=CHAIN.replace("DIR", str(tmp_path)))
    root = place("run", "chain").text.strip()
    for count in range(1, 5):
        wait_until(lambda count=count: len(_marks(tmp_path)) >= count, within=30)  # type: ignore[misc]
        place.kill_scheduler()
        place("run", "-H", "local", "--", "true")
    waited = place("wait", root, "--timeout", "30")

    assert 0 == waited.code, waited.err
    assert ["a", "b1", "b2", "c", "d"] == sorted(_marks(tmp_path))


CHAIN = """
host: local
steps:
  a: {command: "echo a >> DIR/marks; sleep 0.3; echo 1; echo 2", outputs: {l: text}}
  b: {needs: a, foreach: "{{ steps.a.outputs.l }}", command: "echo b{{ item }} >> DIR/marks; sleep 0.3"}
  c: {needs: b, command: echo c >> DIR/marks; sleep 0.3}
  d: {needs: c, command: echo d >> DIR/marks; sleep 0.3}
"""


def _marks(folder: Path) -> list[str]:
    path = folder / "marks"
    return path.read_text().split() if path.exists() else []
