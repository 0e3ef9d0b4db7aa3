"""`{{ }}` in job files, through jinja2 in its sandbox.

Rule: a text without `{{` or `{%` is never touched, and jinja2 is not even imported for it. An undefined name is an
error; `default` and `is defined` are the ways to ask for it.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_FILLED = 1 << 20  # characters: more is a loop gone wild


def is_template(text: str) -> bool:
    """Whether there is anything to fill in."""
    return "{{" in text or "{%" in text


def render(text: str, values: Mapping[str, str]) -> str:
    """The text with the values filled in. Raises ValueError with the reason."""
    if not is_template(text):
        return text
    from jinja2 import TemplateError

    try:
        filled = _environment().from_string(text).render(values)
    except TemplateError as error:
        raise ValueError(_reason(error)) from None
    except Exception as error:  # whatever the template's own arithmetic runs into
        raise ValueError(f"the template fails: {error}") from None
    if len(filled) > MAX_FILLED:
        raise ValueError(f"the template makes more than {MAX_FILLED >> 20} MiB of text")
    return filled


def faults(text: str, names: Collection[str]) -> list[str]:
    """What is wrong with a template before any value is known: its grammar, and names that are nowhere defined."""
    if not is_template(text):
        return []
    from jinja2 import TemplateError, meta, nodes

    try:
        tree = _environment().parse(text)
        used = meta.find_undeclared_variables(tree)  # looks filters and tests up, too
    except TemplateError as error:
        return [_reason(error)]
    asked = {
        node.node.name
        for node in tree.find_all((nodes.Filter, nodes.Test))
        if isinstance(node, nodes.Filter | nodes.Test)
        and node.name in ("default", "d", "defined", "undefined")
        and isinstance(node.node, nodes.Name)
    }
    unknown = sorted(used - set(names) - asked - set(_environment().globals))
    there = f"the params are: {', '.join(names)}" if names else "the job has no params"
    return [f"'{name}' is not defined; {there}" for name in unknown]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    environment.filters["q"] = lambda value: shlex.quote(str(value))
    return environment


def _reason(error: Exception) -> str:
    from jinja2 import TemplateSyntaxError

    if isinstance(error, TemplateSyntaxError):
        hint = "write {% raw %}...{% endraw %} around braces that are meant as they are"
        return f"no valid template: {str(error.message).rstrip('.')}; {hint}"
    return f"the template fails: {error}"
