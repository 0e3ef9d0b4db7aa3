"""Waiting for runs, and bringing their output meanwhile.

Rule: threads read from the scheduler and only post to one queue; the main thread waits at that queue, so that Ctrl-C is
heard at once. If the scheduler goes away, another one is started: who waits wants to know how runs end.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

from sshsched.cli.verdict import Shape, finished, title
from sshsched.cli.view import View
from sshsched.errors import NoSchedulerError

if TYPE_CHECKING:
    from sshsched.cli.app import App
    from sshsched.cli.streams import Sink

TICK = 0.25


class Writer(Protocol):
    """Takes bytes until it is closed."""

    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...


Sinks = Callable[[Shape], Mapping[str, "Sink"]]
"""Where the output of a run goes: a sink for each stream, such as `stdout`."""
Item = tuple[str, Shape | BaseException | None]


class Deadline(Exception):  # noqa: N818  it is no error of anybody
    """The time that somebody was ready to wait is over."""


class Follow:
    """Waits for some runs, of which `known` is what is known at first. `runs` holds the last that is known of each.

    A run that is tried again has not ended for whoever waits for it: in `names` its next attempt takes its place.
    """

    def __init__(self, app: App, known: Sequence[Shape], view: View, sinks: Sinks | None = None) -> None:
        self.runs: dict[str, Shape] = {}
        self._app = app
        self.names = [run["run"] for run in known]
        self._view = view
        self._sinks = sinks
        self._queue: SimpleQueue[Item] = SimpleQueue()
        self._open: Counter[str] = Counter()
        for run in known:
            self._copy(run)
        for run in known:
            self._take("run", run)
        if self.unfinished:
            self._spawn("run", partial(self._read_runs, list(self.names)))

    @property
    def unfinished(self) -> list[str]:
        return [name for name in self.names if name not in self.runs or not finished(self.runs[name])]

    def wait(self, *, any_one: bool = False, timeout: float | None = None) -> None:
        """Until all have finished (or one has) and their output has come. Raises Deadline, and what went wrong."""
        until = None if timeout is None else time.monotonic() + timeout
        while not self._enough(any_one):
            left = TICK if until is None else min(TICK, until - time.monotonic())
            if left <= 0:
                raise Deadline
            with suppress(Empty):
                self._take(*self._queue.get(timeout=left))
            self._view.draw()

    def _enough(self, any_one: bool) -> bool:
        left = self.unfinished
        return (any_one and len(left) < len(self.names)) or (not left and not self._open.total())

    def _take(self, kind: str, what: Shape | BaseException | None) -> None:
        if isinstance(what, BaseException):
            raise what
        if kind == "end" and what is not None:
            self._open[what["run"]] -= 1
            self._tell(what["run"])
        elif kind == "revived":
            self._view.say("no scheduler was there any more; another one has been started")
        elif what is not None and what["run"] in self.names and what != self.runs.get(what["run"]):
            self.runs[what["run"]] = what
            self._tell(what["run"])
            if finished(what) and what.get("retried_by"):
                self._go_on(what)

    def _go_on(self, run: Shape) -> None:
        name = run["retried_by"]
        self.names[self.names.index(run["run"])] = name
        self._view.say(f"{title(run)} is tried again as {name}")
        self._copy({**run, "run": name})
        self._spawn("run", partial(self._read_runs, [name]))

    def _copy(self, run: Shape) -> None:
        for stream, sink in (self._sinks(run) if self._sinks else {}).items():
            self._open[run["run"]] += 1
            copy = partial(copy_output, self._app, run["run"], stream, sink, 0)
            self._spawn("end", copy, {"run": run["run"]})

    def _tell(self, name: str) -> None:
        """Show a run as it is now; that it has ended comes after the last of its output."""
        run = self.runs.get(name)
        if run is not None and not (finished(run) and self._open[name]):
            self._view.update(run)

    def _spawn(self, kind: str, work: Callable[[], None], what: Shape | None = None) -> None:
        def body() -> None:
            try:
                work()
            except BaseException as error:  # it is raised again in the main thread
                self._queue.put((kind, error))
            else:
                self._queue.put((kind, what))

        threading.Thread(target=body, daemon=True).start()

    def _read_runs(self, names: list[str]) -> None:
        while True:
            try:
                for event, shape in self._app.client().events(names):
                    for run in shape["runs"] if event == "snapshot" else [shape] if event == "run" else []:
                        self._queue.put(("run", run))
            except NoSchedulerError:
                self._app.start_scheduler()
                self._queue.put(("revived", None))


def copy_output(app: App, name: str, stream: str, sink: Writer, offset: int) -> None:
    """A run's stream into the sink, from this byte until nothing more will come."""
    while True:
        try:
            for data in app.client().output(name, stream, offset, follow=True):
                sink.write(data)
                offset += len(data)
            sink.close()
            return
        except NoSchedulerError:
            app.start_scheduler()
