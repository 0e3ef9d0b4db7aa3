"""The scheduler as a command sees it: calls that answer, streams that survive its restart.

Rule: synchronous and quick to import; every failure is one of the errors of `sshsched.errors`. A connection on which
anything went wrong, Ctrl-C included, is never used again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from sshsched.errors import (
    HostError,
    NoSchedulerError,
    NotFoundError,
    RefusedError,
    SchedulerError,
    SshschedError,
    UsageError,
)
from sshsched.service.address import NAME, Folder
from sshsched.service.wire import Response, Wire

if TYPE_CHECKING:  # the model takes as long to import as all of this
    from sshsched.domain.shape import Shape

PATIENCE = 10.0  # seconds that a stream waits for a restarted scheduler
TIMEOUT = 120.0  # seconds that a call may take: the check of a slow host is the longest
SILENCE = 45.0  # seconds without even a heartbeat, of which there is one every 15, until a stream counts as dead
RETRY = 0.05
BY_EXIT_CODE: dict[int, type[SshschedError]] = {1: RefusedError, 2: UsageError, 4: NotFoundError}
T = TypeVar("T")


class Client:
    """One command's view of the scheduler of a state folder. Not for several threads at once."""

    def __init__(self, state_dir: Folder, *, patience: float = PATIENCE, timeout: float = TIMEOUT) -> None:
        self._state_dir = state_dir
        self._patience = patience
        self._timeout = timeout
        self._wire: Wire | None = None
        self._streams: set[Wire] = set()
        self._cut = False

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection; the next call makes a new one."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def cut(self) -> None:
        """End the streams, now and for good; from any thread, while another one waits on them."""
        self._cut = True
        for wire in tuple(self._streams):
            wire.shut()

    # Calls. Each raises NoSchedulerError, or the error that the scheduler answered with.

    def status(self) -> Shape:
        return self._call("GET", "/v1/status")

    def submit(self, drafts: Sequence[Mapping[str, Any]]) -> list[Shape]:
        """Make runs, all or none; returns once they are saved."""
        return self._runs("POST", "/v1/runs", {"runs": list(drafts)})

    def runs(self, **query: str | int | Iterable[str]) -> list[Shape]:
        """Runs, newest first; the words are those of `GET /v1/runs`."""
        from urllib.parse import urlencode

        return self._runs("GET", f"/v1/runs?{urlencode(query, doseq=True)}")

    def run(self, name: str) -> Shape:
        """`{"run": ..., "log": [...], "notices": [...]}`"""
        return self._call("GET", f"/v1/runs/{_quoted(name)}")

    def stop(
        self, runs: Sequence[str], *, signal: str | None = None, grace: float | None = None, by: str = ""
    ) -> list[Shape]:
        """End runs. What is None is as each run's own program says."""
        wish = {"signal": signal, "grace": grace}
        given = {name: value for name, value in wish.items() if value is not None}
        return self._runs("POST", "/v1/runs/stop", {"runs": list(runs), "by": by, **given})

    def rerun(self, runs: Sequence[str], *, same: bool = False, failed: bool = False, by: str = "") -> list[Shape]:
        """Make finished runs once more, or the failed steps of live workflows; returns the new ones."""
        return self._runs("POST", "/v1/runs/rerun", {"runs": list(runs), "same": same, "failed": failed, "by": by})

    def start(self, runs: Sequence[str], *, by: str = "") -> list[Shape]:
        """Start runs past their time and conditions."""
        return self._runs("POST", "/v1/runs/start", {"runs": list(runs), "by": by})

    def mark(self, runs: Sequence[str], state: str, *, by: str = "") -> list[Shape]:
        """Take finished runs for another outcome."""
        return self._runs("POST", "/v1/runs/mark", {"runs": list(runs), "state": state, "by": by})

    def hold(self, what: Mapping[str, Any], *, by: str = "") -> Shape:
        """Hold back `runs`, `jobs`, `hosts` (lists) or `everything` (true); what is held then is under `holds`."""
        return self._call("POST", "/v1/hold", {**what, "by": by})

    def release(self, what: Mapping[str, Any], *, by: str = "") -> Shape:
        """Let go what is held: the words are those of hold()."""
        return self._call("POST", "/v1/release", {**what, "by": by})

    def explain(self, drafts: Sequence[Mapping[str, Any]]) -> list[str]:
        """What would happen to runs if they were made now."""
        found: list[str] = self._call("POST", "/v1/runs/explain", {"runs": list(drafts)})["explained"]
        return found

    def hosts(self) -> list[Shape]:
        found: list[Shape] = self._call("GET", "/v1/hosts")["hosts"]
        return found

    def check_host(self, name: str) -> Shape:
        return self._call("POST", f"/v1/hosts/{_quoted(name)}/check")

    def reload(self, *, dry_run: bool = False) -> Shape:
        """Have the job files read again; what that changes, or would change."""
        return self._call("POST", "/v1/jobs/reload", {"dry_run": dry_run})

    def archive(self, wish: Mapping[str, Any]) -> Shape:
        """A round of letting old runs leave the store; `more` tells whether to ask again."""
        return self._call("POST", "/v1/archive", {**wish})

    def vacuum(self) -> Shape:
        """A round of giving room back to the disk; `more` tells whether to ask again."""
        return self._call("POST", "/v1/vacuum", {})

    def shutdown(self, *, handover: bool = False) -> None:
        self._call("POST", "/v1/shutdown", {"handover": handover})

    # Streams. Each has a connection of its own and takes up again where it was when the scheduler comes back in time.

    def events(self, runs: Iterable[str] | None = None) -> Iterator[tuple[str, Shape]]:
        """First `("snapshot", ...)`, then changes, for ever; again a snapshot where changes were missed.

        Raises NoSchedulerError if there is none, or none any more for longer than the patience.
        """
        target = "/v1/events" if runs is None else f"/v1/events?runs={','.join(map(_quoted, runs))}"
        headers: dict[str, str] = {}

        def read(response: Response) -> Iterator[tuple[str, Shape]]:
            for number, event, data in _events(response):
                headers["Last-Event-ID"] = number
                yield event, data

        while not self._cut:  # this stream has no end of its own
            yield from self._resumed(lambda: target, headers, read, SILENCE)

    def output(self, run: str, stream: str = "stdout", offset: int = 0, *, follow: bool = False) -> Iterator[bytes]:
        """The bytes from an offset on; with `follow`, until the run has ended and all has come."""
        place = offset

        def read(response: Response) -> Iterator[bytes]:
            nonlocal place
            while data := response.body.read1(1 << 20):
                place += len(data)
                yield data

        path = f"/v1/runs/{_quoted(run)}/output/{_quoted(stream)}"
        yield from self._resumed(lambda: f"{path}?offset={place}&follow={int(follow)}", {}, read, None)

    def _resumed(
        self,
        target: Callable[[], str],
        headers: Mapping[str, str],
        read: Callable[[Response], Iterator[T]],
        silence: float | None,
    ) -> Iterator[T]:
        """All that `read` finds in an answer, asking again whenever it is cut, until one comes to its end."""
        deadline = 0.0  # the first time, nobody waits
        while not self._cut:
            try:
                with self._streaming(silence) as wire:
                    for found in read(_checked(wire.ask("GET", target(), headers=headers))):
                        deadline = time.monotonic() + self._patience
                        yield found
                return
            except (OSError, NoSchedulerError):
                if self._cut:
                    return
                if time.monotonic() >= deadline:
                    raise self._nobody() from None
                time.sleep(RETRY)

    @contextmanager
    def _streaming(self, silence: float | None) -> Iterator[Wire]:
        with closing(self._connect(silence)) as wire:
            self._streams.add(wire)
            try:
                if self._cut:
                    wire.shut()
                yield wire
            finally:
                self._streams.discard(wire)

    def _runs(self, method: str, target: str, body: Shape | None = None) -> list[Shape]:
        found: list[Shape] = self._call(method, target, body)["runs"]
        return found

    def _call(self, method: str, target: str, body: Shape | None = None) -> Shape:
        if self._wire is None or not self._wire.usable():
            self.close()
            self._wire = self._connect(self._timeout)
        try:
            response = self._wire.ask(method, target, b"" if body is None else json.dumps(body).encode())
            data = response.body.read()
        except TimeoutError:
            self.close()
            raise SchedulerError(
                f"{self._socket}: no answer within {self._timeout:g} s; the scheduler hangs, or its disk"
            ) from None
        except OSError:
            self.close()
            raise SchedulerError(
                f"{self._socket}: the scheduler went away before it answered; `sshsched runs` shows what it has saved"
            ) from None
        except BaseException:
            self.close()
            raise
        return _answer(response.status, data)

    def _connect(self, timeout: float | None) -> Wire:
        try:
            return Wire(self._state_dir, timeout)
        except PermissionError:
            raise SchedulerError(f"{self._socket}: belongs to another user") from None
        except OSError:
            raise self._nobody() from None

    def _nobody(self) -> NoSchedulerError:
        return NoSchedulerError(f"{self._socket}: no scheduler answers; `sshsched serve` starts one")

    @property
    def _socket(self) -> str:
        return f"{self._state_dir}/{NAME}"


def _quoted(text: str) -> str:
    """Part of a path or query. Names of runs need nothing, and then nothing is imported for it."""
    if text.isascii() and text.isalnum():
        return text
    from urllib.parse import quote

    return quote(text, safe="")


def _checked(response: Response) -> Response:
    if response.status != 200:
        _answer(response.status, response.body.read())
    return response


def _answer(status: int, data: bytes) -> Shape:
    """The object that was answered. Raises the error that was answered."""
    try:
        found: Shape = json.loads(data)
        if status < 400:
            return found
        message, exit_code = found["error"], found["exit_code"]
    except (ValueError, KeyError, TypeError):
        raise SchedulerError(f"the scheduler answered what nobody understands: {data[:200]!r}") from None
    if exit_code == HostError.exit_code:
        host, _, rest = message.partition(": ")
        raise HostError(host, rest)
    raise BY_EXIT_CODE.get(exit_code, SchedulerError)(message)


def _events(response: Response) -> Iterator[tuple[str, str, Shape]]:
    """Number, name and data of each event."""
    number = name = ""
    while line := response.body.readline():
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "id":
            number = value
        elif field == "event":
            name = value
        elif field == "data":
            yield number, name, json.loads(value)
