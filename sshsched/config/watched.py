"""The files that jobs are made of, as a scheduler sees them that lives with them for years.

Rule: a look costs no more than the operating system's own word on each file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sshsched.config.calendars import FOLDER as CALENDARS
from sshsched.config.defaults import Defaults
from sshsched.config.folder import DEFAULTS, JOBS, JobFile
from sshsched.config.jobs import load_jobs, read_jobs
from sshsched.config.renderer import renderer
from sshsched.config.settings import FILE
from sshsched.config.surroundings import Surroundings
from sshsched.errors import Problem
from sshsched.kinds.jobs import Job

LOCAL_ZONE = Path("/etc/localtime")
SUFFIXES = (".yaml", ".yml", ".cal")
DEEPEST = 40

Stamp = tuple[str, object]
"""A path, and what changes when its file does."""
Good = tuple[list[Job], list[Problem]]


class JobsFolder:
    """The job files of a config folder, with what they depend on. Methods block, and are called one at a time.

    A file that has not changed is not read again, unless settings, calendars, defaults or the machine's zone have.
    """

    def __init__(self, config_dir: Path) -> None:
        self.render = renderer(config_dir)
        self.config_dir = config_dir
        self._shared: object = None
        self._read: dict[str, tuple[object, Good]] = {}

    def load(self) -> tuple[Mapping[str, Job], Sequence[Problem]]:
        """All good jobs, and what is wrong with the others."""
        stamps = dict(self._stamps())
        shared = [(path, stamp) for path, stamp in stamps.items() if self._is_shared(path)]
        if shared != self._shared:
            self._read.clear()
        self._shared = shared
        before, self._read = self._read, {}

        def read(file: JobFile, around: Surroundings, defaults: Defaults) -> Good:
            path = str(file.path)
            stamp = stamps.get(path)
            known = before.get(path)
            found = known[1] if known and known[0] == stamp else read_jobs(file, around, defaults)
            self._read[path] = stamp, found
            return found

        return load_jobs(self.config_dir, read)

    def stamp(self) -> object:
        """What changes when any of the files does: which there are, and the time, size and number of each."""
        return hash(frozenset(self._stamps()))

    def _stamps(self) -> Iterator[Stamp]:
        for path in (self.config_dir / FILE, LOCAL_ZONE):
            yield str(path), _status(path)
        for name in (JOBS, CALENDARS):
            yield from _files(str(self.config_dir / name), ())

    def _is_shared(self, path: str) -> bool:
        return path.endswith(f"/{DEFAULTS}") or not path.startswith(f"{self.config_dir / JOBS}/")


def _files(folder: str, above: tuple[object, ...]) -> Iterator[Stamp]:
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
