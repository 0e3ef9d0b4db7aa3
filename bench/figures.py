"""A figure, its rival, its aim, and the table of them.

Rule: a figure is printed as soon as it is known, whether its aim is met or not.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

WIDTHS = (50, 18, 53, 22)


@dataclass(frozen=True, slots=True)
class Rival:
    """Who did the same thing beside us, and how well, in the figure's unit."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `aim` is in words; `met` is None where there is no aim."""

    name: str
    value: float
    unit: str
    rival: Rival | None = None
    aim: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything: the full table takes many minutes, QUICK is for a first look."""

    rounds: int = 7
    """How often contenders take turns; medians are taken over the rounds."""
    runs: int = 300
    """Runs in one round of the durable rate."""
    crowd: int = 200
    """Runs at once on one host."""
    hosts: int = 100
    """Hosts in one command."""
    history: int = 100_000
    """Finished runs in the store."""
    output: int = 1024
    """MiB that one program prints."""
    idle: float = 20.0
    """Seconds to watch an idle scheduler."""


QUICK = Sizes(rounds=3, runs=60, hosts=20, history=10_000, output=64, idle=3.0)


def header() -> None:
    """The head of the table."""
    _line("figure", "ours", "rival", "aim", "met")
    _line(*("-" * width for width in WIDTHS), "---")


def show(figure: Figure) -> None:
    """One line of the table, at once."""
    rival = ""
    if figure.rival is not None:
        ratio = f"  x {figure.value / figure.rival.value:.2f}" if figure.rival.value else ""
        rival = f"{figure.rival.name}: {number(figure.rival.value)}{ratio}"
    met = "" if figure.met is None else "yes" if figure.met else "NO"
    _line(figure.name, f"{number(figure.value)} {figure.unit}", rival, figure.aim, met)


def number(value: float) -> str:
    """Three digits are all that a noisy machine can tell."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def in_turns(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of what each contender gives. They take turns, so that a noisy minute meets all of them."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contend in contenders.items():
            found[name].append(contend())
    return {name: statistics.median(values) for name, values in found.items()}


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def at_quantile(values: Sequence[float], quantile: float) -> float:
    """The value below which that part of them lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * quantile))]


def _line(*cells: str) -> None:
    sys.stdout.write(" | ".join(cell.ljust(width) for cell, width in zip(cells, (*WIDTHS, 3), strict=True)) + "\n")
    sys.stdout.flush()
