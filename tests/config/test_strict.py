"""YAML is read strictly: nothing is guessed, and nothing that can be misread passes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sshsched.config.nodes import Mapping, Problems, Text, UnreadableError
from sshsched.config.strict import MAX_BYTES, read_file
from tests.config.reading import composed


@pytest.fixture(params=["libyaml", "pure"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both parsers of PyYAML: the one of libyaml is not built everywhere."""
    if request.param == "pure":
        monkeypatch.delattr(yaml, "CSafeLoader")
    return str(request.param)


@pytest.mark.parametrize(
    "value",
    ["10:30", "10:30:00", "no", "on", "012", "0x1f", "1e3", "2024-01-01", "~", "null", "1_000", ".inf", "=", "y"],
)
def test_a_text_is_a_text(value: str) -> None:
    """What YAML 1.1 takes for a number, a date or a truth stays what was written."""
    node, problems = composed(f"key: {value}")

    assert [] == problems
    assert isinstance(node, Mapping)
    assert Text(1, 6, "key", value, True) == node.entries["key"].value


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)
)
REFUSED = {
    "a: 1\nb: 2\na: 3": "3:1: a: stands here twice; first in line 1",
    "a:\n  b: 1\n  b: 2": "3:3: a.b: stands here twice; first in line 2",
    BOMB: "5:5: a4: more than 100,000 values in a file, aliases counted each time",
    "a: &x [*x]": "1:8: a[0]: *x stands inside the very value that it names",
    "a: *x": "1:4: a: unknown alias *x; if a star is meant, put the value in quotes",
    "a: */5 * * * *": "1:4: a value that begins with * needs quotes",
    "a: 1\n---\nb: 2": "2:1: a second document begins here; one file holds one",
    "a:\n\tb: 1": "2:1: a tab in the indentation; YAML wants plain spaces",
    "a:\n  b: 1\n \xa0c: 2": "3:2: a no-break space in the indentation; YAML wants plain spaces",
    "a: @web": "1:4: a value that begins with '@' needs quotes",
    "a: `x`": "1:4: a value that begins with '`' needs quotes",
    "a: %x": "1:4: a value that begins with '%' needs quotes",
    "a: echo b: c": "1:10: a ': ' inside a value, or a wrong indentation; put the value in quotes",
    'a: "x': "1:4: this quote is never closed",
    "a: 'x": "1:4: this quote is never closed",
    "a: [1, 2": "1:4: this bracket is never closed, or a comma is missing in it",
    "a: {{ x }}": '1:5: a: a template needs quotes: "{{ ... }}"',
    "a: !!int 5": "1:4: a: a tag like !!int is not used here; leave it out, or quote a value that begins with !",
    "a: !boom": "1:4: a: a tag like !!int is not used here; leave it out, or quote a value that begins with !",
    "a: &x {c: 1}\nb: {<<: *x}": "2:5: b.<<: merging with << is not supported; write the keys out",
    "? [a]\n: b": "1:3: a list stands where a key is expected",
    'a: "\\0"': "1:4: a: '\\x00' cannot be handed to any program; remove it",
    "a: x\x07y": "1:5: control character '\\x07' in the file; remove it",
    "a: | x": "1:6: the text after | or > begins in the next line",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text[:20]))
def test_what_can_be_misread_is_refused(text: str) -> None:
    """Each trap has one problem, at its place, that says what to do."""
    _, problems = composed(text)

    assert [REFUSED[text]] == problems


def test_an_escape_that_is_none() -> None:
    """A backslash in double quotes surprises people with Windows paths and regular expressions."""
    _, (problem,) = composed('a: "\\q"')

    assert problem.startswith("1:")
    assert problem.endswith("in double quotes a backslash begins an escape: write \\\\, or use single quotes")


@pytest.mark.parametrize("text", ["[" * 51, "[" * 100_000, "- " * 100_000, "{a: " * 2000], ids=len)
def test_deep_nesting_is_refused(text: str) -> None:
    """A file is not nested deeper than anybody means it, whether our count or the parser's own ends it."""
    _, problems = composed(text)

    assert ["is nested deeper than 50 levels"] == [problem.rpartition(": ")[2] for problem in problems]


def test_many_problems_are_cut_short() -> None:
    """A file that is wrong everywhere does not flood the screen."""
    _, problems = composed("k: 1\n" * 5000)

    assert 101 == len(problems)
    assert problems[-1].endswith("and more; mend these first")


def test_aliases_that_stay_small_are_welcome() -> None:
    """An alias is the value that it names."""
    node, problems = composed("a: &x [1, 2]\nb: *x")

    assert [] == problems
    assert isinstance(node, Mapping)
    assert node.entries["a"].value is node.entries["b"].value


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "--- \n# x\n"])
def test_nothing_is_nothing(text: str) -> None:
    """A file without a value holds nothing, which is no problem here."""
    assert (None, []) == composed(text)


SLOW = ["- a\n" * 250_000, "- " * 500_000, "a: " * 300_000, "{" * 1_000_000, "{a," * 300_000, "a: '" + "x" * 1_000_000]


@pytest.mark.parametrize("text", SLOW, ids=lambda text: repr(text[:6]))
def test_no_file_takes_long(text: str, parser: str) -> None:
    """Whatever a file holds, it is answered within a second; where PyYAML was built without libyaml, within a few."""
    start = time.process_time()
    composed(text)

    assert (1 if parser == "libyaml" else 30) > time.process_time() - start


@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    """There is no text that raises anything but a problem."""
    node, problems = composed(text)

    assert node is None or not problems or all("twice" in problem for problem in problems)


# Files ------------------------------------------------------------------------------------------------------------


def wrong_with(path: Path) -> str:
    problems = Problems("f")
    with pytest.raises(UnreadableError):
        read_file(path, problems)
    return ", ".join(map(str, problems.found))


def test_a_file_that_is_no_utf8(tmp_path: Path) -> None:
    """The first foreign byte is named with its place."""
    path = tmp_path / "f"
    path.write_bytes("a: 1\nb: ü, ".encode() + b"caf\xe9\n")

    assert "f:2:10: byte 0xe9 is not UTF-8; save the file as UTF-8" == wrong_with(path)


def test_a_file_that_begins_with_a_bom(tmp_path: Path) -> None:
    """Some editors put a byte order mark in front; it is no part of the text."""
    path = tmp_path / "f"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    node = read_file(path, Problems("f"))

    assert node is not None
    assert ["a"] == list(node.entries)


def test_a_huge_file(tmp_path: Path) -> None:
    """Nobody writes a mebibyte of jobs by hand."""
    path = tmp_path / "f"
    path.write_bytes(b"#" * (MAX_BYTES + 1))

    assert "f:1:1: is larger than 1 MiB; split it into several files" == wrong_with(path)


def test_a_list_at_the_top(tmp_path: Path) -> None:
    """A file is a mapping."""
    path = tmp_path / "f"
    path.write_text("# jobs\n- a\n")

    assert "f:2:1: a list stands where the file should be `key: value` pairs" == wrong_with(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """What is no regular file is refused before it is opened."""
    os.mkfifo(tmp_path / "f")

    assert "f:1:1: is no regular file" == wrong_with(tmp_path / "f")
