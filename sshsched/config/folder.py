"""The files below `jobs/` and the job ids that follow from their paths.

Rule: `jobs/reports/build.yaml` is the job `reports/build`. Names that begin with a dot are left out, links are
followed, and whatever looks like a job file but cannot be one is a problem rather than a silence.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sshsched.config.nodes import shown
from sshsched.errors import Problem

JOB_WORD: Final = r"\w[\w.+@-]*"
JOBS: Final = "jobs"
DEFAULTS: Final = "_defaults.yaml"
"""In any folder: what its jobs share, and no job itself."""


@dataclass(frozen=True, slots=True)
class JobFile:
    """A file of one job, or of several: then `base` is the first part of their ids. `label` is how messages name it."""

    path: Path
    base: str

    @property
    def label(self) -> str:
        return f"{JOBS}/{self.base}.yaml"


def job_files(config_dir: Path, problems: list[Problem]) -> list[JobFile]:
    """All job files, by id. A folder that is not there holds none."""
    top = config_dir / JOBS
    if not os.path.lexists(top):
        return []
    return sorted(_walk(top, "", (), problems), key=lambda file: file.base)


def _walk(folder: Path, prefix: str, above: tuple[tuple[int, int], ...], problems: list[Problem]) -> Iterator[JobFile]:
    def note(name: str, message: str) -> None:
        problems.append(Problem(shown(f"{JOBS}/{prefix}{name}".rstrip("/"), quote=""), 1, 1, "", message))

    try:
        status = folder.stat()
        identity = (status.st_dev, status.st_ino)
        entries = list(os.scandir(folder))
    except OSError as error:
        note("", f"cannot be read: {error.strerror}")
        return
    if identity in above:
        note("", "this link leads back to a folder above it; remove it")
        return
    for entry in entries:
        stem, dot, kind = entry.name.rpartition(".")
        if entry.name.startswith(".") or entry.name == DEFAULTS:
            continue
        if entry.is_dir():
            yield from _walk(folder / entry.name, f"{prefix}{entry.name}/", (*above, identity), problems)
        elif not dot or kind not in ("yaml", "yml"):
            continue
        elif kind == "yml":
            note(entry.name, f"job files end in .yaml; rename it to {shown(stem, '')}.yaml")
        elif not os.path.exists(entry.path):  # noqa: PTH110 - a Path for each of ten thousand files takes its time
            note(entry.name, "this link points to nothing; mend or remove it")
        elif not all(re.fullmatch(JOB_WORD, word) for word in f"{prefix}{stem}".split("/")):
            note(entry.name, "no job id can be made of this path; use letters, digits and . _ + @ -, and no spaces")
        else:
            yield JobFile(folder / entry.name, f"{prefix}{stem}")
