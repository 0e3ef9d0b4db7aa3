"""What steps hand on is found in the stored output, also where that cannot be read just now."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sshsched.domain.events import Event, Extracted
from sshsched.domain.handing import MOST_OUTPUT, extracted
from sshsched.domain.instructions import Extract
from sshsched.domain.model import Run
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.engine.values import Values, search
from sshsched.errors import StoreBusyError, StoreDamagedError
from sshsched.store.output import OutputFiles
from tests.support import until

RUN = Run(7, "box", Program("x"), 0.0, State.SUCCESS, root=1, step="a")


async def found(outputs: Any, how: str) -> Extracted:
    posted: list[Event] = []
    values = Values(outputs, posted.append, lambda: 5.0)
    task = asyncio.create_task(values.run())
    values.find(Extract(RUN, {"v": how}))
    await until(lambda: posted)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    event = posted[0]
    assert isinstance(event, Extracted)
    return event


async def test_found_in_the_output(tmp_path: Path) -> None:
    """The event names the workflow and the run, and has what was found."""
    files = OutputFiles(tmp_path)
    files.write(7, "stdout", 0, b"a\nv=1.2\n")

    assert Extracted(5.0, 1, 7, {"v": "1.2"}) == await found(files, "v=(.*)")


async def test_only_the_end_of_much_output(tmp_path: Path) -> None:
    """Of a lot of output only the last part is looked at."""
    files = OutputFiles(tmp_path)
    files.write(7, "stdout", 0, b"v=early\n" + b"x" * MOST_OUTPUT + b"\nlate\n")

    assert {"v": "late"} == (await found(files, "last_line")).values
    assert ("output v: nothing in its standard output matches v=(.*)",) == (await found(files, "v=(.*)")).missing


async def test_an_expression_that_takes_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up and said, and the loop turns all the while."""
    monkeypatch.setattr("sshsched.engine.values.LIMIT", 0.1)
    files, turns = OutputFiles(tmp_path), 0
    files.write(7, "stdout", 0, b"a" * 100 + b"b\n")

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with asyncio.TaskGroup() as group:
        counting = group.create_task(count())
        missing = (await found(files, "(a|aa)+$")).missing
        counting.cancel()

    assert ("output v: (a|aa)+$ was given up after 0.1 s; write it without nested repeats",) == missing
    assert turns > 5


async def test_a_store_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails for a moment is waited for; a broken file is said."""
    monkeypatch.setattr("sshsched.engine.values.AGAIN", 0.01)

    class Failing:
        errors: list[Exception] = [StoreBusyError("full"), StoreDamagedError("broken")]  # noqa: RUF012

        def size(self, run_id: int, stream: Any) -> int:
            raise self.errors.pop(0)

        def read(self, run_id: int, stream: Any, offset: int, size: int) -> bytes:
            return b""

    assert ("outputs: broken",) == (await found(Failing(), "text")).missing


@pytest.mark.parametrize(
    ("how", "data", "value"),
    [
        ("text", b"a\nb\n\n", "a\nb"),
        ("last_line", b"a\n b \n\n", "b"),
        ("json", b'noise\n{"a": [1]}\n', '{"a": [1]}'),
        ("json", b"[1,\n2]", "[1, 2]"),
        ("^v=(.*)$", b"u\nv=\xff\n", "\ufffd"),
        ("v.", b"v1", "v1"),
        ("a(b)?", b"a", ""),
    ],
)
def test_how_it_is_found(how: str, data: bytes, value: str) -> None:
    """The whole text, its last line, JSON, or what a regular expression has in its first group."""
    assert ({"x": value}, ()) == extracted({"x": how}, data, search)


@pytest.mark.parametrize(("how", "says"), [("last_line", "is empty"), ("json", "is JSON"), ("v", "matches v")])
def test_what_is_not_there(how: str, says: str) -> None:
    """What cannot be found is said, by name."""
    values, missing = extracted({"x": how}, b"", search)

    assert {} == values
    assert says in missing[0]
