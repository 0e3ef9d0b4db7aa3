"""What every command shares: the two folders, and the ways to the scheduler and to the store.

Rule: nothing is opened or imported before a command needs it, not even pathlib: a waited run has no use for it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from sshsched.config import paths
from sshsched.errors import NoSchedulerError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sshsched.domain.model import Run
    from sshsched.domain.shape import Shape
    from sshsched.service.client import Client
    from sshsched.store.output import OutputFiles
    from sshsched.store.reader import Reader

T = TypeVar("T")

AT_ONCE = 5.0  # seconds that somebody waits who only asks how the scheduler is


class App:
    """One invocation's surroundings; click hands it to each command."""

    def __init__(self, config_dir: str | None, state_dir: str | None) -> None:
        self._config_dir = paths.config_dir(config_dir)
        self._state_dir = paths.state_dir(state_dir)
        self.archive: str | None = None
        """The archive that is read instead of the store; see options.archive_option()."""

    @cached_property
    def config_dir(self) -> Path:
        from pathlib import Path

        return Path(self._config_dir)

    @cached_property
    def state_dir(self) -> Path:
        from pathlib import Path

        return Path(self._state_dir)

    def reader(self) -> Reader:
        """The past, read-only, also when no scheduler runs. Raises NotFoundError for an archive that is not there."""
        from sshsched.store.reader import Reader

        return Reader(self.state_dir) if self.archive is None else Reader.of_archive(self._archive_file(self.archive))

    def files(self) -> OutputFiles:
        from sshsched.store.output import OutputFiles

        if self.archive is None:
            return OutputFiles(self.state_dir)
        from sshsched.store.archive import output_of

        return output_of(self._archive_file(self.archive))

    def client(self) -> Client:
        """A way to the scheduler, if there is one."""
        from sshsched.service.client import Client

        return Client(self._state_dir)

    def scheduler(self) -> Shape:
        """What the scheduler says of itself. Raises NoSchedulerError, and SchedulerError if it does not answer soon."""
        from sshsched.service.client import Client

        return Client(self._state_dir, timeout=AT_ONCE).status()

    def ask(self, question: Callable[[Client], T]) -> T:
        """The scheduler's answer; one is started in the background if none listens. Raises SchedulerError."""
        try:
            with self.client() as client:
                return question(client)
        except NoSchedulerError:
            # Nobody listened, so nothing was asked: asking again does nothing twice.
            self.start_scheduler()
            with self.client() as client:
                return question(client)

    def _archive_file(self, text: str) -> Path:
        from pathlib import Path

        return Path(text).expanduser().absolute()

    def start_scheduler(self) -> None:
        from sshsched.cli.background import start

        start(self)

    def scheduler_runs(self) -> bool:
        from sshsched.cli.background import listens

        return listens(self.state_dir)


def run_number(text: str) -> int:
    """The id that somebody typed. Raises UsageError."""
    from sshsched.domain.model import run_id

    number = run_id(text)
    if number is None:
        raise UsageError(f"'{text}' is no run; a run is written like r12 (`sshsched runs` lists them)")
    return number


def run_numbers(texts: Iterable[str]) -> list[int]:
    """The same for several, each once, in the order typed."""
    return list(dict.fromkeys(map(run_number, texts)))


def find_run(reader: Reader, number: int) -> Run:
    """The run, from the store. Raises NotFoundError."""
    run = reader.run(number)
    if run is None:
        raise NotFoundError(f"no run r{number}; `sshsched runs` lists them")
    return run
