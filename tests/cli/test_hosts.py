"""`hosts`: the list, the check and the trust, against embedded ssh hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sshsched.demo.hosts import DemoHosts
from tests.cli.driver import Place


@pytest.fixture
def hosted(tmp_path: Path, demo_hosts: DemoHosts) -> Iterator[Place]:
    """Commands that see the embedded hosts."""
    place = Place(tmp_path / "place")
    place.env.update(demo_hosts.env)
    place.state, place.config = demo_hosts.state_dir, demo_hosts.config_dir
    yield place
    place.close()


def test_a_new_host_is_trusted_by_hand(hosted: Place, demo_hosts: DemoHosts) -> None:
    """An unknown key stops everything; `trust` shows it, asks, writes it down; then runs start."""
    (demo_hosts.folder / "ssh" / "known_hosts").write_text("")
    unknown = hosted("hosts", "check", "nas")
    refused = hosted("hosts", "trust", "nas", stdin=b"n\n")
    trusted = hosted("hosts", "trust", "nas", stdin=b"y\n")
    again = hosted("hosts", "trust", "nas")
    done = hosted("run", "-H", "nas", "-o", "--", "echo hi")

    assert 255 == unknown.code
    assert 1 == refused.code
    assert "SHA256:" in refused.err
    assert 0 == trusted.code, trusted.err
    assert "is trusted already" in again.err
    assert (0, b"hi\n") == (done.code, done.out)


def test_check_says_what_a_host_can_do(hosted: Place) -> None:
    """Findings with their values; one host that cannot be reached does not hide the other."""
    done = hosted("hosts", "check", "nas", "no.invalid")
    listed = hosted("hosts", "--json").json

    assert 255 == done.code
    assert "shell: /bin/sh" in done.text
    assert "no.invalid: the name 'no.invalid' does not resolve" in done.text
    assert {"local", "nas", "web1", "web2"} <= {host["host"] for host in listed}


def test_nobody_logs_in_to_local(hosted: Place) -> None:
    """There is no key to trust."""
    done = hosted("hosts", "trust", "local")

    assert 2 == done.code
    assert "local is this machine" in done.err
