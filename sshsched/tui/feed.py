"""The event stream, read in a thread and folded: the screen takes what has changed, at most some times a second.

Rule: nothing is polled while a scheduler is there. However many changes come, one wake-up is pending at most, and each
run stands in what is pending once, as it was last.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sshsched.errors import SshschedError
from sshsched.service.client import Client
from sshsched.tui.model import Shape

RETRY = 0.25  # seconds between two looks for a scheduler that is gone


@dataclass
class News:
    """What has changed since it was last taken. With a `snapshot`, all that was known before it is void."""

    snapshot: Shape | None = None
    runs: dict[str, Shape] = field(default_factory=dict)
    hosts: dict[str, Shape] = field(default_factory=dict)
    outputs: dict[str, Shape] = field(default_factory=dict)
    jobs: bool = False
    """The job files have been read again."""
    gone: float | None = None
    """Since when no scheduler answers, in seconds since 1970."""


class Feed:
    """Reads for ever in a daemon thread. `wake` is called there when there is news after there was none."""

    def __init__(self, state_dir: Path, wake: Callable[[], None], now: Callable[[], float]) -> None:
        self._client = Client(state_dir, patience=0)
        self._wake, self._now = wake, now
        self._lock = threading.Lock()
        self._news = News()
        self._fresh = False
        self._ended = False
        self._gone: float | None = None

    def begin(self) -> None:
        threading.Thread(target=self._read, name="feed", daemon=True).start()

    def end(self) -> None:
        """Say nothing more."""
        self._ended = True
        self._client.cut()

    def take(self) -> News:
        """What has come since the last time."""
        with self._lock:
            news, self._news, self._fresh = self._news, News(gone=self._gone), False
        return news

    def _read(self) -> None:
        while not self._ended:
            try:
                for event, data in self._client.events():
                    if self._ended:
                        return
                    self._hear(event, data)
            except (SshschedError, ValueError):  # gone, or it said what nobody understands: asked again either way
                self._miss()
            time.sleep(RETRY)

    def _hear(self, event: str, data: Shape) -> None:
        with self._lock:
            if event == "snapshot":
                self._gone = None
                self._news = News(snapshot=data, jobs=self._news.jobs)
            elif event == "run":
                self._news.runs[data["run"]] = data
            elif event == "host":
                self._news.hosts[data["host"]] = data
            elif event == "output":
                self._news.outputs[data["run"]] = data
            elif event == "jobs":
                self._news.jobs = True
            self._say()

    def _miss(self) -> None:
        with self._lock:
            if self._gone is None:
                self._gone = self._news.gone = self._now()
                self._say()

    def _say(self) -> None:
        if not self._fresh and not self._ended:
            self._fresh = True
            self._wake()
