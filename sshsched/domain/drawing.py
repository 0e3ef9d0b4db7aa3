"""A workflow as text: boxes in layers where there is room, an indented list where there is not, and mermaid.

Rule: pure. A line is a list of pieces, each with a style: a state of a run, "dim" or empty; who shows it knows what
those look like. A piece that belongs to a step names it, for those who point at it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sshsched.domain.graph import layers
from sshsched.domain.outline import Place


class Piece(NamedTuple):
    """A part of a line."""

    text: str
    style: str = ""
    step: str = ""


Line = list[Piece]
Box = tuple[str, str, str]
"""Its two lines of text, and its style."""

WIDEST_BOX = 28
GAP = 2
MOST_BOXES = 60
"""More steps than this are a list, however wide the terminal is."""
UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
_CORNERS = " ╵╷│╴┘┐┤╶└┌├─┴┬┼"


def drawing(places: Sequence[Place], width: int) -> list[Line]:
    """The workflow within so many columns."""
    rows = layers({place.name: place.needs for place in places})
    known = {place.name: place for place in places}
    boxes = {name: _box(known[name]) for name in known}
    if len(places) > MOST_BOXES or any(_row_width(row, boxes) > width for row in _with_ways(rows, known)):
        return listing(places)
    return _drawn(_with_ways(rows, known), known, boxes)


def listing(places: Sequence[Place]) -> list[Line]:
    """One line for each step, further in the later it can begin; what it needs stands behind it."""
    depth = {
        name: index for index, row in enumerate(layers({each.name: each.needs for each in places})) for name in row
    }
    lines: list[Line] = []
    for place in sorted(places, key=lambda each: depth[each.name]):
        name, state, style = _box(place)
        needs = ", ".join(place.needs[:4]) + (f" and {len(place.needs) - 4} more" if len(place.needs) > 4 else "")
        case = "" if place.when == "success" or place.run is None else f" ({place.when})"
        own = place.name
        line = [Piece("  " * depth[own]), Piece(name, style, own), Piece(f"  {state}{case}", step=own)]
        lines.append([*line, Piece(f"  after {needs}", "dim")] if needs else line)
    return lines


def mermaid(places: Sequence[Place]) -> str:
    """The workflow for whatever draws mermaid."""
    ids = {place.name: f"s{number}" for number, place in enumerate(places, 1)}
    lines = ["flowchart TD"]
    for place in places:
        label = re.sub(r'["\[\]{}<>#&;|\\`]', lambda match: f"#{ord(match[0])};", place.name)
        state = f"<br/>{place.run.name} {place.state}" if place.run else ""
        lines.append(f'    {ids[place.name]}["{label}{state}"]' + (f":::{place.state}" if place.run else ""))
    for place in places:
        arrow = "-->" if place.when == "success" else f"-. {place.when} .->"
        lines += [f"    {ids[need]} {arrow} {ids[place.name]}" for need in place.needs]
    colours = {"success": "#9f9", "failure": "#f99", "error": "#f99", "running": "#9cf", "waiting": "#fd9"}
    there = {place.state for place in places}
    lines += [f"    classDef {state} fill:{colour}" for state, colour in colours.items() if state in there]
    return "\n".join(lines) + "\n"


WHEN = {"success": "-", "failure": "on failure", "always": "always"}


def _box(place: Place) -> Box:
    name = place.name if len(place.name) <= WIDEST_BOX else place.name[: WIDEST_BOX - 3] + "..."
    if place.run is None:
        return name, WHEN[place.when], "dim"
    return name, f"{place.run.name} {place.state}", place.state


# Boxes -----------------------------------------------------------------------------------------------------------


def _with_ways(rows: list[list[str]], known: dict[str, Place]) -> list[list[tuple[str, str]]]:
    """The rows with a way through each row that an arrow passes, as (from, to); a box is (name, name)."""
    layer = {name: index for index, row in enumerate(rows) for name in row}
    found: list[list[tuple[str, str]]] = [[(name, name) for name in row] for row in rows]
    passing: dict[tuple[int, str], None] = {}
    for name, place in known.items():
        for need in place.needs:
            for index in range(layer[need] + 1, layer[name]):
                passing[index, need] = None
    for index, need in passing:
        found[index].append((need, ""))
    return found


def _row_width(row: list[tuple[str, str]], boxes: dict[str, Box]) -> int:
    return sum(_width(cell, boxes) for cell in row) + GAP * (len(row) - 1)


def _width(cell: tuple[str, str], boxes: dict[str, Box]) -> int:
    name, box = cell
    return max(len(boxes[name][0]), len(boxes[name][1])) + 4 if box else 1


def _drawn(rows: list[list[tuple[str, str]]], known: dict[str, Place], boxes: dict[str, Box]) -> list[Line]:
    whole = max(_row_width(row, boxes) for row in rows)
    middles: list[dict[str, int]] = []
    lines: list[Line] = []
    for index, row in enumerate(rows):
        left = (whole - _row_width(row, boxes)) // 2
        places: dict[str, int] = {}
        at = left
        for cell in row:
            places[cell[0]] = at + _width(cell, boxes) // 2
            at += _width(cell, boxes) + GAP
        middles.append(places)
        if index:
            lines += _wires(rows[index - 1], row, middles[index - 1], places, known, whole)
        lines += _boxes(row, left, boxes)
    return lines


def _boxes(row: list[tuple[str, str]], left: int, boxes: dict[str, Box]) -> list[Line]:
    lines: list[Line] = [[Piece(" " * left)] for _ in range(4)]
    for count, cell in enumerate(row):
        name, box = cell
        gap = " " * GAP if count else ""
        if not box:
            parts, style = ["│"] * 4, "dim"
        else:
            wide = _width(cell, boxes) - 4
            title, state, style = boxes[name]
            parts = [f"┌─{'─' * wide}─┐", f"│ {title:<{wide}} │", f"│ {state:<{wide}} │", f"└─{'─' * wide}─┘"]
        for line, part in zip(lines, parts, strict=True):
            line += [Piece(gap), Piece(part, style, box)]
    return lines


def _wires(
    above: list[tuple[str, str]],
    below: list[tuple[str, str]],
    tops: dict[str, int],
    bottoms: dict[str, int],
    known: dict[str, Place],
    width: int,
) -> list[Line]:
    """The lines between two rows: a row of its own for each set of needs, so that no two arrows run into one."""
    buses: dict[tuple[str, ...], list[int]] = {}
    for name, box in below:
        needs = tuple(need for need in known[name].needs if need in tops) if box else (name,)
        if needs:
            buses.setdefault(needs, []).append(bottoms[name])
    order = list(buses.items())
    lines: list[Line] = []
    for number, (needs, targets) in enumerate(order):
        joints = [0] * (width + 1)
        for later, (others, _) in enumerate(order):
            if later > number:
                for need in others:
                    joints[tops[need]] |= UP | DOWN
        for earlier, (_, others_below) in enumerate(order):
            if earlier < number:
                for column in others_below:
                    joints[column] |= UP | DOWN
        sources = [tops[need] for need in needs]
        begin, end = min(sources + targets), max(sources + targets)
        crossing = {column for column in range(begin, end + 1) if joints[column]} - {*sources, *targets}
        for column in range(begin, end + 1):
            if column not in crossing:
                joints[column] |= (LEFT if column > begin else 0) | (RIGHT if column < end else 0)
        for column in sources:
            joints[column] |= UP
        for column in targets:
            joints[column] |= DOWN
        lines.append([Piece("".join(_CORNERS[joint] for joint in joints).rstrip(), "dim")])
    return lines
