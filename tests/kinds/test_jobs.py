"""Binding: a job and its args make the fields of a run, or one message says all that is wrong."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sshsched.domain.program import Program
from sshsched.errors import UsageError
from sshsched.kinds.jobs import Bound, Job, Param, bind

PARAMS = (Param("date"), Param("region", "us", ("us", "eu")))
JOB = Job("reports/build", "web", Program(argv=("build",)), PARAMS, labels=("report",), start_within=60.0)


def braces(text: str, values: Mapping[str, str]) -> str:
    """The least of a renderer: <name> is a value."""
    if "<bad>" in text:
        raise ValueError("the template fails")
    for name, value in values.items():
        text = text.replace(f"<{name}>", value)
    return text


def test_args_and_defaults_make_a_run() -> None:
    """What is not given has its default; the order is that of the params."""
    bound = bind(JOB, {"date": "2026-11-22"}, braces)
    args = {"date": "2026-11-22", "region": "us"}

    assert Bound("reports/build", "web", JOB.program, args, ("report",), 60.0) == bound
    assert ["date", "region"] == list(bound.args)


WRONG = {
    (): "missing arg 'date'",
    (("date", "x"), ("region", "mars")): "region must be one of us, eu; it is 'mars'",
    (("date", "x"), ("extra", "y")): "unknown arg 'extra'",
    (("date", "a\0b"),): "date holds a NUL character, which cannot be handed to any program",
    (("extra", "y"), ("region", "")): "unknown arg 'extra'; missing arg 'date'; region must be one of us, eu; it is ''",
}


@pytest.mark.parametrize("args", WRONG)
def test_wrong_args_are_named(args: tuple[tuple[str, str], ...]) -> None:
    """All of them in one message, which ends with what the job takes."""
    with pytest.raises(UsageError) as raised:
        bind(JOB, dict(args), braces)

    assert f"job 'reports/build': {WRONG[args]}; it takes date=... [region=us]" == str(raised.value)


def test_a_job_without_params_takes_none() -> None:
    """And says so."""
    with pytest.raises(UsageError, match=r"^job 'a': unknown arg 'x'; it takes no args$"):
        bind(Job("a", "h", Program(command="c")), {"x": "1"}, braces)


def test_templates_are_filled_in_everywhere() -> None:
    """Host, command or argv, environment, folder, input and user may depend on the args."""
    program = Program(
        argv=("a", "<x>"), env={"E": "<x>"}, cwd="/srv/<x>", stdin="<x>\n", user="u<x>", timeout=5.0, accept=(0, 1)
    )
    bound = bind(Job("a", "web<x>", program, (Param("x"),)), {"x": "1"}, braces)
    filled = Program(argv=("a", "1"), env={"E": "1"}, cwd="/srv/1", stdin="1\n", user="u1", timeout=5.0, accept=(0, 1))

    assert ("web1", filled) == (bound.host, bound.program)
    assert "c 1" == bind(Job("a", "h", Program(command="c <x>"), (Param("x"),)), {"x": "1"}, braces).program.command


NUL = "a NUL character cannot be handed to any program"
FAILS = {
    "a": (Job("a", "<x>", Program(command="c"), (Param("x"),)), "host: '-oX' is no host name"),
    "b": (Job("b", "h", Program(command="c", user="<x>"), (Param("x"),)), "user: '-oX' is no user name"),
    "c": (Job("c", "h", Program(argv=("c", "<bad>")), (Param("x"),)), "argv[1]: the template fails"),
    "d": (Job("d", "h", Program(command="c", env={"E": "\0"}), (Param("x"),)), "env.E: " + NUL),
}


@pytest.mark.parametrize("name", FAILS)
def test_what_cannot_be_bound_is_named(name: str) -> None:
    """An arg that would be taken for an option, a template that fails, a character that no program can get."""
    job, message = FAILS[name]
    with pytest.raises(UsageError) as raised:
        bind(job, {"x": "-oX"}, braces)

    assert f"job '{name}': {message}" == str(raised.value)
