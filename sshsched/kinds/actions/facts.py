"""What is told of a run: to people, to templates, and to programs as JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from sshsched.domain.instructions import Notice
from sshsched.domain.model import Run
from sshsched.domain.program import Program
from sshsched.domain.shape import iso, run_shape
from sshsched.domain.states import State

UNTOLD: Final = ("stdin", "env")
"""What of a program is told to nobody: it may be large, and it may be confidential."""


def facts_of(run: Run) -> Mapping[str, Any]:
    """What is told of a run: its JSON shape, without what is confidential."""
    shape = run_shape(run)
    return {**shape, "program": {name: value for name, value in shape["program"].items() if name not in UNTOLD}}


@cache
def told_names() -> frozenset[str]:
    """The names that the texts of an action may use besides the args of its run."""
    anybody = Run(0, "", Program(argv=("true",)), 0.0, State.WAITING)
    return frozenset({*values_of(facts_of(anybody), ""), "usual_subject", "usual_body", "output"})


def values_of(facts: Mapping[str, Any], occasion: str) -> dict[str, Any]:
    """What the texts of an action may use: the args by name, and all that is told of the run. Unknown is empty."""
    known = {name: "" if value is None else value for name, value in facts.items()}
    args: Mapping[str, str] = facts.get("args", {})
    return {**args, **known, "occasion": occasion}


def shape_of(notice: Notice) -> dict[str, Any]:
    """What programs are told: JSON, to which fields are only ever added."""
    return {
        "id": notice.id,
        "occasion": notice.occasion,
        "at": iso(notice.made_at),
        "job": notice.job_id,
        "run": None if notice.run_id is None else f"r{notice.run_id}",
        "facts": notice.facts,
    }


def what(notice: Notice) -> str:
    """What was to be done, in a few words: `notify email me@example.com (failure)`."""
    options = notice.deed.options
    kept = next((key for key in ("email", "webhook", "apprise") if options.get(key)), "")
    to = f" {options['email'][0]}" if kept == "email" else ""
    return f"{' '.join(filter(None, (notice.deed.kind, kept)))}{to} ({notice.occasion})"
