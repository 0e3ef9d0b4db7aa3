"""Files as they are while somebody types, saves, merges or tears them: answered, always, and soon."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sshsched.config.jobs import load_jobs
from sshsched.kinds.due import explain
from tests.config.corpus import odd_schedules, torn
from tests.config.reading import write
from tests.support import ROOT

SHOWN = sorted((ROOT / "jobs").rglob("*.yaml")) + sorted((ROOT / "examples/jobs").rglob("*.yaml"))
NOW = 1_800_000_000.0
TEXTS = [path.read_text() for path in SHOWN]
many = settings(max_examples=500, suppress_health_check=list(HealthCheck), deadline=None)


def answered(folder: Path, text: bytes) -> None:
    """Each file gives jobs or problems, each problem is one line, and none takes a second."""
    (write(folder) / "jobs").mkdir(exist_ok=True)
    (folder / "jobs/job.yaml").write_bytes(text)
    start = time.process_time()
    loaded = load_jobs(folder)

    assert 1 > time.process_time() - start
    assert loaded.jobs or loaded.problems
    assert all(str(problem).isprintable() for problem in loaded.problems)
    assert all(problem.line > 0 and problem.column > 0 for problem in loaded.problems)


@given(st.sampled_from(TEXTS).flatmap(torn))
@many
def test_a_torn_file_is_answered(tmp_path: Path, text: str) -> None:
    """Good files with pieces cut out, doubled and put in."""
    answered(tmp_path, text.encode())


@given(st.sampled_from(TEXTS), st.binary(max_size=6), st.floats(0, 1))
@many
def test_a_file_with_foreign_bytes_is_answered(tmp_path: Path, text: str, junk: bytes, where: float) -> None:
    """Good files with any bytes put in."""
    data = text.encode()
    at = int(len(data) * where)
    answered(tmp_path, data[:at] + junk + data[at:])


@given(odd_schedules | st.lists(odd_schedules, max_size=4))
@many
def test_any_schedule_is_answered(tmp_path: Path, schedule: Any) -> None:
    """Whatever stands there; what is taken for good can be asked for its times, soon and without an exception."""
    text = yaml.safe_dump({"host": "a", "command": "b", "params": {"x": "y"}, "schedule": schedule})
    answered(tmp_path, text.encode())
    start = time.process_time()
    for job in load_jobs(tmp_path).jobs.values():
        for timed in job.schedules:
            list(islice(explain(timed.schedule, timed.options, NOW, job=job.id), 5))

    assert 2 > time.process_time() - start


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.name)
def test_a_file_cut_at_any_byte_is_answered(tmp_path: Path, path: Path) -> None:
    """Half-written files are read, too: nobody knows when an editor is done."""
    data = path.read_bytes()
    for length in range(len(data)):
        answered(tmp_path, data[:length])
