"""`doctor` looks at the real thing, with a scheduler and without one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from sshsched.store.store import open_store
from tests.cli.driver import Ended, Place
from tests.store.samples import new, run
from tests.support import wait_until


@pytest.fixture
def served(place: Place) -> Iterator[Place]:
    process = place.begin("serve")
    wait_until(lambda: place("status", "--json").json["scheduler"], within=20)
    yield place
    end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.communicate(timeout=20)


def kinds(told: Ended) -> list[str]:
    return [found["kind"] for found in told.json["findings"]]


def test_nothing_is_wrong(served: Place) -> None:
    """A fresh folder with a scheduler is well, and so is this machine when it is asked."""
    told = served("doctor")

    assert (0, "nothing is wrong, as far as is known\n") == (told.code, told.text)
    assert "unknown: disks and settings of hosts: --hosts asks each of them" in told.err


def test_nothing_at_all(place: Place) -> None:
    """Without a database, a scheduler or a job nothing is wrong, and nothing is made."""
    told = place("doctor", "--json")

    assert (0, True) == (told.code, told.json["ok"])
    assert not place.state.exists()


def test_hosts_are_asked(served: Place) -> None:
    """With --hosts, what `hosts check` warns of is found here; one that does not answer is named."""
    served.config.mkdir(exist_ok=True)
    (served.config / "hosts.yaml").write_text("nowhere: {address: 127.0.0.1, port: 1}\n")
    wait_until(lambda: "nowhere" in served("status", "--json").text, within=10)
    told = served("doctor", "--hosts", "--json")

    assert 1 == told.code
    assert any(found["kind"] == "unreachable" and "nowhere" in found["message"] for found in told.json["findings"])
    assert [] == told.json["unknown"]


def test_no_scheduler(place: Place) -> None:
    """Jobs with schedules need one; what is wrong with files is said, and what others can change."""
    (place.config / "jobs").mkdir(parents=True)
    (place.config / "jobs" / "a.yaml").write_text("host: nas\ncommand: date\nschedule: '@daily'\n")
    (place.config / "jobs" / "b.yaml").write_text("host: nas\n")
    (place.config / "jobs" / "b.yaml").chmod(0o666)
    told = place("doctor", "--json")

    assert 1 == told.code
    assert ["job-files", "permissions", "scheduler"] == sorted(kinds(told))


async def test_a_damaged_database(place: Place) -> None:
    """It is noticed without a scheduler."""
    async with open_store(place.state) as store:
        await store.commit(new(*[run(id, message="x" * 500) for id in range(1, 200)]))
    data = bytearray((place.state / "store.db").read_bytes())
    data[8 * 4096 : 20 * 4096] = b"\xff" * (12 * 4096)
    (place.state / "store.db").write_bytes(data)
    told = place("doctor", "--json")

    assert 1 == told.code
    assert {"store", "integrity"} & {*kinds(told)}
    (place.state / "store.db").unlink()


def test_readable_by_others(served: Place) -> None:
    """A state folder that others can look into is named, with the mend."""
    served.state.chmod(0o755)
    told = served("doctor")

    assert 1 == told.code
    assert f"permissions: {served.state} has mode 755: others can get at it\n  chmod go-rwx" in told.text
