"""A command on a terminal of its own, as a person at it sees it: when a text has come, and what keys do."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

KEPT = 1 << 20


class Terminal:
    """`began` is when the command was started, on the monotonic clock."""

    def __init__(self, words: Sequence[str], env: Mapping[str, str], columns: int, lines: int) -> None:
        self._seen = b""
        self._news = threading.Condition()
        self.began = time.monotonic()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.execve(words[0], list(words), {**env, "TERM": "xterm-256color"})
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        threading.Thread(target=self._read, daemon=True).start()

    def press(self, keys: str) -> float:
        """Type these, and forget what has been seen; when."""
        with self._news:
            self._seen = b""
        at = time.monotonic()
        os.write(self._terminal, keys.encode())
        return at

    def seen(self, text: str, within: float = 20.0) -> float:
        """When this text has come, since the last key. Raises AssertionError if it does not."""
        wanted = text.encode()
        with self._news:
            found = self._news.wait_for(lambda: wanted in self._seen, within)
            assert found, f"{text!r} has not come within {within} s; the last was {self._seen[-3000:]!r}"
            return time.monotonic()

    def seen_after(self, key: str, text: str) -> float:
        """Seconds from a key to a text."""
        at = self.press(key)
        return self.seen(text) - at

    def _read(self) -> None:
        with suppress(OSError):  # Linux says EIO once the command has ended
            while data := os.read(self._terminal, 1 << 16):
                with self._news:
                    self._seen = (self._seen + data)[-KEPT:]
                    self._news.notify_all()


@contextmanager
def terminal(words: Sequence[str], env: Mapping[str, str], columns: int = 120, lines: int = 40) -> Iterator[Terminal]:
    """The command, ended with the block."""
    shown = Terminal([sys.executable, *words[1:]], env, columns, lines)
    try:
        yield shown
    finally:
        os.kill(shown.pid, signal.SIGKILL)
        os.waitpid(shown.pid, 0)
