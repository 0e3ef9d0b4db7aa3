"""Where files live."""

from __future__ import annotations

from pathlib import Path

import pytest

from sshsched.config.paths import config_dir, state_dir
from sshsched.errors import UsageError

HOME = {"HOME": "/h"}
PLACES: dict[str, tuple[str | None, dict[str, str], str, str]] = {
    "usual": (None, {}, "/h/.config/sshsched", "/h/.local/state/sshsched"),
    "xdg": (None, {"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"}, "/c/sshsched", "/s/sshsched"),
    "relative xdg": (None, {"XDG_CONFIG_HOME": "c"}, "/h/.config/sshsched", "/h/.local/state/sshsched"),
    "ours": (None, {"SSHSCHED_CONFIG_DIR": "/c", "SSHSCHED_STATE_DIR": "~/s", "XDG_STATE_HOME": "/x"}, "/c", "/h/s"),
    "typed": ("/t", {"SSHSCHED_CONFIG_DIR": "/c", "SSHSCHED_STATE_DIR": "/s"}, "/t", "/t"),
    "empty": ("", {"SSHSCHED_CONFIG_DIR": ""}, "/h/.config/sshsched", "/h/.local/state/sshsched"),
}


@pytest.mark.parametrize("case", PLACES)
def test_the_nearest_word_wins(case: str) -> None:
    """What is typed, then our variables, then XDG's, then the usual folders."""
    given, environ, config, state = PLACES[case]

    assert (config, state) == (config_dir(given, HOME | environ), state_dir(given, HOME | environ))


def test_a_relative_folder_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler in the background has another working folder."""
    monkeypatch.chdir(tmp_path)

    assert str(tmp_path / "x") == config_dir("x", HOME)


def test_without_a_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say what to do instead of guessing."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)

    with pytest.raises(UsageError, match="there is no home folder; set HOME, or give --config-dir and --state-dir"):
        config_dir(None, {})
