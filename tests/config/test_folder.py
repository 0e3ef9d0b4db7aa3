"""The jobs folder: paths make ids, and what cannot be a job file is not passed over."""

from __future__ import annotations

import os
from pathlib import Path

from sshsched.config.jobs import load_jobs
from tests.config.reading import write

GOOD = "host: a\ncommand: b\n"


def problems_in(folder: Path) -> list[str]:
    return [str(problem) for problem in load_jobs(folder).problems]


def test_the_path_is_the_id(tmp_path: Path) -> None:
    """Folders are the parts before the slashes."""
    write(tmp_path, a=GOOD, b__c=GOOD, b__d__e=GOOD)

    assert ["a", "b/c", "b/d/e"] == list(load_jobs(tmp_path).jobs)


def test_dot_files_and_strangers_are_left_out(tmp_path: Path) -> None:
    """Version control, editors and notes may live in the folder."""
    write(tmp_path, a=GOOD, **{".git__b": "x", ".hidden": "x"})
    for name in ("README.md", "a.yaml~", "#a.yaml#", "a.yaml.swp", "yaml"):
        (tmp_path / "jobs" / name).write_text("x")

    assert ["a"] == list(load_jobs(tmp_path).jobs)
    assert [] == problems_in(tmp_path)


def test_yml_is_to_be_renamed(tmp_path: Path) -> None:
    """One ending is enough, and a file with the other one must not be silence."""
    write(tmp_path, sub__a=GOOD)
    (tmp_path / "jobs/sub/b.yml").write_text(GOOD)

    assert ["jobs/sub/b.yml:1:1: job files end in .yaml; rename it to b.yaml"] == problems_in(tmp_path)


def test_a_name_that_makes_no_id(tmp_path: Path) -> None:
    """Ids are typed on command lines."""
    write(tmp_path, **{"a b": GOOD, "-c": GOOD})

    assert [
        f"jobs/{name}.yaml:1:1: no job id can be made of this path; use letters, digits and . _ + @ -, and no spaces"
        for name in ("-c", "a b")
    ] == sorted(problems_in(tmp_path))


def test_a_name_in_no_encoding(tmp_path: Path) -> None:
    """Even that can be shown."""
    write(tmp_path, a=GOOD)
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/jobs/caf\xe9.yaml"))).write_text(GOOD)
    (problem,) = problems_in(tmp_path)

    assert problem.encode()
    assert problem.startswith("jobs/caf\\udce9.yaml:1:1: no job id")


def test_links_are_followed(tmp_path: Path) -> None:
    """Dotfiles are often links into a repository."""
    write(tmp_path / "repository", a=GOOD, b__c=GOOD)
    (tmp_path / "jobs").symlink_to(tmp_path / "repository/jobs")

    assert ["a", "b/c"] == list(load_jobs(tmp_path).jobs)


def test_links_to_nowhere_and_in_circles(tmp_path: Path) -> None:
    """Each is a problem, and neither holds anybody for ever."""
    write(tmp_path, a=GOOD)
    (tmp_path / "jobs/b.yaml").symlink_to("gone")
    (tmp_path / "jobs/c").symlink_to("../jobs")

    assert ["a"] == list(load_jobs(tmp_path).jobs)
    assert [
        "jobs/b.yaml:1:1: this link points to nothing; mend or remove it",
        "jobs/c:1:1: this link leads back to a folder above it; remove it",
    ] == sorted(problems_in(tmp_path))


def test_a_file_in_the_folder_s_place(tmp_path: Path) -> None:
    """It is named."""
    (tmp_path / "jobs").write_text(GOOD)

    assert ["jobs:1:1: cannot be read: Not a directory"] == problems_in(tmp_path)


def test_a_folder_called_like_a_file(tmp_path: Path) -> None:
    """A folder is a folder, whatever its name."""
    write(tmp_path, **{"x.yaml__a": GOOD})

    assert ["x.yaml/a"] == list(load_jobs(tmp_path).jobs)
