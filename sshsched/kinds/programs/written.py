"""A job's program of somebody's kind, as its file writes it: it becomes a command when a run is bound.

Rule: texts are filled in first, and the kind is asked after that, so it sees values and never a template. What the job
itself says beside the kind (env, cwd, timeout and the like) goes before what the kind says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sshsched.domain.filling import Fill
from sshsched.domain.program import Program
from sshsched.errors import UsageError
from sshsched.kinds.plans import fill_all
from sshsched.kinds.programs.base import ProgramKind
from sshsched.kinds.registry import find
from sshsched.kinds.written import make

_BESIDE: Final = ("cwd", "stdin", "umask", "user", "timeout", "abandon_after", "stop", "accept")
_USUAL: Final = Program()


@dataclass(frozen=True, slots=True)
class Written:
    """The kind and its options, whose texts may hold templates."""

    kind: str
    options: Mapping[str, Any]


def program_of(written: Written, beside: Program, fill: Fill) -> Program:
    """The program of one run; `beside` is what the job says of it, filled in. Raises UsageError with what is wrong."""
    options = {name: fill_all(f"program.{name}", value, fill) for name, value in written.options.items()}
    try:
        kind: ProgramKind = make(find("program", written.kind), options)
        made = kind.program()
    except Exception as error:  # kinds are of others' making
        said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise UsageError(f"program of type {written.kind!r}: {said}") from error
    if not isinstance(made, Program):
        raise UsageError(f"program of type {written.kind!r}: it made {made!r:.100}, and no Program")
    told = {name: getattr(beside, name) for name in _BESIDE if getattr(beside, name) != getattr(_USUAL, name)}
    return replace(made, env={**made.env, **beside.env}, **told)
