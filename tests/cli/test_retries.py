"""Runs that try again, as whoever waits for them meets them."""

from __future__ import annotations

from tests.cli.driver import Place

FLAKY = """
host: "@pool"
command: echo try $SSHSCHED_ATTEMPT; test $SSHSCHED_ATTEMPT = 3
retry: {count: 2, delay: 100ms}
"""


def test_who_waits_waits_for_the_last_attempt(place: Place) -> None:
    """A run that is tried again has not ended for whoever waits: what counts is how the last attempt ends."""
    (place.config / "jobs").mkdir(parents=True)
    (place.config / "jobs" / "flaky.yaml").write_text(FLAKY)
    (place.config / "hosts.yaml").write_text("groups: {pool: [local]}\n")
    first = place("run", "flaky", "--output")
    again = place("wait", "r1", "--json")

    assert (0, b"try 1\ntry 2\ntry 3\n") == (first.code, first.out)
    assert "is tried again as r3" in first.err
    assert (0, [("r3", 3, "r2")]) == (again.code, [(run["run"], run["attempt"], run["rerun_of"]) for run in again.json])
