"""What the help tells of each command."""

from __future__ import annotations

import shlex

import click
import pytest

from sshsched.cli.app import App
from sshsched.cli.catalogue import CATALOGUE
from sshsched.cli.lazy import COMMANDS
from sshsched.cli.main import cli
from tests.cli.driver import Place

TOLD = {name: told for group in CATALOGUE.values() for name, told in group.items()}
EXAMPLES = [example for told in TOLD.values() for example in told.examples]


def command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found
    return found


def test_each_command_stands_under_one_heading(place: Place) -> None:
    """The list of commands has all of them, and each line is whole on a terminal of 80 columns."""
    shown = place("--help").text

    assert sorted(COMMANDS) == sorted(name for group in CATALOGUE.values() for name in group)
    assert "..." not in shown.partition("Runs are made:")[2]
    assert 80 >= max(len(line) for line in shown.partition("Runs are made:")[2].splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_an_example(name: str, place: Place) -> None:
    """Nobody has to guess from a list of options."""
    assert f"    sshsched {name}" in place(name, "--help").text


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_can_be_typed(example: str) -> None:
    """Their options and arguments are those of the command."""
    name, *words = shlex.split(example.partition(">")[0], comments=True)
    found = command(name)
    if isinstance(found, click.Group) and words:
        _, below, rest = found.resolve_command(click.Context(found), words)
        assert below
        found, words = below, rest

    with found.make_context(name, words, obj=App(None, None)) as context:
        assert found.name == context.command.name
