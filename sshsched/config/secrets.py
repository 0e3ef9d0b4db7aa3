"""`secrets:` of config.yaml: where each secret is kept. Only reading; nothing here ever asks for one.

::

    secrets:
      db-password: {env: DB_PASSWORD}
      token: {file: ~/.config/token}
      mail: {command: [pass, show, mail]}
      api: {keyring: example.com/me}
"""

from __future__ import annotations

import re
from typing import Any, Final

from sshsched.config.nodes import Node, Problems, shown
from sshsched.config.programs import ENV_NAME, ENV_WANTED
from sshsched.config.reading import Key, Record, Schema, read_text, reader
from sshsched.config.values import TEXT, Many, Pairs, Word
from sshsched.domain.secrets import NAME, WANTED, Source


class _Keyring:
    """`service/user`."""

    pattern: Final = r"[^/\s]\S*/\S+"

    def read(self, node: Node, problems: Problems) -> tuple[str, ...]:
        text = read_text(node, problems)
        if not re.fullmatch(self.pattern, text):
            raise problems.refuse(node, f"{shown(text)} is no entry of a keyring; write service/user")
        service, _, user = text.rpartition("/")
        return service, user

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{self.pattern}$"}


ENV: Final = Key[str | None]("env", Word(ENV_NAME, ENV_WANTED), "an environment variable of the scheduler", None)
FILE: Final = Key[str | None]("file", TEXT, "a file that nobody else can read; ~ allowed", None)
COMMAND: Final = Key[tuple[str, ...] | None](
    "command", Many(TEXT), "a program and its arguments, which prints it; a text alone is for `sh -c`", None
)
KEYRING: Final = Key[tuple[str, ...] | None]("keyring", _Keyring(), "service/user in the keyring of the system", None)
SOURCES: Final[tuple[Key[Any], ...]] = (ENV, FILE, COMMAND, KEYRING)
RECORD: Final = Record(
    SOURCES, "where a secret is kept: env, file, command or keyring", {"path": "here it is called 'file'"}
)


class OneSource:
    """Reads where one secret is kept."""

    def read(self, node: Node, problems: Problems) -> Source:
        with reader(node, RECORD, problems) as take:
            found = {key.name: take(key) for key in SOURCES}
        given = {name: value for name, value in found.items() if value is not None}
        if len(given) != 1:
            raise problems.refuse(node, "needs exactly one of env, file, command and keyring")
        ((kind, value),) = given.items()
        return Source(kind, (value,) if isinstance(value, str) else value)

    def schema(self) -> Schema:
        return {**RECORD.schema(), "minProperties": 1, "maxProperties": 1}


SECRETS: Final = Pairs(NAME, WANTED, OneSource())
