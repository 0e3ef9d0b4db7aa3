"""The table of figures: every part is there, and no line claims what was not measured."""

from __future__ import annotations

from importlib import import_module

import pytest

from bench.__main__ import PARTS
from bench.figures import QUICK, Figure, Rival, Sizes, header, in_turns, number, show


@pytest.mark.parametrize("part", PARTS)
def test_parts(part: str) -> None:
    """Every part that can be asked for has figures."""
    assert callable(import_module(f"bench.{part}").figures)


def test_quick() -> None:
    """A quick run does less of everything that takes time in proportion."""
    assert QUICK.rounds < Sizes().rounds
    assert QUICK.history < Sizes().history
    assert QUICK.output < Sizes().output


def test_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A figure stands beside its rival, with the ratio, its aim and whether it is met."""
    show(Figure("durable runs", 200, "/s", Rival("ssh", 50), ">= x 3", True))
    show(Figure("memory", 70.2, "MiB", None, "< 64 MiB", False))
    show(Figure("commits", 1234.5, "/s"))
    lines = [[cell.strip() for cell in line.split("|")] for line in capsys.readouterr().out.splitlines()]

    assert ["durable runs", "200 /s", "ssh: 50  x 4.00", ">= x 3", "yes"] == lines[0]
    assert ["memory", "70.2 MiB", "", "< 64 MiB", "NO"] == lines[1]
    assert ["commits", "1,234 /s", "", "", ""] == lines[2]


def test_rival_of_zero(capsys: pytest.CaptureFixture[str]) -> None:
    """No ratio is told to a rival that took nothing."""
    show(Figure("idle", 0.2, "%", Rival("asyncssh", 0.0)))

    assert "asyncssh: 0 " in capsys.readouterr().out


def test_header(capsys: pytest.CaptureFixture[str]) -> None:
    """The columns stand under their names."""
    header()
    show(Figure("name", 1, "ms", Rival("rival", 2), "aim", True))
    head, rule, line = capsys.readouterr().out.splitlines()

    assert [at for at, c in enumerate(head) if c == "|"] == [at for at, c in enumerate(line) if c == "|"]
    assert set(rule) == {"-", "|", " "}


def test_turns() -> None:
    """Contenders take turns, and the median of each counts."""
    order: list[str] = []
    values = {"a": iter((1.0, 100.0, 3.0)), "b": iter((5.0, 4.0, 6.0))}

    def contender(name: str) -> float:
        order.append(name)
        return next(values[name])

    found = in_turns({"a": lambda: contender("a"), "b": lambda: contender("b")}, 3)

    assert {"a": 3.0, "b": 5.0} == found
    assert ["a", "b"] * 3 == order


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (0.01234, "0.0123"), (12.34, "12.3"), (1234.5, "1,234")])
def test_number(value: float, text: str) -> None:
    """Three digits are shown, and no more."""
    assert text == number(value)
