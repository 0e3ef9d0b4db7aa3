"""`smtp:` and `digest:` of config.yaml."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from sshsched.config.settings import load_settings
from sshsched.config.telling import Digest, Smtp
from sshsched.domain.plan import Deed
from sshsched.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{host: mail.example.com, from: me@example.com}", Smtp("mail.example.com", "me@example.com")),
        (
            "{host: m, from: Jobs <me@x.org>, security: ssl, user: me, password: {secret: mail}}",
            Smtp("m", "Jobs <me@x.org>", "ssl", 465, "me", "mail"),
        ),
        ("{host: localhost, from: a@b, security: none}", Smtp("localhost", "a@b", "none", 25)),
        ("{host: m, from: a@b, port: 2525}", Smtp("m", "a@b", "starttls", 2525)),
    ],
)
def test_smtp(tmp_path: Path, text: str, expected: Smtp) -> None:
    """The port follows from the security, and the password is the name of a secret."""
    (tmp_path / "config.yaml").write_text(f"smtp: {text}\n")

    assert expected == load_settings(tmp_path).smtp


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("smtp: {host: m}", "config.yaml:1:7: smtp: the key 'from' is missing"),
        ("smtp: {host: m, from: me}", "smtp.from: 'me' is no email address"),
        ("smtp: {host: m, from: a@b, user: me}", "has a user and no password; add password: {secret: NAME}"),
        ("smtp: {host: m, from: a@b, user: me, password: hunter2}", "is not written here; write {secret: NAME}"),
        (
            "smtp: {host: m, from: a@b, user: me, password: {secret: x}, security: none}",
            "would send the password in the clear; use security: starttls or ssl",
        ),
        ("smtp: {host: m, from: a@b, security: tls}", "smtp.security: 'tls' is no kind of security"),
        ("smtp: {host: m, from: a@b, tls: true}", "it is one of the kinds of 'security'"),
        ("digest: {at: '7:30'}", "digest: tells nobody; give it email, webhook or apprise"),
        ("digest: {at: 25:00, email: a@b}", "digest.at:"),
        ("digest: {email: a@b}", "digest: the key 'at' is missing"),
        ("digest: {at: '7:30', email: me}", "digest.email: 'me' is no email address"),
    ],
)
def test_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    """Each problem names its place and the remedy; a password that was written there is not repeated."""
    (tmp_path / "config.yaml").write_text(text + "\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path)

    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_digest(tmp_path: Path) -> None:
    """A digest is a notice like others, at a time of day."""
    (tmp_path / "config.yaml").write_text(
        'digest: {at: "07:30", tz: Europe/Berlin, email: me@x.org, apprise: ntfy://y}\n'
    )
    deed = Deed("notify", {"email": ["me@x.org"], "apprise": ["ntfy://y"]})

    assert Digest(time(7, 30), deed, "Europe/Berlin") == load_settings(tmp_path).digest
