"""A jobs folder over time: what is read again, and when."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sshsched.config import watched
from sshsched.config.folder import JobFile
from sshsched.config.watched import JobsFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "x/b", "x/c"):
        write(tmp_path, f"jobs/{name}.yaml", "host: h\ncommand: 'true'\n")
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read from now on."""
    names: list[str] = []
    real = watched.read_jobs

    def noted(file: JobFile, *rest: object) -> watched.Good:
        names.append(file.base)
        return real(file, *rest)

    monkeypatch.setattr(watched, "read_jobs", noted)
    return names


def test_only_what_changed_is_read(folder: Path, read: list[str]) -> None:
    """After a change in one file, the others are as they were."""
    files = JobsFolder(folder)
    files.load()
    write(folder, "jobs/x/b.yaml", "host: h\ncommand: 'false'\n")
    read.clear()
    jobs, problems = files.load()

    assert ["x/b"] == read
    assert {"a": "true", "x/b": "false", "x/c": "true"} == {name: job.program.command for name, job in jobs.items()}
    assert not problems


@pytest.mark.parametrize(
    "name", ["config.yaml", "jobs/_defaults.yaml", "jobs/x/_defaults.yaml", "calendars/days.cal", "calendars/days.yaml"]
)
def test_what_all_depend_on(folder: Path, read: list[str], name: str) -> None:
    """Where settings, defaults or calendars change, all is read again."""
    files = JobsFolder(folder)
    files.load()
    write(folder, name, "2024-01-01\n" if name.endswith(".cal") else "")
    read.clear()
    files.load()

    assert ["a", "x/b", "x/c"] == sorted(read)


def test_problems_stay(folder: Path, read: list[str]) -> None:
    """The problems of a file that has not changed are told each time."""
    write(folder, "jobs/bad.yaml", "host: h\n")
    files = JobsFolder(folder)

    assert files.load()[1] == files.load()[1] != []
    assert 1 == read.count("bad")


def same_text(folder: Path) -> None:
    (folder / "jobs/a.yaml").write_text("host: g\ncommand: 'true'\n")


def replaced(folder: Path) -> None:
    write(folder, "jobs/a.new", (folder / "jobs/a.yaml").read_text())
    (folder / "jobs/a.new").rename(folder / "jobs/a.yaml")


def removed(folder: Path) -> None:
    (folder / "jobs/x/b.yaml").unlink()


def moved(folder: Path) -> None:
    (folder / "jobs/x").rename(folder / "jobs/y")


def behind_a_link(folder: Path) -> None:
    write(folder, "elsewhere/l.yaml", "host: h\ncommand: 'false'\n")


def calendar(folder: Path) -> None:
    write(folder, "calendars/days.cal", "2024-01-01\n")


def settings(folder: Path) -> None:
    write(folder, "config.yaml", "tz: UTC\n")


@pytest.mark.parametrize("change", [same_text, replaced, removed, moved, behind_a_link, calendar, settings])
def test_changes_are_seen(folder: Path, change: object) -> None:
    """Whatever somebody does to a file, the stamp is another one then; without a change it is the same."""
    assert callable(change)
    write(folder, "elsewhere/l.yaml", "host: h\ncommand: true\n")
    (folder / "jobs/l.yaml").symlink_to(folder / "elsewhere/l.yaml")
    (folder / "jobs/round").symlink_to(folder / "jobs")
    files = JobsFolder(folder)
    before = files.stamp()
    still = files.stamp()
    os.utime(folder / "jobs/a.yaml", ns=(1, 1))  # so that a change within one tick of the clock shows
    early = files.stamp()
    change(folder)

    assert before == still
    assert files.stamp() not in (before, early)


def test_nothing_there(tmp_path: Path) -> None:
    """A config folder without jobs has none, and a stamp."""
    files = JobsFolder(tmp_path / "none")

    assert ({}, []) == files.load()
    assert files.stamp() == files.stamp()
