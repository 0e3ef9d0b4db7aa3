"""Schedules and programs of other people's kinds in job files: what they are told, and what is wrong with it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sshsched.config.jobs import job_file_schema, load_jobs
from sshsched.config.templates import render
from sshsched.domain.program import Program, Stop
from sshsched.errors import UsageError
from sshsched.kinds.due import upcoming
from sshsched.kinds.jobs import Job, bind
from tests.kinds.conftest import own_folder, tides

__all__ = ["own_folder", "tides"]

T0 = 1_800_000_000.0


def read(folder: Path, text: str) -> tuple[Job | None, list[str]]:
    """The job that a file describes, and what is wrong with it."""
    (folder / "jobs").mkdir()
    (folder / "jobs" / "boat.yaml").write_text(text)
    loaded = load_jobs(folder)
    return loaded.jobs.get("boat"), list(map(str, loaded.problems))


def good(folder: Path, text: str) -> Job:
    job, problems = read(folder, text)
    assert [] == problems
    assert job is not None
    return job


BOAT = "host: nas\nparams: {crew: {default: '4'}, to: {default: Husum}}\n"


def test_a_program_of_a_package(tides: Path, tmp_path: Path) -> None:
    """A kind's options are filled in when a run is bound; what the job says beside it goes before."""
    job = good(
        tmp_path,
        BOAT
        + "program: {type: row, port: '{{ to }}', crew: '{{ crew }}', env: {OAR: '{{ crew }} m'}}\n"
        + "timeout: 5m\nstop: {signal: INT}\n",
    )
    program = bind(job, {"to": "Cuxhaven"}, render).program

    assert (
        Program(
            argv=("row", "--crew", "4", "Cuxhaven"),
            env={"PORT": "Cuxhaven", "OAR": "4 m"},
            timeout=300.0,
            stop=Stop("INT"),
        )
        == program
    )


def test_a_program_of_the_user(own_folder: Path, tmp_path: Path) -> None:
    """A dotted name leads into the kinds/ folder of the config folder."""
    (own_folder / "mine.py").write_text(
        "from sshsched.domain.program import Program\n"
        "from sshsched.kinds.programs.base import ProgramKind\n"
        "class Say(ProgramKind, frozen=True, kw_only=True):\n"
        "    word: str\n"
        "    def program(self) -> Program:\n"
        "        return Program(argv=('echo', self.word))\n"
    )
    job = good(tmp_path, 'host: nas\nprogram: {type: mine.Say, word: "it\'s {{ job_id }}"}\n')

    assert ("echo", "it's boat") == bind(job, {}, render).program.argv


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("{type: rwo}", "jobs/boat.yaml:3:17: program.type: unknown 'rwo'; did you mean 'row'?"),
        ("{type: row}", "jobs/boat.yaml:3:10: program: the key 'port' is missing: where to"),
        ("{type: row, prot: x}", "jobs/boat.yaml:3:22: program.prot: unknown key; did you mean 'port'?"),
        (
            "{type: row, port: x, crew: many}",
            "jobs/boat.yaml:3:37: program.crew: 'many': expected a whole number, got a",
        ),
        ("{type: row, port: '{{ too }}'}", "jobs/boat.yaml:3:28: program.port: "),
        ("{type: row, port: x}\ncommand: true", "jobs/boat.yaml:4:1: command: both 'program' and 'command' are given"),
        ("{type: tide, port: x}", "jobs/boat.yaml:3:17: program.type: unknown 'tide'; "),
    ],
)
def test_what_is_wrong_with_a_program(tides: Path, tmp_path: Path, program: str, problem: str) -> None:
    """Each mistake is named at its place; the job is not loaded."""
    job, problems = read(tmp_path, f"{BOAT}program: {program}\n")

    assert None is job
    assert any(each.startswith(problem) for each in problems), problems


def test_a_step_has_no_program_of_a_kind(tides: Path, tmp_path: Path) -> None:
    """In a workflow it is a job that a step runs; whoever writes it in a step, or beside the steps, is told so."""
    step = "host: nas\nsteps:\n  sail:\n    program: {type: row, port: x}\n"
    _, problems = read(tmp_path, step)
    (tmp_path / "more").mkdir()
    _, others = read(tmp_path / "more", "host: nas\nprogram: {type: row, port: x}\nsteps: {sail: {command: x}}\n")

    assert any("a program with a `type` belongs to a job" in each for each in problems), problems
    assert ["jobs/boat.yaml:2:1: program: belongs to one of the steps, not beside 'steps'"] == others


def test_a_program_that_cannot_be_made(tides: Path, tmp_path: Path) -> None:
    """What turns out to be wrong when a run is bound is an error of that run, which names job and kind."""
    job = good(tmp_path, f"{BOAT}program: {{type: row, port: x, crew: '{{{{ crew }}}}'}}\n")
    with pytest.raises(UsageError, match=r"^job 'boat': program of type 'row': crew: expected a whole number"):
        bind(job, {"crew": "many"}, render)

    assert "4" in bind(job, {}, render).program.argv


def test_a_schedule_of_a_package(tides: Path, tmp_path: Path) -> None:
    """A kind's schedule takes its own options and those of all schedules; its zone is the usual one."""
    job = good(
        tmp_path,
        "host: nas\ncommand: row\nschedule: {type: tides, port: Husum, tz: Europe/Berlin, stop: 1h, args: {}}\n",
    )
    (timed,) = job.schedules
    first, second = (each.at for each in islice(upcoming(timed.schedule, timed.options, T0, job="boat"), 2))

    assert 44_712.0 == second - first
    assert T0 < first <= T0 + 44_712
    assert "Europe/Berlin" == timed.schedule.tz  # type: ignore[attr-defined]
    assert timed.options.stop is not None


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ("{type: tidess}", "jobs/boat.yaml:3:18: schedule.type: unknown type 'tidess'; did you mean 'tides'?"),
        ("{type: tides}", "jobs/boat.yaml:3:11: schedule: the key 'port' is missing"),
        ("{type: tides, prot: x}", "jobs/boat.yaml:3:11: schedule: unknown 'prot'; did you mean 'port'?"),
        ("{type: nowhere.Tides}", "jobs/boat.yaml:3:18: schedule.type: unknown type 'nowhere.Tides': "),
        ("{type: tides, port: x, jitter: often}", "jobs/boat.yaml:3:42: schedule.jitter: 'often' is no duration"),
    ],
)
def test_what_is_wrong_with_a_schedule(tides: Path, tmp_path: Path, schedule: str, problem: str) -> None:
    """Each mistake is named at its place; the job is not loaded."""
    _, problems = read(tmp_path, f"host: nas\ncommand: row\nschedule: {schedule}\n")

    assert any(each.startswith(problem) for each in problems), problems


def test_editors_take_them() -> None:
    """The JSON Schema allows kinds that it does not know; what it knows it holds to its keys."""
    schema = Draft202012Validator(job_file_schema())
    taken = {"host": "nas", "program": {"type": "row", "port": "x"}, "schedule": {"type": "tides", "port": "x"}}

    assert schema.is_valid(taken)
    assert schema.is_valid({"host": "nas", "program": {"command": "x"}})
    assert not schema.is_valid({"host": "nas", "program": {"comand": "x"}})
    assert not schema.is_valid({"host": "nas", "command": "x", "schedule": {"type": "daily", "port": "x"}})
