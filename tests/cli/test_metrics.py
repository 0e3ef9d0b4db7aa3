"""`serve` tells its figures at a port, if it is asked to."""

from __future__ import annotations

import socket
import urllib.request

import pytest

from tests.cli.driver import Place
from tests.support import wait_until


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    return found


def figures(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text: str = answer.read().decode()
            return text
    except OSError:
        return ""


@pytest.mark.parametrize("how", ["option", "config.yaml"])
def test_figures(place: Place, port: int, how: str) -> None:
    """Runs that end are counted, and jobs with schedules age; the option and the key do the same."""
    (place.config / "jobs").mkdir(parents=True)
    (place.config / "jobs" / "a.yaml").write_text("host: local\ncommand: date\nschedule: '@daily'\n")
    if how == "config.yaml":
        (place.config / "config.yaml").write_text(f"metrics: {port}\n")
    process = place.begin("serve", *(["--metrics", f"{port}"] if how == "option" else []))
    wait_until(lambda: 'sshsched_job_since_success_seconds{job="a"}' in figures(port), within=20)
    place("run", "-H", "local", "--wait", "--", "false")

    assert 'sshsched_runs_finished_total{state="failure"} 1.0\n' in figures(port)
    assert "sshsched_run_duration_seconds_count 1.0\n" in figures(port)
    process.terminate()
    process.communicate(timeout=20)


def test_a_port_that_is_taken(place: Place) -> None:
    """It is named, and nothing runs half."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = place("serve", "--metrics", f"{port}")

    assert 125 == told.code
    assert (
        f"metrics: cannot listen at 127.0.0.1:{port}: Address already in use; choose another address or port"
        in told.err
    )


def test_no_address(shared: Place) -> None:
    """What is no address is said before anything starts."""
    told = shared("serve", "--metrics", "here")

    assert (2, "sshsched: --metrics: 'here' is no address; write 9464, or 127.0.0.1:9464\n") == (told.code, told.err)
