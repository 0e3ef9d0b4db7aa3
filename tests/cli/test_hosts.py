"""`hosts`: the list, the check and the trust, against embedded ssh hosts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sshsched.demo.hosts import DemoHosts
from tests.cli.driver import Place
from tests.support import wait_until


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
    unanswered = hosted("hosts", "trust", "nas")
    interrupted, seen = hosted.on_terminal("hosts", "trust", "nas", until="Trust it?")
    trusted = hosted("hosts", "trust", "nas", stdin=b"y\n")
    again = hosted("hosts", "trust", "nas")
    done = hosted("run", "-H", "nas", "-o", "--", "echo hi")

    assert 255 == unknown.code
    assert 1 == refused.code
    assert "SHA256:" in refused.err
    assert 1 == unanswered.code
    assert unanswered.err.endswith(
        "\nsshsched: nobody answered, so it is not trusted; --yes is for who has compared it\n"
    )
    assert 130 == interrupted
    assert seen.endswith("\n")
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


def test_a_group_stands_for_its_hosts(hosted: Place) -> None:
    """All of its hosts are checked; each is trusted by itself; a group that is not there is told."""
    (hosted.config / "hosts.yaml").write_text("nas: {tags: [disk]}\nweb1: {tags: [disk]}\ngroups: {all: [nas, web1]}\n")
    for name in ("@all", "tags:disk"):
        assert ["nas", "web1"] == [each["host"] for each in hosted("hosts", "check", name, "--json").json]
    slips = hosted("hosts", "check", "@al"), hosted("hosts", "check", "tags:tape"), hosted("hosts", "trust", "@all")

    assert [2, 2, 2] == [done.code for done in slips]
    assert "@al: no such group: unknown 'al'; did you mean 'all'?" in slips[0].err
    assert "tags:tape: no host in hosts.yaml has all these tags" in slips[1].err
    assert "@all is no single host; look at the key of each: nas, web1" in slips[2].err


def test_a_host_out_of_sight_is_told(hosted: Place, demo_hosts: DemoHosts) -> None:
    """Why a run is unreachable is said wherever it is shown, and that its output may be more than what is here."""
    name = hosted.started("-H", "nas", "--", "echo first; sleep 60")
    wait_until(lambda: b"first\n" == hosted("output", name).out, within=10)
    demo_hosts.away("nas")
    wait_until(lambda: hosted("show", name, "--json").json["run"]["unreachable_since"] is not None, within=10)
    shown, printed = hosted("show", name), hosted("output", name)
    demo_hosts.back("nas")
    wait_until(lambda: hosted("show", name, "--json").json["run"]["unreachable_since"] is None, within=20)
    again = hosted("output", name)

    assert re.search(r"^state +running for .*, unreachable for [^:]+: (?!process)", shown.text, re.M), shown.text
    assert (0, b"first\n") == (printed.code, printed.out)
    assert f"{name}: nas is unreachable, there may be more there; it is fetched when the host is back\n" == printed.err
    assert (b"first\n", "") == (again.out, again.err)
