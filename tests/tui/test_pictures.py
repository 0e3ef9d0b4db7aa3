"""The screens in three sizes and themes, held against golden files; `tests/tui/pictured.py` tells how they are made."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tui.kit import svg_text
from tests.tui.pictured import GOLDEN, SCREENS, SIZES, THEMES, board, picture

FILL = re.compile(r"fill: ?(#[0-9a-f]{6})")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("screen", SCREENS)
async def test_a_screen_says_what_it_said(screen: str, size: str, tmp_path: Path) -> None:
    """What can be read on each screen, in each size, is what the golden file holds."""
    async with board(tmp_path, SIZES[size], screen) as seen:
        lines = svg_text(await picture(seen, SCREENS[screen]))

    assert (GOLDEN / f"{screen}-{size}.txt").read_text().splitlines() == lines


async def test_themes_change_colours_and_nothing_else(tmp_path: Path) -> None:
    """Each theme has its own colours and the same text; the one of each state differs from that of the others."""
    colours, texts = {}, set()
    async with board(tmp_path, SIZES["wide"]) as seen:
        for theme in THEMES:
            seen.app.theme = theme
            svg = await picture(seen, ())
            colours[theme] = frozenset(FILL.findall(svg))
            texts.add(tuple(svg_text(svg)))
            styles = [str(seen.app.palette[state]) for state in ("running", "waiting", "success", "failure")]
            assert 4 == len(set(styles))

    assert 1 == len(texts)
    assert len(THEMES) == len(set(colours.values()))
