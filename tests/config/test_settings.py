"""config.yaml: what holds for all jobs and hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from sshsched.config.addresses import ListenAt
from sshsched.config.settings import Settings, load_settings
from sshsched.domain.retention import Retention
from sshsched.errors import ConfigError

GOOD = {
    "": Settings(),
    "# nothing yet": Settings(),
    "start_within: 5m": Settings(start_within=300.0),
    "slots: 4": Settings(slots=4),
    "retention: {age: 90d, size: 10GB}": Settings(retention=Retention(age=90 * 86400.0, size=10 * 10**9)),
    "metrics: 9464": Settings(metrics=ListenAt("127.0.0.1", 9464)),
}


@pytest.mark.parametrize("text", GOOD)
def test_settings(tmp_path: Path, text: str) -> None:
    """What is not said is as usual."""
    (tmp_path / "config.yaml").write_text(text)

    assert GOOD[text] == load_settings(tmp_path)


def test_no_file_is_as_usual(tmp_path: Path) -> None:
    """Nothing has to be set up."""
    assert Settings() == load_settings(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["slot: 4", "slots: many", "[]", "start_within: 1h\nstart_within: 2h", "a: b: c", "retention: {}", "metrics: x"],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str) -> None:
    """A mistake is named with its place."""
    (tmp_path / "config.yaml").write_text(text)

    with pytest.raises(ConfigError, match=r"^config.yaml:\d+:\d+: "):
        load_settings(tmp_path)
