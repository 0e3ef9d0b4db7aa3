"""The demo shows what it promises, and fails if anything ends otherwise."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sshsched.demo.board import details
from sshsched.demo.show import CAST, ENDLESS, FAILS, SLOW, Part
from sshsched.store.lock import holder
from tests.support import ROOT

DEMO = [sys.executable, "-m", "sshsched", "demo"]
RUN: dict[str, Any] = {
    "state": "failure",
    "reason": "exited",
    "exit_code": 3,
    "signal": None,
    "unreachable_since": None,
    "stdout_size": 10,
    "output_complete": True,
}


def env(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "TERM": "xterm", "COLUMNS": "120"}


def test_the_demo_without_a_terminal(tmp_path: Path) -> None:
    """Everything ends as it must; each promise is seen on a line; what is stored can be read afterwards."""
    result = subprocess.run(DEMO, cwd=ROOT, env=env(tmp_path), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    state_dir = next(tmp_path.glob("sshsched-demo-*/state"))
    command = [sys.executable, "-m", "sshsched", "--state-dir", str(state_dir), "output", "r6"]
    output = subprocess.run(command, cwd=ROOT, env=env(tmp_path), capture_output=True, text=True)

    assert (0, "") == (result.returncode, result.stderr)
    assert re.search(r"slow: running, unreachable since \d{4}-", result.stdout)
    assert "slow: success" in result.stdout
    assert "endless: failure, signal 15, stopped" in result.stdout
    assert (0, "") == (output.returncode, output.stderr)
    assert [f"step {i} of 20" for i in range(1, 21)] == output.stdout.splitlines()
    assert holder(state_dir) is None


def test_the_demo_on_a_terminal(tmp_path: Path) -> None:
    """On a terminal it is one table, redrawn."""
    here, there = pty.openpty()
    demo = subprocess.Popen(DEMO, cwd=ROOT, env=env(tmp_path), stdin=there, stdout=there, stderr=there)
    os.close(there)
    shown = b""
    try:
        while data := os.read(here, 65536):
            shown += data
    except OSError:
        pass  # how Linux says that the other side of a terminal is closed
    os.close(here)

    assert 0 == demo.wait(), shown.decode()
    assert b"\x1b[" in shown
    assert b"As it should be" in shown


@pytest.mark.parametrize("part", CAST, ids=lambda part: part.job)
def test_every_part_has_its_job(part: Part) -> None:
    """The jobs of the demo are those of jobs/."""
    assert (ROOT / "jobs" / f"{part.job}.yaml").exists()


def test_a_part_is_particular() -> None:
    """Another state, exit code or size, or output that is not all here, is not what a part asks for."""
    part = replace(FAILS, stdout_size=10)
    others = [{"state": "success"}, {"exit_code": 4}, {"stdout_size": 9}, {"output_complete": False}]

    assert part.played_by(RUN)
    assert [False] * len(others) == [part.played_by({**RUN, **other}) for other in others]
    assert not ENDLESS.played_by(RUN)
    assert not SLOW.played_by(RUN)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "exit code 3"),
        ({"state": "success", "exit_code": 0}, ""),
        ({"state": "error", "exit_code": None, "reason": "rebooted"}, "rebooted"),
        ({"exit_code": None, "signal": 9, "reason": "signalled"}, "signal 9"),
        (
            {"state": "running", "exit_code": None, "unreachable_since": "2026-11-22T03:30:00.123Z"},
            "unreachable since 2026-11-22T03:30:00Z",
        ),
    ],
)
def test_details(changes: dict[str, Any], said: str) -> None:
    """The board says how a run ended, or what keeps it out of sight."""
    assert said == details({**RUN, **changes})
