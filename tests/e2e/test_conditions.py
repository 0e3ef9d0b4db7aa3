"""Conditions in whole: a scheduler process, a real sshd, and what happens between them while a run waits."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from tests.e2e.kit import Lab, Wire
from tests.support import wait_until


def job(lab: Lab, name: str, text: str) -> None:
    """A job file."""
    path = lab.config / "jobs" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def begun(lab: Lab, *args: str) -> str:
    """The name of a run that has been asked for."""
    done = lab.cli("run", *args)
    assert 0 == done.returncode, done.stderr
    return done.stdout.split()[0]


def test_a_file_is_waited_for(box: Lab, tmp_path: Path) -> None:
    """A run waits for a file on its host, says so, and begins soon after the file is there."""
    flag = tmp_path / "it's here"
    job(box, "late", f'host: box\ncommand: echo hi\ncondition: {{type: file, path: "{flag}", every: 200ms}}\n')
    name = begun(box, "late")
    box.once(name, lambda run: run["message"] == f"waits for {flag} on box")
    flag.touch()

    assert "success" == box.finished(name)["state"]


def test_a_probe_that_hangs_holds_up_nobody(box: Lab) -> None:
    """While a command hangs that a condition asks for, other runs come and go there; after its limit it is a no."""
    hangs = "condition: {type: command, command: echo begun; exec sleep 600, timeout: 1s, every: 1s}"
    job(box, "stuck", f"host: box\ncommand: echo hi\n{hangs}\n")
    name = begun(box, "stuck")
    others = box.submit("echo hi", count=5)

    assert {"success"} == {box.finished(other)["state"] for other in others}
    box.once(name, lambda run: "it said: not done after 1 s: begun" in run["message"])
    box.client.stop([name])


def test_a_lost_link_only_delays(wired: Lab, wire: Wire, tmp_path: Path) -> None:
    """Where the link breaks while a condition is being asked, the run waits and says so, and begins when it is back."""
    flag = tmp_path / "flag"
    waits = f"condition: {{type: command, command: 'until [ -e {flag} ]; do sleep 0.05; done', every: 1s}}"
    job(wired, "late", f"host: box\ncommand: echo hi\n{waits}\n")
    name = begun(wired, "late")
    wait_until(lambda: any(wired.root.rglob("probes/*.said")), within=15)
    wire.stall()
    wire.cut()
    flag.touch()
    wired.once(name, lambda run: "box cannot be reached" in run["message"], within=30)
    wire.resume()

    assert "success" == wired.finished(name, within=40)["state"]


def test_a_kind_that_is_gone(box: Lab) -> None:
    """A stored run whose kind is gone still loads and shows, and ends as an error that names it; others run on."""
    kinds = box.config / "kinds"
    kinds.mkdir()
    (kinds / "moon.py").write_text(
        "from sshsched.domain.view import Wait\n"
        "from sshsched.kinds.conditions.base import Condition\n"
        "class Moon(Condition, frozen=True, kw_only=True):\n"
        "    def ask(self, run, view, at):\n"
        "        return Wait('the moon')\n"
    )
    job(box, "night", "host: box\ncommand: echo hi\ncondition: {type: moon.Moon}\n")
    name = begun(box, "night")
    box.once(name, lambda run: run["message"] == "waits for the moon")
    box.kill()
    (kinds / "moon.py").unlink()
    shown = box.cli("show", name)
    box.start()
    other = box.submit("echo hi")[0]
    ended = box.finished(name)

    assert 0 == shown.returncode
    assert "waits for the moon" in shown.stdout
    assert ("error", "condition") == (ended["state"], ended["reason"])
    assert "its condition is of kind 'moon.Moon', which is not installed here" in ended["message"]
    assert "success" == box.finished(other)["state"]


def test_one_starts_of_many(box: Lab) -> None:
    """Of many runs that are released together, one runs at a time, and under skip_duplicate only one at all."""
    for kind in ("max_running", "skip_duplicate"):
        job(box, kind, f"host: box\ncommand: {box.mark(kind)}; sleep 0.1\ncondition:\n  - {{type: {kind}, args: any}}\n"
                       "  - {type: dependency, job: first}\n")  # fmt: skip
    job(box, "first", "host: box\ncommand: echo go\n")
    limited = [begun(box, "max_running") for _ in range(4)]
    single = [begun(box, "skip_duplicate") for _ in range(4)]
    begun(box, "first")
    ends = [box.finished(name, within=40) for name in limited]
    alone = [box.finished(name, within=40)["state"] for name in single]
    times = sorted((run["started_at"], run["finished_at"]) for run in ends)

    assert {"success"} == {run["state"] for run in ends}
    assert all(ended <= began for (_, ended), (began, _) in pairwise(times))
    assert ["skipped", "skipped", "skipped", "success"] == sorted(alone)
