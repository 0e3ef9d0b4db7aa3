"""`service`: what it would have systemd and launchd do."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from sshsched.cli.commands.service import plist, unit
from tests.cli.driver import Place
from tests.support import ROOT

AWKWARD = ["/opt/a b/sshsched", "--config-dir", '/srv/100%/$HOME/"x"\\y', "serve"]


@pytest.fixture
def systemctl(place: Place) -> Path:
    """A systemctl that writes down what it is asked; returns where."""
    tools, said = place.home / "tools", place.home / "said"
    tools.mkdir()
    (tools / "systemctl").write_text(
        f'#!/bin/sh\necho "$@" >>{said}\n[ ! -e {place.home}/broken ] || {{ echo no bus >&2; exit 1; }}\n'
    )
    (tools / "systemctl").chmod(0o755)
    place.env["PATH"] = f"{tools}:{place.env['PATH']}"
    place.env.pop("XDG_CONFIG_HOME", None)
    return said


def test_install_and_uninstall(place: Place, systemctl: Path) -> None:
    """Each says what it did, and what was installed is gone afterwards."""
    path = place.home / ".config/systemd/user/sshsched.service"
    installed = place("service", "install")
    text = path.read_text()
    removed = place("service", "uninstall")
    again = place("service", "uninstall")

    assert (0, 0, 1) == (installed.code, removed.code, again.code), installed.err + removed.err
    assert f"written: {path}" in installed.text
    assert "enable-linger" in installed.err
    assert f'"--config-dir" "{place.config}" "--state-dir" "{place.state}" "serve"' in text
    assert not path.exists()
    assert [
        "--user daemon-reload",
        "--user enable --now sshsched.service",
        "--user disable --now sshsched.service",
        "--user daemon-reload",
    ] == systemctl.read_text().splitlines()


def test_a_system_that_refuses_is_told(place: Place, systemctl: Path) -> None:
    """With its own words and what is left to do."""
    (place.home / "broken").touch()
    done = place("service", "install")

    assert 125 == done.code
    assert "systemctl --user daemon-reload: no bus" in done.err


def test_printing_changes_nothing(place: Place, systemctl: Path) -> None:
    """`--print` is for those who keep their units themselves."""
    done = place("service", "install", "--print")

    assert "KillMode=process" in done.text
    assert not (place.home / ".config/systemd").exists()
    assert not systemctl.exists()


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Whatever is in the paths; its own verifier has nothing to say."""
    verifier = shutil.which("systemd-analyze")
    if verifier is None:
        pytest.skip("systemd-analyze is not installed here")
    program = tmp_path / "a b" / "sshsched"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    file = tmp_path / "sshsched.service"
    file.write_text(unit([str(program), *AWKWARD[1:]]))
    done = subprocess.run(
        [verifier, "--user", "--man=no", "verify", str(file)], capture_output=True, text=True, check=False
    )
    about_us = [line for line in (done.stdout + done.stderr).splitlines() if "sshsched" in line]

    assert [] == about_us


def test_what_systemd_would_expand_is_literal() -> None:
    """Percent signs and dollars are doubled, quotes and backslashes escaped."""
    assert 'ExecStart="/opt/a b/sshsched" "--config-dir" "/srv/100%%/$$HOME/\\"x\\"\\\\y" "serve"' in unit(AWKWARD)


def test_launchd_is_given_a_list() -> None:
    """Which no shell touches; local programs outlive the scheduler there, too."""
    agent = plistlib.loads(plist(AWKWARD, ROOT).encode())

    assert AWKWARD == agent["ProgramArguments"]
    assert agent["AbandonProcessGroup"]
    assert agent["RunAtLoad"]
