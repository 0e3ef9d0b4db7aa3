"""The time zone of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from sshsched.config.local_zone import local_zone


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An /etc of our own, and no TZ."""
    monkeypatch.delenv("TZ", raising=False)
    return tmp_path


def test_tz_goes_first(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a colon in front or without; what is no zone is passed over."""
    (etc / "timezone").write_text("Asia/Tokyo\n")
    names = []
    for value in ("Europe/Berlin", ":Europe/Berlin", "EST5EDT4,M3.2.0,M11.1.0", ""):
        monkeypatch.setenv("TZ", value)
        names.append(local_zone(etc))

    assert ["Europe/Berlin", "Europe/Berlin", "Asia/Tokyo", "Asia/Tokyo"] == names


def test_a_link_says_it(etc: Path) -> None:
    """As on most systems, whichever way it leads."""
    (etc / "timezone").write_text("Asia/Tokyo\n")
    (etc / "localtime").symlink_to("../usr/share/zoneinfo/America/Argentina/Ushuaia")

    assert "America/Argentina/Ushuaia" == local_zone(etc)


def test_debian_writes_it_down(etc: Path) -> None:
    """For those whose localtime is a plain file."""
    (etc / "timezone").write_text("Asia/Tokyo\n")
    (etc / "localtime").write_bytes(b"TZif2")

    assert "Asia/Tokyo" == local_zone(etc)


def test_nothing_is_known(etc: Path) -> None:
    """Then it is UTC."""
    assert "UTC" == local_zone(etc)
