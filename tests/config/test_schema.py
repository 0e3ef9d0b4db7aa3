"""The JSON Schema that editors are given, and the files that we show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from sshsched.config.hosts import load_hosts
from sshsched.config.jobs import job_file_schema, load_jobs
from sshsched.config.renderer import renderer
from sshsched.config.settings import load_settings
from sshsched.kinds.due import upcoming
from sshsched.kinds.jobs import Job, bind
from tests.config.corpus import good_jobs, spoiled
from tests.config.reading import load
from tests.support import ROOT

FOLDERS = (ROOT, ROOT / "examples")
FILES = [path for folder in FOLDERS for path in sorted((folder / "jobs").rglob("*.yaml"))]
NOW = 1_800_000_000.0  # in January 2027, which the calendars in examples/ know
VALIDATOR = Draft202012Validator(job_file_schema())


class Editor(yaml.SafeLoader):
    """YAML 1.2, as editors read it: `on` and `no` are words."""

    yaml_implicit_resolvers: ClassVar = {
        first: [each for each in found if each[0] != "tag:yaml.org,2002:bool" or first in "tTfF"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def seen_by_an_editor(text: str) -> Any:
    """A file with YAML's own guesses about numbers and truths."""
    return yaml.load(text, Loader=Editor)


def test_the_schema_is_one() -> None:
    """It is a valid JSON Schema."""
    Draft202012Validator.check_schema(job_file_schema())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_we_show_fits_the_schema(path: Path) -> None:
    """No editor underlines anything in jobs/ and examples/."""
    assert [] == [error.message for error in VALIDATOR.iter_errors(seen_by_an_editor(path.read_text()))]


def runs_of(job: Job) -> Iterator[tuple[dict[str, str], float]]:
    """Args and times: of the next run of each schedule, or made up for a job that is run by hand."""
    for timed in job.schedules:
        target = next(upcoming(timed.schedule, timed.options, NOW, job=job.id))
        yield timed.options.run_args(target, {param.name for param in job.params}), target.scheduled
    if not job.schedules:
        yield {p.name: p.choices[0] if p.choices else "x" for p in job.params if p.default is None}, NOW


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_every_folder_that_we_show_loads(folder: Path) -> None:
    """All jobs, hosts and settings in it are good, each job can be bound, and opens with what it teaches."""
    loaded = load_jobs(folder)
    load_hosts(folder)
    load_settings(folder)
    bound = [bind(job, args, renderer(folder), at) for job in loaded.jobs.values() for args, at in runs_of(job)]

    assert [] == loaded.problems
    assert loaded.jobs
    assert {job.id for job in loaded.jobs.values()} == {each.job_id for each in bound}
    assert all((folder / job.file).read_text().startswith("# ") for job in loaded.jobs.values())


@given(good_jobs())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_good_file_fits_the_schema(tmp_path: Path, job: dict[str, Any]) -> None:
    """Whatever the reader takes, the schema takes, too."""
    text = yaml.safe_dump(job, allow_unicode=True)

    assert [] == load(tmp_path, text).problems
    assert [] == [error.message for error in VALIDATOR.iter_errors(seen_by_an_editor(text))]


@given(spoiled())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_file_with_a_wrong_key_or_value_fits_neither(tmp_path: Path, job: dict[str, Any]) -> None:
    """What the schema would underline, the reader refuses, and the other way round."""
    text = yaml.safe_dump(job, allow_unicode=True)

    assert load(tmp_path, text).problems
    assert not VALIDATOR.is_valid(seen_by_an_editor(text))


def test_kinds_of_an_installed_package_are_in_it(tides: Path) -> None:
    """An editor knows the options of a condition and an action of a third party, and a broken one costs the others
    nothing."""
    job = {"host": "a", "command": "b", "condition": {"type": "tide", "port": "Husum"}}
    known = Draft202012Validator(job_file_schema())

    assert known.is_valid(job)
    assert not known.is_valid({**job, "condition": {"type": "tide", "prt": "Husum"}})
    assert not VALIDATOR.is_valid(job)
