"""Templates: filled in within a sandbox, checked before any value is known, and never in the way of a plain text."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.config.templates import faults, is_template, render

FILLED = {
    "{{ name }}": "Ada",
    "a {{ name }} b\n": "a Ada b\n",
    "{% if name == 'Ada' %}yes{% endif %}": "yes",
    "{{ other | default('none') }}": "none",
    "{% if other is defined %}{{ other }}{% endif %}": "",
    "{{ name | upper }}-{{ name | length }}": "ADA-3",
    "{{ '{{' }}": "{{",
    "{% raw %}{{.Names}}{% endraw %}": "{{.Names}}",
    "no template { } % #": "no template { } % #",
}


@pytest.mark.parametrize("text", FILLED)
def test_a_template_is_filled_in(text: str) -> None:
    """Values, conditions and filters; a text without braces stays what it is."""
    assert [] == faults(text, ["name"])
    assert FILLED[text] == render(text, {"name": "Ada"})


REFUSED = {
    "{{ nam }}": ("'nam' is not defined; the params are: name", "the template fails: 'nam' is undefined"),
    "{{ name | nope }}": ("no valid template: No filter named 'nope'", "no valid template: No filter named 'nope'"),
    "{{.Names}}": ("no valid template: unexpected '.'", "no valid template: unexpected '.'"),
    "{{ run_id }}": (
        "'run_id' is not defined; a run gets its id after its texts; the program finds it in $SSHSCHED_RUN_ID",
        "the template fails: 'run_id' is undefined",
    ),
    "{{ name": ("no valid template: unexpected end of template", "no valid template: unexpected end of template"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_bad_template_is_known_at_once(text: str) -> None:
    """Grammar, filters and names are checked when the file is read, and again when it is filled in."""
    early, late = REFUSED[text]
    (fault,) = faults(text, ["name"])

    assert fault.startswith(early)
    with pytest.raises(ValueError, match=f"^{late.replace('.', '[.]')}"):
        render(text, {"name": "Ada"})


@pytest.mark.parametrize(
    "text", ["{{ name.__class__.__mro__ }}", "{{ ''.__class__ }}", "{{ name / 0 }}", "{{ 1 / 0 }}"]
)
def test_the_sandbox_holds(text: str) -> None:
    """A template reaches its values and nothing behind them, and its own mistakes are answered as such."""
    with pytest.raises(ValueError, match=r"^the template fails: "):
        render(text, {"name": "Ada"})


def test_a_loop_gone_wild_is_stopped() -> None:
    """What a template makes has a limit."""
    with pytest.raises(ValueError, match=r"^the template makes more than 1 MiB of text$"):
        render("{{ 'x' * 2000000 }}", {})


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50))
def test_q_makes_one_word_of_anything(value: str) -> None:
    """After `| q` a shell sees one word, and it is the value."""
    assert [value] == shlex.split(render("{{ value | q }}", {"value": value}))


def test_q_before_a_real_shell() -> None:
    """No value breaks out of its quotes."""
    value = "a'b\"$(exit 9)`exit 9`\\;&|\n*~ -n ü"
    line = render("printf %s {{ value | q }}", {"value": value})

    assert value.encode() == subprocess.run(["/bin/sh", "-c", line], capture_output=True, check=True).stdout


pieces = st.sampled_from(
    ["{{ a }}", "{{b|q}}", "{{ a | q }}", "{{ none }}", "{{a", "}}", "{", "\n", "\r\n", "{#", "x y"]
)


@given(st.lists(pieces, max_size=5).map("".join), st.text(st.characters(exclude_categories=["Cs"]), max_size=5))
def test_plain_names_are_filled_in_as_jinja2_would(text: str, value: str) -> None:
    """The short way and the long way make the same text, or both refuse."""
    values = {"a": value, "b": "it's", "none": "n"}
    made = []
    for each in (text, "{{ '' }}" + text):  # an expression, which takes jinja2
        try:
            made.append(render(each, values) if is_template(each) else each)
        except ValueError:
            made.append(None)

    assert made[0] == made[1] or not is_template(text)


@given(st.text(max_size=30).filter(lambda text: not is_template(text)), st.dictionaries(st.text(), st.text()))
def test_a_plain_text_is_never_touched(text: str, values: dict[str, str]) -> None:
    """Whatever it holds."""
    assert text == render(text, values)


@given(st.text("{}%# .|()'\"\n-abxif", max_size=20))
def test_any_text_is_filled_in_or_refused(text: str) -> None:
    """There is no template that raises anything but a reason."""
    faults(text, ["a"])
    with contextlib.suppress(ValueError):
        assert isinstance(render(text, {"a": "1"}), str)


def test_jinja2_is_imported_only_for_a_template() -> None:
    """Commands that run plain jobs start quickly."""
    code = (
        "import sys; from sshsched.config import jobs, templates; templates.render('x', {}); templates.faults('x', [])"
    )
    done = subprocess.run([sys.executable, "-c", f"{code}; print('jinja2' in sys.modules, 'yaml' in sys.modules)"],
                          capture_output=True, check=True, text=True)  # fmt: skip

    assert "False False\n" == done.stdout
