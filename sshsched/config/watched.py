"""The files that jobs are made of, as a scheduler sees them that lives with them for years.

Rule: a look costs no more than the operating system's own word on each file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sshsched.config.folder import JOBS
from sshsched.config.jobs import load_jobs
from sshsched.config.settings import FILE
from sshsched.errors import Problem
from sshsched.kinds.jobs import Job

WATCHED = (JOBS, "calendars")
SUFFIXES = (".yaml", ".yml", ".cal")
DEEPEST = 40


class JobsFolder:
    """The job files of a config folder, with what they depend on. Methods block."""

    def __init__(self, config_dir: Path) -> None:
        self._config_dir = config_dir

    def load(self) -> tuple[Mapping[str, Job], Sequence[Problem]]:
        """All good jobs, and what is wrong with the others."""
        return load_jobs(self._config_dir)

    def stamp(self) -> object:
        """What changes when any of the files does: which there are, and the time, size and number of each."""
        status = _status(self._config_dir / FILE)
        folders = [each for name in WATCHED for each in _files(str(self._config_dir / name), ())]
        return hash((status, frozenset(folders)))


def _files(folder: str, above: tuple[object, ...]) -> Iterator[object]:
    try:
        status = os.stat(folder)  # noqa: PTH116 - ten thousand Paths would cost more than the looks
        identity = (status.st_dev, status.st_ino)
        if identity in above or len(above) > DEEPEST:
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.name.endswith(SUFFIXES):
                    yield entry.path, _status(entry)
                elif entry.is_dir():
                    yield from _files(entry.path, (*above, identity))
    except OSError as error:
        yield folder, error.errno


def _status(entry: os.DirEntry[str] | Path) -> object:
    try:
        status = entry.stat()
    except OSError as error:
        return error.errno
    return status.st_mtime_ns, status.st_size, status.st_ino
