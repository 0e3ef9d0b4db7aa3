"""`python -m bench [PART...]`: the figures of sshsched beside those of its rivals, as one table."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from importlib import import_module

import pytest

from bench.figures import QUICK, Figure, Sizes, header, show

PARTS = {
    "rate": "durable runs a second on one host",
    "latency": "how soon a waiting command returns",
    "crowd": "many runs at once on one host",
    "fanout": "one command on many hosts that have no link yet",
    "far": "the same, where each host is 25 ms away",
    "history": "listing runs among many old ones",
    "bulk": "a program that prints a lot",
    "idle": "a scheduler that has nothing to do",
    "service": "calls and changes over the Unix socket",
    "store": "commits and questions",
    "archive": "old runs that leave the store, beside commits",
    "jobs": "loading and checking ten thousand job files",
    "decisions": "what a decision costs among many runs that wait",
    "released": "a thousand runs that wait for one",
    "schedules": "next runs of ten thousand schedules",
    "flow": "what a step of a workflow costs beyond its run",
    "watch": "the live screen: first frame, at rest, among thousands of changes",
    "time": "ten thousand jobs that wait, and many that are due at once",
}
"""Part to what it measures; each is a module of that name with `figures(sizes)`."""


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as after Ctrl-C, nothing is left behind
    parts, sizes = _asked()
    header()
    unmet = 0
    for part in parts:
        figures: Iterator[Figure] = import_module(f"bench.{part}").figures(sizes)
        for figure in figures:
            show(figure)
            unmet += figure.met is False
    if unmet:
        sys.stdout.write(f"\n{unmet} aims are not met\n")


def _asked() -> tuple[list[str], Sizes]:
    about = "\n".join(f"  {part:10}{what}" for part, what in PARTS.items())
    parser = argparse.ArgumentParser(
        "python -m bench", description=__doc__, epilog=f"parts:\n{about}", formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], metavar="PART", help="only these; see below")
    parser.add_argument("--quick", action="store_true", help="small sizes: sooner done, and more noise")
    for field in fields(Sizes):
        small, usual = getattr(QUICK, field.name), getattr(Sizes(), field.name)
        parser.add_argument(f"--{field.name}", type=type(usual), metavar="N", help=f"[{usual:g}; --quick: {small:g}]")
    asked = parser.parse_args()
    given = {field.name: value for field in fields(Sizes) if (value := getattr(asked, field.name)) is not None}
    return asked.part or list(PARTS), replace(QUICK if asked.quick else Sizes(), **given)


if __name__ == "__main__":
    try:
        main()
    except pytest.fail.Exception as missing:  # a program that the tests need too, and what to type to have it
        sys.exit(str(missing))
