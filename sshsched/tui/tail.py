"""A run's output as it comes, read in a thread of its own and held until the screen takes it.

Rule: what nobody takes costs no memory: only the newest bytes wait. After a drop it goes on at the exact byte.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from sshsched.domain.model import Stream
from sshsched.errors import NoSchedulerError, SshschedError
from sshsched.service.client import Client
from sshsched.tui.window import WINDOW

RETRY = 0.5  # seconds between two looks for a scheduler that is gone


class Tail:
    """Begins to read at once; the scheduler fetches from the host for as long as somebody reads here."""

    def __init__(self, state_dir: Path, run: str, stream: Stream, offset: int, wake: Callable[[], None]) -> None:
        self._client = Client(state_dir, patience=0)
        self._run, self._stream, self._wake = run, stream, wake
        self._lock = threading.Lock()
        self._begin = self._end = offset
        self._data = bytearray()
        self._over = False
        threading.Thread(target=self._read, name=f"tail-{run}", daemon=True).start()

    def end(self) -> None:
        """Hang up."""
        self._over = True
        self._client.cut()

    def take(self) -> tuple[int, bytes]:
        """The newest bytes that nobody has taken, and the place of the first of them."""
        with self._lock:
            begin, data = self._begin, bytes(self._data)
            self._begin, self._data = self._end, bytearray()
        return begin, data

    def _read(self) -> None:
        while not self._over:
            try:
                for data in self._client.output(self._run, self._stream, self._end, follow=True):
                    self._put(data)
                return  # all has come
            except NoSchedulerError:
                time.sleep(RETRY)
            except SshschedError:
                return  # the scheduler knows no such run: what is stored is all there is

    def _put(self, data: bytes) -> None:
        with self._lock:
            fresh = not self._data
            self._data += data
            self._end += len(data)
            if len(self._data) > WINDOW:
                del self._data[:-WINDOW]
            self._begin = self._end - len(self._data)
        if fresh and not self._over:
            self._wake()
