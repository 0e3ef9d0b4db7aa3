"""Secrets: found where config.yaml says that they are kept, and known here for as short as may be.

Rule: a secret is in no message, no log, no database and no argument of a program; errors name the secret and its place,
never what is there. Whoever asks twice within a moment is given the same, so that a password manager is asked once.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sshsched.domain.draft import length_flaw
from sshsched.domain.model import Run
from sshsched.domain.secrets import Source
from sshsched.engine import command
from sshsched.errors import SecretError
from sshsched.kinds.actions.base import DeliveryError

KEPT = 10.0  # seconds for which a value is given again without asking
COMMAND_WITHIN = 30.0
MOST = 1 << 15  # bytes


class Secrets:
    """`sources` is what `secrets:` of config.yaml says now."""

    def __init__(
        self, sources: Callable[[], Mapping[str, Source]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sources = sources
        self._clock = clock
        self._kept: dict[tuple[str, Source], tuple[float, str]] = {}
        self._asking: dict[tuple[str, Source], asyncio.Task[str]] = {}

    async def of(self, run: Run) -> Mapping[str, str]:
        """The environment variables of a run's program that are secrets. Raises SecretError."""
        values = {variable: await self.value(name) for variable, name in run.plan.secrets.items()}
        for variable, value in values.items():
            if message := length_flaw(f"{variable}={value}"):
                raise SecretError(f"secret '{run.plan.secrets[variable]}': {message}")
        return values

    async def value(self, name: str) -> str:
        """A secret. One that config.yaml does not know is an environment variable. Raises SecretError."""
        source = self._sources().get(name) or Source("env", (name,))
        key, now = (name, source), self._clock()
        self._kept = {each: found for each, found in self._kept.items() if now - found[0] < KEPT}
        if key in self._kept:
            return self._kept[key][1]
        if key not in self._asking:
            self._asking[key] = asyncio.create_task(_found(name, source))
            self._asking[key].add_done_callback(lambda _: self._asking.pop(key, None))
        found = await asyncio.shield(self._asking[key])
        self._kept[key] = (self._clock(), found)
        return found


async def _found(name: str, source: Source) -> str:
    if source.kind == "env":
        found = os.environ.get(source.words[0])
        if found is None:
            raise SecretError(
                f"secret '{name}': the scheduler has no environment variable {source.words[0]}; "
                "set it, or say under 'secrets' in config.yaml where it is kept"
            )
    elif source.kind == "file":
        found = await asyncio.to_thread(_of_file, name, source.words[0])
    elif source.kind == "command":
        found = await _of_command(name, source.words)
    else:
        found = await asyncio.to_thread(_of_keyring, name, *source.words)
    if not found:
        raise SecretError(f"secret '{name}': {source.kind} {source.words[0]}: is empty")
    if "\0" in found:
        raise SecretError(f"secret '{name}': {source.kind} {source.words[0]}: holds a NUL byte")
    return found


def _of_file(name: str, path: str) -> str:
    """The first line, or all of a file that has several, without the newline at its end."""
    whole = Path(path).expanduser()
    try:
        with os.fdopen(os.open(whole, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise SecretError(f"secret '{name}': {whole} is no regular file")
            if status.st_uid not in (os.getuid(), 0):
                raise SecretError(f"secret '{name}': {whole} belongs to somebody else; chown it to yourself")
            if status.st_mode & 0o077:
                mode = stat.S_IMODE(status.st_mode)
                raise SecretError(f"secret '{name}': others may read {whole} (mode {mode:04o}); chmod 600 it")
            data = file.read(MOST + 1)
    except OSError as error:
        raise SecretError(f"secret '{name}': {whole} cannot be read: {error.strerror}") from None
    if len(data) > MOST:
        raise SecretError(f"secret '{name}': {whole} is larger than {MOST >> 10} KiB")
    return _text(name, str(whole), data)


async def _of_command(name: str, words: tuple[str, ...]) -> str:
    text = words[0] if len(words) == 1 else shlex.join(words)
    shown = words[0].split()[0] if words[0].split() else ""
    try:
        code, printed = await command.run(text, b"", COMMAND_WITHIN, {})
    except DeliveryError as error:
        raise SecretError(f"secret '{name}': {error}") from None
    if code is None:
        raise SecretError(f"secret '{name}': {shown} gave no answer within {COMMAND_WITHIN:g} s")
    if code:
        raise SecretError(f"secret '{name}': {shown} ended with {code}; try the command by hand")
    if len(printed) == command.MOST:  # and the rest is not known
        raise SecretError(f"secret '{name}': {shown} prints more than a secret of {command.MOST >> 10} KiB")
    return _text(name, shown, printed)


def _of_keyring(name: str, service: str, user: str) -> str:
    try:
        import keyring
    except ImportError:
        raise SecretError(f"secret '{name}': keyring is not installed here; pip install 'sshsched[keyring]'") from None
    try:
        found = keyring.get_password(service, user)
    except Exception as error:  # whatever its backends run into
        raise SecretError(f"secret '{name}': keyring: {type(error).__name__}: {error}") from None
    if found is None:
        raise SecretError(f"secret '{name}': the keyring has nothing for {service}/{user}")
    return str(found)


def _text(name: str, where: str, data: bytes) -> str:
    try:
        return data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretError(f"secret '{name}': {where}: is not UTF-8") from None
