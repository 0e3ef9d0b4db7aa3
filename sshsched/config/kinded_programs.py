"""`program: {type: ...}`: a program of somebody's kind, whose options are those of the kind."""

from __future__ import annotations

from typing import Final

from sshsched.config.kinded import read_kind
from sshsched.config.nodes import Mapping, Node, Problems
from sshsched.config.programs import PROGRAM
from sshsched.config.reading import Key, Record, Schema
from sshsched.config.values import TEXT
from sshsched.kinds.programs.written import Written

_TYPE: Final = Record((Key("type", TEXT, "the kind of program"),), "a program of a kind")
_OTHERS: Final[Schema] = {"type": "object", "properties": {"type": {"type": "string"}}, "required": ["type"]}


class _Kinded:
    """What `spread` has left under `program`: the type and its options."""

    def read(self, node: Node, problems: Problems) -> Written:
        assert isinstance(node, Mapping), "spread() leaves nothing else there"
        return Written(*read_kind(node, "program", _TYPE, problems))

    def schema(self) -> Schema:
        return {"anyOf": [PROGRAM.schema(), _OTHERS]}


KINDED: Final = Key[Written | None](
    "program", _Kinded(), "what runs on the host; with a `type`, a program of that kind", None
)
