"""What the lines around the lists say. Rule: pure but for the clock that formats times."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sshsched.cli.safe import safe_line
from sshsched.tui import keys
from sshsched.tui.actions import ACTIONS, FOOTER
from sshsched.tui.bars import Part

if TYPE_CHECKING:
    from sshsched.tui.live import Live

COUNTED = ("running", "waiting", "stopping", "failure", "error")


def top(live: Live, view: str) -> tuple[list[Part], list[Part]]:
    """The views, and how many runs are in which state."""
    left: list[Part] = [(" sshsched ", "title", "")]
    for number, each in enumerate(("runs", "jobs", "hosts"), 1):
        left.append((f" {number} {each} ", "accent" if each == view else "muted", f"view('{each}')"))
    if chosen := len(live.runs.chosen_ids):
        left.append((f" {chosen} chosen ", "accent", ""))
    if live.problems:
        left.append((f" {live.problems} problems in job files ", "warning", ""))
    states = live.runs.listing.states
    right = [(f" {states[each]} {each} ", each, f"add_state('{each}')") for each in COUNTED if states[each]]
    return left, right


def banner(live: Live) -> list[Part]:
    """That the past cannot be read, or that there is no scheduler: since when, and what that means."""
    if live.trouble:
        return [(f" {safe_line(live.trouble)} ", "", "")]
    if live.gone is None:
        return []
    since = time.strftime("%H:%M:%S", time.localtime(live.gone))
    words = (
        f" no scheduler since {since}: programs on hosts go on; this is how things stood. Back by itself once it is. "
    )
    return [(words, "", "")]


def bottom(live: Live, offered: Sequence[str] | None) -> list[Part]:
    """What may be typed next, or the filter and the keys."""
    if offered is not None:
        return [(f" {safe_line(each)} ", "accent" if not place else "muted", "") for place, each in enumerate(offered)]
    parts: list[Part] = []
    if live.filter.text:
        parts.append((f" {safe_line(live.filter.text)} ", "accent", "filter"))
    shown = [(key.name, key.footer, key.action) for key in (*keys.LOOKING, *keys.DOING) if key.footer]
    shown += [(action.key, action.name, f"act('{action.name}')") for action in ACTIONS if action.name in FOOTER]
    for name, word, action in shown:
        parts += [(f" {name} ", "accent", action), (f"{word} ", "", action)]
    return parts
