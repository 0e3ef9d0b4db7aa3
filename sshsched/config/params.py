"""The params of a job: a list of names, or names with a default, choices and a description."""

from __future__ import annotations

import re
from typing import Final

from sshsched.config.nodes import Listing, Mapping, Node, Problems, Text, shown
from sshsched.config.reading import Key, Record, Schema, read_each, reader
from sshsched.config.values import SCALAR, TEXT, Many, read_named
from sshsched.kinds.jobs import Param

NAME: Final = "[A-Za-z_][A-Za-z0-9_]*"
WANTED: Final = "name of a param; use letters, digits and _, and no digit in front"
DEFAULT: Final = Key[str | None]("default", TEXT, "the value if none is given", None)
CHOICES: Final = Key[tuple[str, ...]]("choices", Many(TEXT, alone=False), "the values that are allowed", ())
DESCRIPTION: Final = Key("description", TEXT, "what it means", "")
PARAM: Final = Record((DEFAULT, CHOICES, DESCRIPTION), "a param of the job")


class Params:
    """`[date, region]`, or `{date:, region: us, stage: {default: test, choices: [test, live]}}`."""

    def read(self, node: Node, problems: Problems) -> tuple[Param, ...]:
        params = self._listed(node, problems) if isinstance(node, Listing) else self._mapped(node, problems)
        seen: dict[str, str] = {}
        for name in (param.name for param in params):
            # Both would reach the program as SSHSCHED_ARG_NAME.
            if name.upper() in seen:
                raise problems.refuse(node, f"'{seen[name.upper()]}' and '{name}' differ at most in case; rename one")
            seen[name.upper()] = name
        return params

    def _listed(self, node: Listing, problems: Problems) -> tuple[Param, ...]:
        return read_each(node.items, _Named(), problems)

    def _mapped(self, node: Node, problems: Problems) -> tuple[Param, ...]:
        if not isinstance(node, Mapping):
            raise problems.refuse(node, f"{node.what} stands where a list of names should be: [date, region]")
        return tuple(read_named(node, NAME, WANTED, _param, problems).values())

    def schema(self) -> Schema:
        name: Schema = {"type": "string", "pattern": f"^{NAME}$"}
        return {
            "anyOf": [
                {"type": "array", "items": name},
                {
                    "type": "object",
                    "propertyNames": name,
                    "additionalProperties": {"anyOf": [PARAM.schema(), {"type": [*SCALAR, "null"]}]},
                },
            ]
        }


def names_in(node: Node) -> list[str]:
    """The names that a list or mapping of params holds, be the rest of it good or bad."""
    if isinstance(node, Listing):
        return [item.text for item in node.items if isinstance(item, Text)]
    return list(node.entries) if isinstance(node, Mapping) else []


class _Named:
    """A param of which nothing but the name is known."""

    def read(self, node: Node, problems: Problems) -> Param:
        if not isinstance(node, Text):
            raise problems.refuse(
                node, f"{node.what} stands where a name should be; for defaults write `name: default`"
            )
        if not re.fullmatch(NAME, node.text):
            raise problems.refuse(node, f"{shown(node.text)} is no {WANTED}")
        return Param(node.text)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{NAME}$"}


def _param(name: str, node: Node, problems: Problems) -> Param:
    if isinstance(node, Text):
        return Param(name, None if node.absent else node.text)
    with reader(node, PARAM, problems) as take:
        param = Param(name, take(DEFAULT), take(CHOICES), take(DESCRIPTION))
    if param.choices and param.default is not None and param.default not in param.choices:
        raise problems.refuse(node, f"{shown(param.default)} is not among the choices: {', '.join(param.choices)}")
    return param
