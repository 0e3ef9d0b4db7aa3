"""What a YAML parser's complaint means. Rule: a message says what to do, in words for people who know no grammar."""

from __future__ import annotations

import re
from typing import Any, Final

from sshsched.config.nodes import Node, place, shown

MAX_DEPTH: Final = 50
TOO_DEEP: Final = f"is nested deeper than {MAX_DEPTH} levels"
_BAD_INDENT: Final = re.compile(r" *([\t\xa0])")


def explain(error: Any, text: str) -> tuple[Node, str]:
    """Where a syntax error is, and what to do about it. `error` is a yaml.MarkedYAMLError."""
    mark = error.problem_mark or error.context_mark
    here = place(mark.line + 1, mark.column + 1)
    lines = text.split("\n")
    line = lines[mark.line] if mark.line < len(lines) else ""
    context, problem = error.context or "", error.problem or ""
    indent = _BAD_INDENT.match(line)
    if indent:
        name = "a tab" if indent[1] == "\t" else "a no-break space"
        return place(mark.line + 1, indent.start(1) + 1), f"{name} in the indentation; YAML wants plain spaces"
    start = error.context_mark
    opened = place(start.line + 1, start.column + 1) if start else here
    char = line[mark.column : mark.column + 1]
    for matches, where, message in (
        # libyaml from 0.2.6 on looks a thousand levels ahead, and gives up before it has told of the first fifty.
        ("nesting depth" in problem, here, TOO_DEEP),
        ("escape" in problem, here, "in double quotes a backslash begins an escape: write \\\\, or use single quotes"),
        ("quoted scalar" in context, opened, "this quote is never closed"),
        ("block scalar" in context, here, "the text after | or > begins in the next line"),
        ("directive" in problem, here, "a line that begins with % means something else to YAML"),
        ("flow" in context, opened, "this bracket is never closed, or a comma is missing in it"),
        ("alias" in context, opened, "a value that begins with * needs quotes"),
        ("anchor" in context, opened, "a value that begins with & needs quotes"),
        ("tag" in context, opened, "a value that begins with ! needs quotes"),
        ("mapping values" in problem, here, "a ': ' inside a value, or a wrong indentation; put the value in quotes"),
        ("cannot start" in problem, here, f"a value that begins with {shown(char)} needs quotes"),
        ("expected ':'" in problem, opened, "a ':' is missing after this key, or the line is indented wrongly"),
        ("block" in context, here, "does not fit: check the indentation, and quotes or brackets that close too early"),
    ):
        if matches:
            return where, message
    return here, f"no valid YAML: {problem or context}"
