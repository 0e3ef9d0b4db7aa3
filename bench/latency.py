"""How soon a command returns: `run --wait` on a warm scheduler, and `wait` once the program has ended.

Measured with the installed command, as people type it; with `python -m sshsched` where there is none.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Iterator

from bench.figures import Figure, Rival, Sizes, in_turns
from bench.place import TYPED, Bench, bench, command

TURNS = 4  # to a round: single commands are cheap and their times are noisy
SLEEP = 1.0  # seconds: long enough for whoever waits to be waiting, also on a busy machine


def figures(sizes: Sizes) -> Iterator[Figure]:
    """All times are medians in milliseconds."""
    with bench() as place, place.serving():
        place.warm()
        yield _run_and_wait(place, sizes.rounds * TURNS)
        yield from _end_to_return(place, sizes.rounds * 2)


def _run_and_wait(place: Bench, rounds: int) -> Figure:
    words = [*TYPED, "run", "-H", place.hosts[0], "--wait", "--", "true"]
    python, ssh = "python -c pass", "ssh host true"
    times = in_turns(
        {
            "ours": lambda: command(words, place.env).seconds,
            python: lambda: command([sys.executable, "-c", "pass"], place.env).seconds,
            ssh: lambda: command([*place.ssh, place.hosts[0], "true"], place.env).seconds,
        },
        rounds,
    )
    above = (times["ours"] - times[python]) * 1000
    rival = Rival("ssh host true, in all", times[ssh] * 1000)
    return Figure("run --wait -- true, above python's start-up", above, "ms", rival, "< 60 ms", above < 60)


def _end_to_return(place: Bench, rounds: int) -> Iterator[Figure]:
    """The program says when it ends as its last act; host and scheduler share a clock here."""
    last_act = f"sleep {SLEEP}; date +%s.%N"
    waited, told, plain = [], [], []
    for _ in range(rounds):
        waited.append(_until_wait_returns(place, last_act))
        told.append(_until_a_client_is_told(place, last_act))
        there = command([*place.ssh, place.hosts[0], last_act], place.env)
        plain.append(there.ended - _said(there.output))
    rival = Rival("ssh host, until it returns", statistics.median(plain) * 1000)
    for name, times in (("until `wait` has returned", waited), ("until a client's event", told)):
        took = statistics.median(times) * 1000
        yield Figure(f"from a program's end {name}", took, "ms", rival, "< 30 ms", took < 30)


def _until_wait_returns(place: Bench, last_act: str) -> float:
    with place.client() as client:
        name = client.submit([place.draft(last_act)])[0]["run"]
    return command([*TYPED, "wait", "-q", name], place.env).ended - _printed(place, name)


def _until_a_client_is_told(place: Bench, last_act: str) -> float:
    with place.client() as client:
        name = client.submit([place.draft(last_act)])[0]["run"]
        ended = next(
            time.time()
            for event, shape in client.events([name])
            for run in (shape["runs"] if event == "snapshot" else [shape] if event == "run" else [])
            if run["finished_at"]
        )
    return ended - _printed(place, name)


def _printed(place: Bench, name: str) -> float:
    with place.client() as client:
        return _said(b"".join(client.output(name, follow=True)))


def _said(output: bytes) -> float:
    assert re.fullmatch(rb"\d+\.\d+\n", output), f"no time: {output!r}"
    return float(output)
