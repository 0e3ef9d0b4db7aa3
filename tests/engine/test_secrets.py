"""Secrets from real files, variables and commands; and that what goes wrong never shows one."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from sshsched.domain.plan import Plan
from sshsched.domain.secrets import Source
from sshsched.engine.secrets import KEPT, Secrets
from sshsched.errors import SecretError
from tests.store.samples import run

VALUE = "pa ss'wörd"


def secrets(**sources: Source) -> Secrets:
    return Secrets(lambda: sources)


async def test_of_a_file(tmp_path: Path) -> None:
    """A file that nobody else may read; the newline at its end is no part of it."""
    path = tmp_path / "token"
    path.write_text(VALUE + "\n")
    path.chmod(0o600)

    assert VALUE == await secrets(x=Source("file", (str(path),))).value("x")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
async def test_a_file_that_others_may_read(tmp_path: Path, mode: int) -> None:
    """A file that others can read or write is refused, with the remedy."""
    path = tmp_path / "token"
    path.write_text(VALUE)
    path.chmod(mode)

    with pytest.raises(SecretError, match=r"chmod 600") as caught:
        await secrets(x=Source("file", (str(path),))).value("x")
    assert VALUE not in str(caught.value)


async def test_what_no_kernel_hands_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that is too long for a variable is refused before anything is sent; one byte less is not."""
    wanted = run(1, plan=Plan(secrets={"TOKEN": "x"}))
    monkeypatch.setenv("S", "x" * 131_065)
    assert {"TOKEN": "x" * 131_065} == await secrets(x=Source("env", ("S",))).of(wanted)

    monkeypatch.setenv("S", "x" * 131_066)
    with pytest.raises(SecretError, match="secret 'x': takes 131072 bytes, and Linux hands over 131071 at most"):
        await secrets(x=Source("env", ("S",))).of(wanted)


async def test_a_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the scheduler's home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "token").touch(0o600)
    (tmp_path / "token").write_text("x\n")

    assert "x" == await secrets(x=Source("file", ("~/token",))).value("x")


async def test_of_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the scheduler: one that config.yaml names, or one of the secret's own name."""
    monkeypatch.setenv("DB_PASSWORD", VALUE)

    assert VALUE == await secrets(x=Source("env", ("DB_PASSWORD",))).value("x")
    assert VALUE == await secrets().value("DB_PASSWORD")


@pytest.mark.parametrize("words", [("printf '%s\\n' \"$S\"",), ("printenv", "S")])
async def test_of_a_command(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    """What a password manager prints, given as a text for sh or as a list."""
    monkeypatch.setenv("S", VALUE)

    assert VALUE == await secrets(x=Source("command", words)).value("x")


async def test_arguments_are_no_shell_text(tmp_path: Path) -> None:
    """The words of a list mean nothing to any shell."""
    words = ("printf", "%s", f"$(touch {tmp_path}/x); a'b")

    assert words[2] == await secrets(x=Source("command", words)).value("x")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (Source("env", ("SSHSCHED_NOT_THERE",)), "no environment variable SSHSCHED_NOT_THERE"),
        (Source("file", ("/nowhere/token",)), "/nowhere/token cannot be read: No such file"),
        (Source("file", ("/",)), "/ cannot be read: Is a directory"),
        (Source("command", ("echo s3cret; echo s3cret >&2; exit 4",)), "ended with 4"),
        (Source("command", ("/nowhere/pass",)), "ended with 127"),
        (Source("command", ("printf ''",)), "is empty"),
        (Source("command", ("printf '\\377'",)), "is not UTF-8"),
        (Source("command", ("printf 'a\\000b'",)), "NUL"),
        (Source("command", ("yes s3cret | head -c 200000",)), "prints more than a secret"),
    ],
)
async def test_what_goes_wrong(source: Source, words: str) -> None:
    """An error names the secret and the place, and never what is there."""
    with pytest.raises(SecretError) as caught:
        await secrets(x=source).value("x")

    assert "secret 'x'" in str(caught.value)
    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_asked_once(tmp_path: Path) -> None:
    """Many who ask at once, or within a moment, are one question; later it is asked again."""
    text = f"echo x >>{tmp_path}/asked; wc -l <{tmp_path}/asked"
    now = [0.0]
    made = Secrets(lambda: {"x": Source("command", (text,))}, lambda: now[0])
    first = await asyncio.gather(*(made.value("x") for _ in range(5)))
    again = await made.value("x")
    now[0] = KEPT + 1

    assert {"1"} == {value.strip() for value in (*first, again)}
    assert "2" == (await made.value("x")).strip()


async def test_a_changed_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where config.yaml says another place, what was kept of the old one does not count."""
    monkeypatch.setenv("ONE", "1")
    monkeypatch.setenv("TWO", "2")
    places = {"x": Source("env", ("ONE",))}
    made = Secrets(lambda: places)
    first = await made.value("x")
    places["x"] = Source("env", ("TWO",))

    assert ("1", "2") == (first, await made.value("x"))


async def test_of_a_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keyring of the desktop, by service and user."""
    import keyring
    from keyring.backend import KeyringBackend

    class Ring(KeyringBackend):
        priority = 1.0  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str | None:
            return VALUE if (service, username) == ("example.com", "me") else None

        def set_password(self, service: str, username: str, password: str) -> None: ...

    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    try:
        assert VALUE == await secrets(x=Source("keyring", ("example.com", "me"))).value("x")
        with pytest.raises(SecretError, match=r"nothing for example.com/you"):
            await secrets(x=Source("keyring", ("example.com", "you"))).value("x")
    finally:
        keyring.set_keyring(before)


async def test_a_file_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another user is refused, for that user may change it."""
    path = tmp_path / "token"
    path.write_text(VALUE)
    path.chmod(0o600)
    monkeypatch.setattr(os, "getuid", lambda: path.stat().st_uid + 1)
    if path.stat().st_uid == 0:
        os.chown(path, 12345, -1)
        monkeypatch.setattr(os, "getuid", lambda: 0)

    with pytest.raises(SecretError, match=r"belongs to somebody else"):
        await secrets(x=Source("file", (str(path),))).value("x")
