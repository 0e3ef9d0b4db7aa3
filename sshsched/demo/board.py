"""What the spectators of the demo see: a live table on a terminal, elsewhere a line for each change.

Rule: it only reads the scheduler's event stream, as any client may, and knows nothing else about runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sshsched.domain.shape import Shape
from sshsched.domain.states import FINISHED
from sshsched.errors import SchedulerError, SshschedError
from sshsched.service.client import Client

COLOURS = {"success": "green", "failure": "red", "error": "bold red", "stopping": "yellow", "running": "cyan"}
DETAILS = {"exit_code": "exit code {}", "signal": "signal {}", "unreachable_since": "unreachable since {:.19}Z"}
AWAY = 60.0  # seconds for which the scheduler may be gone before the board gives up
POLL = 0.02


class Board:
    """The runs as the scheduler last told them."""

    def __init__(self, console: Console, state_dir: Path) -> None:
        self._console = console
        self._client = Client(state_dir, patience=AWAY)
        self._runs: dict[str, Shape] = {}
        self._told: dict[str, str] = {}
        self._begin = time.monotonic()
        self._problem: SshschedError | None = None

    @contextmanager
    def watching(self, runs: Sequence[str]) -> Iterator[None]:
        """Keep the board up to date with these runs while entered."""
        threading.Thread(target=self._watch, args=(runs,), daemon=True).start()
        if not self._console.is_terminal:
            yield
            return
        with Live(get_renderable=self.table, console=self._console, refresh_per_second=8, transient=True):
            yield

    def say(self, text: str) -> None:
        """A sentence about what happens now."""
        self._console.print()
        self._console.print(Text(text, style="bold"))

    def wait(self, what: str, come: Callable[[], object], within: float = 60.0) -> None:
        """Until something has come true. Raises SchedulerError, saying what did not."""
        end = time.monotonic() + within
        while not come():
            if self._problem:
                raise self._problem
            if time.monotonic() > end:
                raise SchedulerError(f"the demo waited {within:.0f} s in vain until {what}")
            time.sleep(POLL)

    def run(self, name: str) -> Shape:
        """A run as it was last told; empty before it was."""
        return self._runs.get(name, {})

    def first_words(self, name: str) -> str:
        """The first line that a run prints, as soon as it has come."""
        return next(self._client.output(name, follow=True)).decode().partition("\n")[0]

    def finished(self, name: str) -> bool:
        return self.run(name).get("state") in FINISHED

    def table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for title in ("run", "job", "host", "state", "how", "output"):
            table.add_column(title, justify="right" if title == "output" else "left")
        for name in sorted(self._runs, key=lambda name: int(name[1:])):
            run = self._runs[name]
            size = f"{run['stdout_size'] + run['stderr_size']:,} B"
            state = Text(run["state"], style=COLOURS.get(run["state"], ""))
            table.add_row(name, Text(run["job"] or ""), Text(run["host"]), state, Text(details(run)), size)
        return table

    def _watch(self, runs: Sequence[str]) -> None:
        try:
            for event, shape in self._client.events(runs):
                for run in shape["runs"] if event == "snapshot" else [shape]:
                    self._update(event, run)
        except SshschedError as error:
            self._problem = error

    def _update(self, event: str, shape: Shape) -> None:
        if event in ("snapshot", "run"):
            self._runs[shape["run"]] = shape
            self._tell(shape)
        elif event == "output":
            self._runs[shape["run"]] = {**self._runs[shape["run"]], **shape}

    def _tell(self, run: Shape) -> None:
        """Where nothing can be redrawn, only news is worth a line."""
        news = ", ".join(filter(None, [run["state"], details(run)]))
        if self._console.is_terminal or news == self._told.get(run["run"]):
            return
        self._told[run["run"]] = news
        self._console.print(Text(f"{time.monotonic() - self._begin:6.2f} s  {run['run']} {run['job']}: {news}"))


def details(run: Shape) -> str:
    """How a run ended, or what keeps it out of sight."""
    said = [words.format(run[key]) for key, words in DETAILS.items() if run[key] not in (None, 0)]
    if run["state"] in FINISHED and run["reason"] not in ("exited", "signalled"):
        said.append(run["reason"])
    return ", ".join(said)
