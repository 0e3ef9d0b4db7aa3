"""config.yaml: what holds for all jobs and hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from sshsched.config.addresses import ListenAt
from sshsched.config.settings import Settings, load_settings
from sshsched.domain.plan import Deed
from sshsched.domain.retention import Retention
from sshsched.domain.secrets import Source
from sshsched.errors import ConfigError

GOOD = {
    "": Settings(),
    "# nothing yet": Settings(),
    "start_within: 5m": Settings(start_within=300.0),
    "slots: 4": Settings(slots=4),
    "max_wait: 1d\nthen: skip": Settings(max_wait=86400.0, then="skip"),
    "locks: {db: 2, tape: 1}": Settings(locks={"db": 2, "tape": 1}),
    "notify: me@example.com\naction: {type: exec, command: b, if: late}": Settings(
        actions=(
            Deed("exec", {"command": "b"}, ("late",)),
            Deed("notify", {"email": "me@example.com"}, ("failure", "error", "held")),
        )
    ),
    "secrets:\n  a: {env: A}\n  b: {file: ~/b}\n  c: {command: [pass, show, c]}\n  d: {command: pass d}\n"
    "  e: {keyring: example.com/me}": Settings(
        secrets={
            "a": Source("env", ("A",)),
            "b": Source("file", ("~/b",)),
            "c": Source("command", ("pass", "show", "c")),
            "d": Source("command", ("pass d",)),
            "e": Source("keyring", ("example.com", "me")),
        }
    ),
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
    [
        *("slot: 4", "slots: many", "[]", "start_within: 1h\nstart_within: 2h", "a: b: c"),
        *("retention: {}", "metrics: x"),
        *("locks: {db: 0}", "locks: [db]", "locks: {'a b': 1}", "then: stop", "action: {type: schedule, job: x}"),
        *("secrets: {a: b}", "secrets: {a: {}}", "secrets: {a: {env: A, file: b}}", "secrets: {a: {keyring: b}}"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str) -> None:
    """A mistake is named with its place."""
    (tmp_path / "config.yaml").write_text(text)

    with pytest.raises(ConfigError, match=r"^config.yaml:\d+:\d+: "):
        load_settings(tmp_path)
