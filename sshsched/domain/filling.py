"""Programs with their templates filled in.

Rule: pure; `fill(where, text)` does the work and may raise, and `where` names the place to people.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sshsched.domain.program import Program

Fill = Callable[[str, str], str]


def filled_program(program: Program, fill: Fill) -> Program:
    """All texts of a program that may hold templates."""

    def maybe(where: str, text: str | None) -> str | None:
        return None if text is None else fill(where, text)

    return replace(
        program,
        command=maybe("command", program.command),
        argv=tuple(fill(f"argv[{index}]", word) for index, word in enumerate(program.argv)),
        env={name: fill(f"env.{name}", text) for name, text in program.env.items()},
        cwd=maybe("cwd", program.cwd),
        stdin=maybe("stdin", program.stdin),
        user=maybe("user", program.user),
    )
