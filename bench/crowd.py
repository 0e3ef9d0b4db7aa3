"""Many runs at once on one stock host: do they fit through few channels, and how long does it take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench import bare
from bench.figures import Figure, Rival, Sizes, seconds
from bench.place import bench

LASTS = 5.0  # seconds: long enough for the last to start before the first ends


def figures(sizes: Sizes) -> Iterator[Figure]:
    """All start, and run side by side."""
    program, count = f"sleep {LASTS:g}", sizes.crowd
    with bench() as place, place.serving():
        place.warm()
        runs = []
        took = seconds(lambda: runs.extend(place.finish([place.draft(program)] * count)))
        channels = _sessions(place.sshd.log)
        taken = bare.at_once(place.sshd, count, program)
    at_once = _most_at_once([(run.started_at or 0.0, run.finished_at or 0.0) for run in runs])
    rival = Rival("asyncssh, all at once, MaxSessions 10", taken)
    yield Figure(f"{count} runs of {LASTS:g} s: at the same time", at_once, "runs", rival, "all", at_once == count)
    yield Figure(f"{count} runs of {LASTS:g} s: channels used", channels, "", None, "<= 3", channels <= 3)
    yield Figure(f"{count} runs of {LASTS:g} s: in all", took, "s")


def _sessions(log: Path) -> int:
    """How many sessions sshd has opened so far, counted by itself."""
    return log.read_text().count("Starting session:")


def _most_at_once(spans: list[tuple[float, float]]) -> int:
    most = now = 0
    for _, step in sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans]):
        now += step
        most = max(most, now)
    return most
