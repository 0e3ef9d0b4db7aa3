"""A workflow of a thousand steps, beside as many runs without one: what each step costs beyond its run."""

from __future__ import annotations

from collections.abc import Iterator

from bench.figures import Figure, Rival, Sizes, seconds
from bench.place import Bench, Process, Shape, bench

STEPS, FEW = 1000, 200
AIM = 2.0  # ms
LAYER = 50


def figures(sizes: Sizes) -> Iterator[Figure]:
    """In turns, on the same host: runs alone, steps that need nothing, and layers of which each needs the one above."""
    count = STEPS if sizes.runs >= FEW else FEW
    with bench() as place, place.serving() as scheduler:
        place.warm()
        alone, alone_cpu = _measured(place, scheduler, [place.draft("echo done")] * count)
        for name, needs in (("side by side", _nothing), (f"in layers of {LAYER}", _layer_above)):
            wall, cpu = _measured(place, scheduler, [workflow(place, count, needs)])
            rival = Rival("processor time of a run alone", alone_cpu / count * 1000)
            over = (cpu - alone_cpu) / count * 1000
            yield Figure(f"{count} steps {name}: a step's overhead", over, "ms", rival, f"<= {AIM:g} ms", over <= AIM)
            yield Figure(f"{count} steps {name}", wall, "s", Rival("as many runs alone", alone))


def workflow(place: Bench, count: int, needs: object) -> Shape:
    """The draft of a workflow."""
    draft = place.draft("echo done")
    steps = [
        {"name": f"s{n}", "host": draft["host"], "program": draft["program"], "needs": needs(n)}  # type: ignore[operator]
        for n in range(count)
    ]
    return {**draft, "host": "", "program": {}, "plan": {"flow": {"steps": steps}}}


def _nothing(_number: int) -> list[str]:
    return []


def _layer_above(number: int) -> list[str]:
    """Two of the layer above."""
    return [] if number < LAYER else sorted({f"s{number - LAYER}", f"s{number - number % LAYER - 1}"})


def _measured(place: Bench, scheduler: Process, drafts: list[Shape]) -> tuple[float, float]:
    """Seconds until all has ended and is clean, as one waits and of the scheduler's processor."""
    place.settle()
    before = scheduler.cpu()
    wall = seconds(lambda: place.finish(drafts))
    place.settle()
    return wall, scheduler.cpu() - before
