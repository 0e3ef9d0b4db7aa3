"""Output of a run that is not over: what there is now, and what comes.

Rule: asking makes the scheduler fetch. So "what there is" is known once nothing more has come for a moment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sshsched.cli.follow import Writer, copy_output
from sshsched.cli.verdict import INTERRUPTED

if TYPE_CHECKING:
    from sshsched.cli.app import App
    from sshsched.cli.streams import Sink
    from sshsched.domain.model import Stream

QUIET = 0.6  # seconds; the scheduler promises to fetch within 0.2 of the writing, once somebody looks
LONGEST = 10.0  # a program that never pauses must not keep somebody who does not follow it
LOOK = 0.05


class Tail:
    """A sink that holds back all but the last lines until it is released; with `lines` of None it holds nothing."""

    def __init__(self, sink: Writer, lines: int | None) -> None:
        self.heard = time.monotonic()
        self._sink = sink
        self._lines = lines
        self._held = b""
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        with self._lock:
            self.heard = time.monotonic()
            if self._lines is None:
                self._sink.write(data)
            else:
                self._held = last_lines(self._held + data, self._lines)

    def release(self) -> None:
        """From now on everything passes."""
        with self._lock:
            self._lines = None
            self._sink.write(self._held)
            self._held = b""

    def close(self) -> None:
        self.release()
        self._sink.close()


def last_lines(data: bytes, lines: int) -> bytes:
    """The last lines, an unfinished one counting as one."""
    if lines == 0:
        return b""
    end = len(data) - 1 if data.endswith(b"\n") else len(data)
    for _ in range(lines):
        end = data.rfind(b"\n", 0, end)
        if end < 0:
            return data
    return data[end + 1 :]


def show_live(
    app: App, name: str, sinks: Mapping[Stream, Sink], begins: Mapping[Stream, int], *, lines: int | None, follow: bool
) -> int:
    """Both streams at once, each in a thread of its own. Ctrl-C ends the looking, not the run."""
    tails = {stream: Tail(sink, lines) for stream, sink in sinks.items()}
    failed: list[BaseException] = []

    def copy(stream: Stream, tail: Tail) -> None:
        try:
            copy_output(app, name, stream, tail, begins[stream])
        except BaseException as error:  # it is raised again in the main thread
            failed.append(error)

    threads = [threading.Thread(target=copy, args=each, daemon=True) for each in tails.items()]
    for thread in threads:
        thread.start()
    begun = time.monotonic()
    caught_up = False
    try:
        while not failed and any(thread.is_alive() for thread in threads):
            threads[0].join(LOOK)
            now = time.monotonic()
            if not caught_up and (now - begun > LONGEST or all(now - tail.heard > QUIET for tail in tails.values())):
                caught_up = True
                for tail in tails.values():
                    tail.release()
            if caught_up and not follow:
                break
    except KeyboardInterrupt:
        return INTERRUPTED
    if failed:
        raise failed[0]
    return 0
