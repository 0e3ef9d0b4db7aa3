"""`{{ }}` in job files, through jinja2 in its sandbox.

Rule: a text without `{{` or `{%` is never touched, and jinja2 is not even imported for it. An undefined name is an
error; `default` and `is defined` are the ways to ask for it. Besides params there are `job_id`, `schedule_time` and the
functions of `dates`; `run_id` is not, because a run gets its id after its texts.

Texts with nothing but `{{ name }}` and `{{ name | q }}`, as most are, are filled in here, as jinja2 would: importing it
takes longer than many a command takes to run.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jinja2 import Environment

    from sshsched.kinds.calendars import Calendar

Calendars = Callable[[], "Mapping[str, Calendar]"]
"""Asked for the named calendars only when a template wants one."""

MAX_FILLED: Final = 1 << 20  # characters: more is a loop gone wild
_PLAIN: Final = re.compile(r"\{\{[ ]*([A-Za-z_][A-Za-z0-9_]*)[ ]*(\|[ ]*q[ ]*)?\}\}")
_OTHER: Final = re.compile(r"[{}\r]|^[#%]")  # jinja2 makes one new line of \r\n; braces that are left may be anything
_RESERVED: Final = frozenset(
    (
        *("true", "false", "none", "True", "False", "None", "not", "and", "or", "if", "else", "is", "in", "for"),
        *("import", "self", "super", "loop", "caller", "varargs", "kwargs"),
    )
)
GIVEN: Final = ("job_id", "schedule_time")
"""What `bind` gives besides the params."""
RUN_ID: Final = "a run gets its id after its texts; the program finds it in $SSHSCHED_RUN_ID"


def is_template(text: str) -> bool:
    """Whether there is anything to fill in."""
    return "{{" in text or "{%" in text


def render(text: str, values: Mapping[str, Any], calendars: Calendars = dict) -> str:
    """The text with the values filled in. Raises ValueError with the reason."""
    if not is_template(text):
        return text
    if (names := _plain_names(text)) is not None and names <= values.keys():
        return _short_enough(_PLAIN.sub(lambda m: shlex.quote(str(values[m[1]])) if m[2] else str(values[m[1]]), text))
    from jinja2 import TemplateError

    try:
        filled = _environment().from_string(text, _functions(calendars)).render(values)
    except TemplateError as error:
        raise ValueError(_reason(error)) from None
    except Exception as error:  # whatever the template's own arithmetic runs into
        raise ValueError(f"the template fails: {error}") from None
    return _short_enough(filled)


def _short_enough(filled: str) -> str:
    if len(filled) > MAX_FILLED:
        raise ValueError(f"the template makes more than {MAX_FILLED >> 20} MiB of text")
    return filled


def _plain_names(text: str) -> frozenset[str] | None:
    """The names that a text wants, if it wants nothing else; None if it takes jinja2 to tell."""
    if _OTHER.search(_PLAIN.sub("", text)):
        return None
    names = frozenset(match[1] for match in _PLAIN.finditer(text))
    return None if names & _RESERVED else names


def faults(text: str, names: Collection[str], also: Collection[str] = ()) -> list[str]:
    """What is wrong with a template before any value is known: its grammar, and names that are nowhere defined.

    `names` are the params of the job, `also` are defined here besides.
    """
    if not is_template(text):
        return []
    if (plain := _plain_names(text)) is not None and plain <= {*names, *also, *GIVEN}:
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
    unknown = sorted(used - set(names) - set(also) - asked - set(_environment().globals) - {*GIVEN, *_functions(dict)})
    there = f"the params are: {', '.join(names)}" if names else "the job has no params"
    return [f"'{name}' is not defined; {_hint(name, there, also)}" for name in unknown]


def _hint(name: str, there: str, also: Collection[str]) -> str:
    if name == "run_id" and not also:
        return RUN_ID
    from difflib import get_close_matches  # only a mistake pays for it

    if near := get_close_matches(name, also, n=1):
        return f"did you mean '{near[0]}'?"
    return f"{there}, and of the run there are job, run, state, host, message, exit_code and more" if also else there


def reached(text: str, name: str) -> set[tuple[str, ...]]:
    """What a template asks of a mapping: ("build", "outputs", "version") for `steps.build.outputs.version`.

    Of a template whose grammar is wrong, nothing.
    """
    if name not in text or not is_template(text):
        return set()
    from jinja2 import TemplateError, nodes

    try:
        tree = _environment().parse(text)
    except TemplateError:
        return set()
    found = set()
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        path: list[str] = []
        part: nodes.Node = node
        while True:
            if isinstance(part, nodes.Getattr):
                path.insert(0, part.attr)
            elif isinstance(part, nodes.Getitem) and isinstance(part.arg, nodes.Const):
                path.insert(0, str(part.arg.value))
            else:
                break
            part = part.node
        if isinstance(part, nodes.Name) and part.name == name:
            found.add(tuple(path))
    return {path for path in found if not any(other[: len(path)] == path for other in found - {path})}


def _functions(calendars: Calendars) -> dict[str, Callable[..., Any]]:
    from sshsched.config.dates import functions  # with time zones, which only templates need

    return functions(calendars)


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
