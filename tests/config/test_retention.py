"""How long runs are kept, as files say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sshsched.domain.retention import Retention, Then
from tests.config.reading import job_of, load, problems_of

DAY = 86400.0
JOB = "host: nas\ncommand: date\nretention: "

GOOD = {
    "{age: 90d}": Retention(age=90 * DAY),
    "{count: 1000, size: 1.5GiB}": Retention(count=1000, size=1_610_612_736),
    "{age: 1w, count: 1, size: 10 MB, then: delete}": Retention(7 * DAY, 1, 10_000_000, Then.DELETE),
}
BAD = {
    "90d": "3:12: retention: a text stands where `key: value` pairs should be: how long runs are kept",
    "{then: delete}": "3:12: retention: needs at least one of age, count and size, as in {age: 90d}",
    "{age: 0}": "3:18: retention.age: must be longer than nothing",
    "{count: 0}": "3:20: retention.count: '0' is no whole number from 1",
    "{size: big}": "3:19: retention.size: 'big' is no size; write 500MB, 10GB or 10GiB",
    "{age: 1d, then: forget}": "3:28: retention.then: 'forget' is no end of a run; write archive or delete",
    "{days: 3}": "3:13: retention.days: unknown key",
}


@pytest.mark.parametrize("text", GOOD)
def test_understood(tmp_path: Path, text: str) -> None:
    """One limit is enough, and what goes is archived unless the file says otherwise."""
    assert GOOD[text] == job_of(tmp_path, JOB + text).retention


@pytest.mark.parametrize("text", BAD)
def test_refused(tmp_path: Path, text: str) -> None:
    """Each mistake is named at its place."""
    assert problems_of(tmp_path, JOB + text)[0].startswith(BAD[text])


def test_of_a_folder(tmp_path: Path) -> None:
    """Each job of a folder gets the limits of its defaults, unless it has its own; others have none."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "_defaults.yaml").write_text("retention: {count: 5}\n")
    jobs = load(tmp_path, "jobs:\n  a: {host: h, command: c}\n  b: {host: h, command: c, retention: {age: 1d}}\n").jobs

    assert {"job/a": Retention(count=5), "job/b": Retention(age=DAY)} == {id: job.retention for id, job in jobs.items()}
    assert job_of(tmp_path / "other", "host: h\ncommand: c\n").retention is None
