"""kill -9 while runs move: none is lost and none is doubled, wherever it comes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sshsched.domain.model import Output
from sshsched.domain.retention import Retention, Then
from sshsched.engine import history as engine
from sshsched.store import archive, history, output
from sshsched.store.filter import RunFilter
from sshsched.store.reader import Reader
from tests.engine.test_history import old, opened

SLICE = 3
RUNS = range(1, 8)  # of which two slices go
STAY = [7]
DOORS: tuple[tuple[Any, str], ...] = (
    (archive.Archive, "take"),
    (archive.Archive, "_copy"),
    (history, "forget"),
    (history, "note"),
    (output, "_link"),
    (output, "_sync"),
    (Path, "unlink"),
    (Path, "rmdir"),
)


def wire(at: int) -> None:
    """Let this process die at its n-th step: before or after what goes through the doors."""
    steps = count(1)

    def step() -> None:
        if next(steps) == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def wired(work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            step()
            result = work(*args, **named)
            step()
            return result

        return call

    for owner, name in DOORS:
        setattr(owner, name, wired(getattr(owner, name)))


async def move(folder: Path, limits: Retention) -> None:
    async with opened(folder) as kept:
        await kept.apply(limits)


def in_child(folder: Path, limits: Retention, at: int) -> bool:
    """Whether it came to its end before the n-th step."""
    child = os.fork()
    if child == 0:
        wire(at)
        asyncio.run(move(folder, limits))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL)
    return status == 0


async def fill(folder: Path) -> None:
    async with opened(folder) as kept:
        await kept.fill(*[old(id, output=Output(id % 3, 0, complete=True)) for id in RUNS])


def whole(folder: Path, file: Path) -> tuple[list[int], list[int]]:
    """What store and archive hold, each run with its log and all that it printed."""
    found = []
    readers = [(Reader(folder), output.OutputFiles(folder))]
    if file.exists():
        readers.append((Reader.of_archive(file), archive.output_of(file)))
    for reader, files in readers:
        with reader:
            runs = reader.runs(RunFilter(), limit=100)
            assert [] == [run.id for run in runs if len(reader.log(run.id)) != 1]
            assert [] == [run.id for run in runs if files.size(run.id, "stdout") != run.id % 3]
        found.append(sorted(run.id for run in runs))
    return found[0], found[1] if len(found) == 2 else []


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("then", Then)
def test_killed_at_any_step(tmp_path: Path, then: Then, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run is in the store or in the archive, whole, and the next round leaves it in one of them."""
    monkeypatch.setattr(engine, "SLICE", SLICE)
    limits = Retention(count=len(STAY), then=then)
    for at in count(1):
        folder = tmp_path / f"{at}"
        asyncio.run(fill(folder))
        over = in_child(folder, limits, at)
        kept, moved = whole(folder, archive.usual(folder))
        if then is Then.ARCHIVE:
            assert {*RUNS} == {*kept, *moved}, f"step {at}"
        assert {*STAY} <= {*kept}

        asyncio.run(move(folder, Retention(count=1000)))  # takes up what was cut short, and would itself do nothing
        kept, moved = whole(folder, archive.usual(folder))
        assert set() == {*kept} & {*moved}, f"step {at}"
        assert {f"r{id}" for id in kept if id % 3} == {path.name for path in (folder / "output").iterdir()}

        asyncio.run(move(folder, limits))
        assert (STAY, [*range(1, 7)] if then is Then.ARCHIVE else []) == whole(folder, archive.usual(folder))
        if over:
            assert at > 3 * len(DOORS)
            return
