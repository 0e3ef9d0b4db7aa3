"""`_defaults.yaml`: what the jobs of a folder share."""

from __future__ import annotations

from pathlib import Path

import pytest

from sshsched.config.jobs import load_job, load_jobs
from sshsched.errors import ConfigError
from sshsched.kinds.schedules.every import Every
from tests.config.reading import write


def test_the_nearest_word_counts(tmp_path: Path) -> None:
    """The job's own key, then that of its folder, then of the folder above; each key counts whole."""
    write(
        tmp_path,
        _defaults="host: top\ntimeout: 1m\nschedule: every 1h",
        a="command: a",
        web___defaults="program: {env: {A: '1', B: '2'}, cwd: /srv}\nhost: web",
        web__b="command: b\nenv: {A: '3'}\ntimeout: 2m",
        web__deep__c="jobs: {one: {command: c}, two: {host: c2, argv: [c]}}",
    )
    jobs = load_jobs(tmp_path).jobs
    b = jobs["web/b"]

    assert {"a": "top", "web/b": "web", "web/deep/c/one": "web", "web/deep/c/two": "c2"} == {
        job.id: job.host for job in jobs.values()
    }
    assert [(Every(3600.0),)] * 4 == [tuple(s.schedule for s in job.schedules) for job in jobs.values()]
    assert ({"A": "3"}, "/srv", 120.0) == (b.program.env, b.program.cwd, b.program.timeout)
    assert {"A": "1", "B": "2"} == jobs["web/deep/c/one"].program.env
    assert b == load_job(tmp_path, "web/b")


def test_a_program_of_its_own_counts_in_either_form(tmp_path: Path) -> None:
    """A job with argv does not get the command of its folder as well."""
    write(tmp_path, _defaults="host: a\ncommand: usual", own="argv: [mine]", usual="timeout: 1m")
    jobs = load_jobs(tmp_path).jobs

    assert {"own": None, "usual": "usual"} == {name: job.program.command for name, job in jobs.items()}


def test_a_bad_file_of_defaults_is_told_once(tmp_path: Path) -> None:
    """At its own place. The jobs that need it do not load; others do."""
    write(tmp_path, ok="host: a\ncommand: a", web___defaults="hots: a\ntimeout: x", web__a="command: a", web__b="x: y")
    loaded = load_jobs(tmp_path)

    assert ["ok"] == list(loaded.jobs)
    assert [
        "jobs/web/_defaults.yaml:1:1: hots: unknown key; did you mean 'host'?",
        "jobs/web/_defaults.yaml:2:10: timeout: 'x' is no duration; write 90s, 15m, 2h or 1d",
    ] == [str(problem) for problem in loaded.problems]
    with pytest.raises(ConfigError, match="hots"):
        load_job(tmp_path, "web/a")


def test_what_only_does_not_fit_together_is_told_of_the_job(tmp_path: Path) -> None:
    """With a hint where it comes from."""
    write(tmp_path, _defaults="host: a\nenv: {DAY: '{{ day }}'}", good="command: a\nparams: [day]", bad="command: a")
    loaded = load_jobs(tmp_path)

    assert ["good"] == list(loaded.jobs)
    assert ["jobs/bad.yaml:1:1: env.DAY (from jobs/_defaults.yaml): 'day' is not defined; the job has no params"] == [
        str(problem) for problem in loaded.problems
    ]


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    """Nor does one of comments only."""
    write(tmp_path, _defaults="# later", a="host: a\ncommand: a")

    assert ["a"] == list(load_jobs(tmp_path).jobs)
