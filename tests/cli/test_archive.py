"""`archive` and `vacuum`, with a scheduler and without one; archives are read as the store is."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sshsched.store.lock import KEEPING, hold
from tests.cli.driver import Place
from tests.engine.test_history import old, opened
from tests.support import wait_until


async def fill(folder: Path, *jobs: str | None) -> None:
    async with opened(folder) as kept:
        await kept.fill(*[old(id, job_id=job, message="x" * 500) for id, job in enumerate(jobs, 1)])


@pytest.fixture(params=["alone", "scheduler"])
def filled(request: pytest.FixtureRequest, place: Place) -> Iterator[Place]:
    """Ten old runs, and a scheduler or none."""
    asyncio.run(fill(place.state, *[None] * 10))
    if request.param == "scheduler":
        process = serving(place)
        yield place
        process.terminate()
        process.communicate(timeout=20)
    else:
        yield place


def serving(place: Place) -> subprocess.Popen[bytes]:
    process = place.begin("serve")
    wait_until(lambda: place("status", "--json").json["scheduler"], within=20)
    return process


def listed(place: Place, *args: str) -> list[str]:
    return [run["run"] for run in place("runs", "--json", *args).json]


def names(*numbers: int) -> list[str]:
    return [f"r{number}" for number in sorted(numbers, reverse=True)]


def test_archive(filled: Place) -> None:
    """What is beyond the limit moves, and is found in the archive with its log and output."""
    told = filled("archive", "--keep", "3")
    archive = str(filled.state / "archive.db")

    assert f"7 runs moved to {archive}\n" == told.text
    assert names(8, 9, 10) == listed(filled)
    assert names(*range(1, 8)) == listed(filled, "--archive", archive)
    assert b"x" * 5 == filled("output", "r5", "--archive", archive).out
    assert "success" in filled("show", "r5", "--archive", archive).text
    assert 4 == filled("show", "r5").code


def test_json_and_another_file(filled: Place, tmp_path: Path) -> None:
    """Scripts get numbers; the archive lies where it is wanted, also by a path of where the command stands."""
    file = tmp_path / "deep" / "old.db"
    told = filled("archive", "--before", "1d", "--to", str(file), "--json").json

    assert {"archived": 10, "deleted": 0, "bytes": 55} == told
    assert [] == listed(filled)
    assert names(*range(1, 11)) == listed(filled, "--archive", str(file))


def test_dry_run(filled: Place) -> None:
    """Says what would go, and moves nothing."""
    told = filled("archive", "--size", "27", "--dry-run")

    assert f"7 runs would be moved to {filled.state / 'archive.db'}\n" == told.text
    assert 10 == len(listed(filled))


def test_retention_of_the_files(filled: Place) -> None:
    """Without limits, those of config.yaml hold, which may say that runs are deleted."""
    assert "nothing says how long runs are kept; add --before 90d" in filled("archive").err

    filled.config.mkdir(exist_ok=True)
    (filled.config / "config.yaml").write_text("retention: {count: 4, then: delete}\n")

    assert "6 runs deleted\n" == filled("archive").text
    assert names(7, 8, 9, 10) == listed(filled)
    assert "no run is beyond the limits\n" == filled("archive").text


def test_vacuum(filled: Place) -> None:
    """Tells what it has given back."""
    filled("archive", "--before", "1d")
    told: dict[str, Any] = filled("vacuum", "--json").json
    again = filled("vacuum")

    assert told["after"] < told["before"]
    assert again.text.startswith("0 bytes given back; the database takes ")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--before", "never"], "'never' is no time; write it like 2h"),
        (["--before", "2999-01-01"], "--before: '2999-01-01' lies ahead"),
        (["--size", "big"], "--size: 'big' is no size; write 500MB"),
        (["--job", "a"], "--job and --to need a limit: --before, --keep or --size"),
    ],
)
def test_mistakes(shared: Place, args: list[str], message: str) -> None:
    """A mistake is one line that says how to write it."""
    told = shared("archive", *args)

    assert 2 == told.code
    assert message in told.err


def test_no_archive(shared: Place) -> None:
    """An archive that is not there is named."""
    told = shared("runs", "--archive", "nope.db")

    assert 4 == told.code
    assert "nope.db: there is no such archive; `sshsched archive` makes one" in told.err


@pytest.mark.parametrize("command", [["archive", "--keep", "1"], ["vacuum"]])
def test_nothing_has_run(place: Place, command: list[str]) -> None:
    """Where there is no database, none is made."""
    told = place(*command)

    assert 1 == told.code
    assert "nothing has run here yet" in told.err
    assert not place.state.exists()


def test_a_job_that_cannot_be_read(place: Place) -> None:
    """Nobody knows how long the runs of such a file are to be kept, so they stay."""
    asyncio.run(fill(place.state, *["good", "bad"] * 3))
    (place.config / "jobs").mkdir(parents=True)
    (place.config / "config.yaml").write_text("retention: {age: 1d}\n")
    (place.config / "jobs" / "bad.yaml").write_text("host: local\ncommand: [\n")

    assert "2 runs moved" in place("archive").text
    assert names(2, 4, 5, 6) == listed(place)


def test_its_own_limits(place: Place) -> None:
    """A job's own limits hold for its runs, whatever config.yaml says."""
    asyncio.run(fill(place.state, *["good", "kept"] * 3))
    (place.config / "jobs").mkdir(parents=True)
    (place.config / "config.yaml").write_text("retention: {age: 1d}\n")
    (place.config / "jobs" / "kept.yaml").write_text("host: local\ncommand: date\nretention: {count: 2}\n")
    place("archive")

    assert names(4, 5, 6) == listed(place)


def test_serve_waits(place: Place) -> None:
    """A scheduler that comes up while runs are being moved waits for the end of the round."""
    with hold(place.state, KEEPING):
        process = place.begin("serve")
        assert process.stderr
        assert b"waiting for a command that moves old runs" in process.stderr.readline()
    wait_until(lambda: place("status", "--json").json["scheduler"], within=20)
    process.terminate()
    process.communicate(timeout=20)

    assert 0 == process.returncode
