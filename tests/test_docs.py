"""What the documents say is so. Their convention is told in `tests/documents.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from sshsched.cli.main import cli
from sshsched.config.hosts import load_hosts
from sshsched.config.jobs import load_jobs
from sshsched.demo.hosts import DemoHosts
from sshsched.domain.states import MOVES
from tests.documents import DOCUMENTS, blocks, matches, steps, type_all
from tests.support import ROOT, end_scheduler

KINDS = {"sh", "yaml", "python", "console", "text"}
INSTALLING = re.compile(r"(git clone|cd|pip install|pipx install|sudo apt-get install|make (?P<target>\w+))\b")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


@pytest.fixture(params=DOCUMENTS, ids=lambda path: path.name)
def document(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def hosts(demo_hosts: DemoHosts) -> Iterator[DemoHosts]:
    """The hosts of the documents, and no scheduler left behind."""
    yield demo_hosts
    end_scheduler(demo_hosts.state_dir)


def test_blocks_say_what_they_are(document: Path) -> None:
    """Each block has one of the kinds of the convention, and each YAML block is a file."""
    found = blocks(document)

    assert set() == {block.kind for block in found} - KINDS
    assert [] == [block.line for block in found if block.kind in ("yaml", "python") and block.file is None]
    assert [] == [block.line for block in found if block.kind == "text" and "$ sshsched" in block.text]


def test_shown_commands_are_about_installing(document: Path) -> None:
    """A command that nobody types here is an installation, or a make target that there is."""
    shown = [step for block in blocks(document) if block.kind == "console" for step in steps(block)]
    found = [(step.line, INSTALLING.match(step.command)) for step in shown]
    makefile = (ROOT / "Makefile").read_text()
    targets = {match["target"] for _, match in found if match and match["target"]}

    assert [] == [line for line, match in found if not match]
    assert set() == {target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)}


def test_yaml_can_be_loaded(document: Path, tmp_path: Path) -> None:
    """Job files and hosts.yaml of a document are without a problem."""
    write_files(document, tmp_path)
    loaded = load_jobs(tmp_path)
    load_hosts(tmp_path)

    assert [] == list(loaded.problems)


def test_commands_do_as_told(document: Path, hosts: DemoHosts, tmp_path: Path) -> None:
    """Whoever types the commands of a document sees what it shows."""
    write_files(document, hosts.config_dir)
    wanted = [step for block in blocks(document) if block.kind == "sh" for step in steps(block)]
    typed = type_all(wanted, hosts, tmp_path / "home")
    wrong = [
        f"{document.name}:{step.line}: {step.command}\nended with {code} and printed:\n{printed}"
        for step, (code, printed) in zip(wanted, typed, strict=True)
        if (code and not step.may_fail) or not (step.prints is None or matches(step.prints, printed))
    ]

    assert "" == "\n".join(wrong)


def test_links_lead_somewhere(document: Path) -> None:
    """A link to a file leads to one."""
    targets = LINK.findall(document.read_text(encoding="utf-8"))

    assert [] == [target for target in targets if not (document.parent / target).exists()]


def test_every_command_and_option_is_explained() -> None:
    """docs/commands.md leaves out no command and no option."""
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    context = click.Context(cli)
    commands = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    options = {
        option
        for command in [cli, *commands.values()]
        for parameter in (command.params if command else [])
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("-")
    }

    assert [] == [name for name in commands if f"`sshsched {name}" not in text]
    assert [] == sorted(option for option in options if not re.search(rf"{option}\b", text))


def test_the_diagram_is_the_table() -> None:
    """The moves in docs/guarantees.md are those of the table."""
    width = max(map(len, MOVES))
    drawn = "".join(
        f"{state:{width}} -> {', '.join(new for new in MOVES if new in after)}\n" if after else f"{state:{width}} .\n"
        for state, after in MOVES.items()
    )

    assert drawn in [block.text for block in blocks(ROOT / "docs" / "guarantees.md")]


def write_files(document: Path, config_dir: Path) -> None:
    """Put the files of a document where a user would."""
    for block in blocks(document):
        if block.file:
            path = config_dir / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("a\n", "a\n"),
        ("a ... c\n", "a bbb c\n"),
        ("a\n...\n", "a\n"),
        ("a\n...\nz\n", "a\nb\nc\nz\n"),
        ("...\n", ""),
    ],
)
def test_dots_stand_for_anything(expected: str, printed: str) -> None:
    """Dots in a line are any text, dots alone are any lines."""
    assert matches(expected, printed)


@pytest.mark.parametrize(
    ("expected", "printed"), [("a\n", "b\n"), ("a\n", "a\nb\n"), ("a ... c\n", "a\nc\n"), ("a\n...\nz\n", "a\nb\n")]
)
def test_everything_else_is_compared(expected: str, printed: str) -> None:
    """Without dots, what is printed must be what is shown."""
    assert not matches(expected, printed)
