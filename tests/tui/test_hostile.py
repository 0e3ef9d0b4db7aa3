"""Text that is meant to harm a terminal, or the screen itself, is shown and does nothing."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from textual.widget import Widget

from tests.cli.driver import Place
from tests.tui.kit import Seen, watching

EVIL = "\x1b]52;c;AAAA\x07\x1b[2J\x9b31m\u202e\u200b[/x][bold]\x07\x1b]8;;http://x\x1b\\"
DANGEROUS = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def harmless(seen: Seen) -> bool:
    """Whether nothing that a terminal would obey is drawn, of any widget of the screen."""
    widgets = [each for each in seen.app.screen.walk_children(Widget) if each.size]
    return not any(DANGEROUS.search(line) for line in seen.lines) and bool(widgets)


async def test_names_labels_and_messages_do_nothing(shared: Place) -> None:
    """In the list, the details, the questions and what is copied."""
    args = ["--label", EVIL, "--env", f"X={EVIL}"]
    made = await asyncio.to_thread(shared, "run", "-H", "local", *args, "--wait", "--", "printf", "%s", EVIL)
    run = "r1"
    assert 0 == made.code
    async with watching(shared) as seen:
        await seen.on(run)
        await seen.until(r"\x1b]52;c;AAAA")
        assert harmless(seen)
        for keys in ("enter", "tab", "tab", "tab", "tab", "y", "escape", "r", "n"):
            await seen.press(keys)
            await seen.pilot.pause(0.1)
            assert harmless(seen)
        await seen.press("2", "3", "1", "question_mark")
        assert harmless(seen)


async def test_output_keeps_its_colours_and_nothing_else(shared: Place, tmp_path: Path) -> None:
    """All C0 and C1, titles, links, bidi and broken UTF-8 come to nothing; red stays red."""
    evil = tmp_path / "evil"
    controls = bytes(range(32)).replace(b"\n", b"") + bytes(range(0x7F, 0xA0))
    evil.write_bytes(b"\x1b[31mred\x1b[0m\n" + controls + b"\n" + EVIL.encode() + b"\n\xff\xfe\xc3(\n")
    made = await asyncio.to_thread(shared, "run", "-H", "local", "--wait", "--", "cat", str(evil))
    run = made.text.strip()
    async with watching(shared, run=int(run[1:])) as seen:
        await seen.press("tab", "tab")
        await seen.until("red", r"\xff\xfe\xc3(")
        output = seen.app.detail.output()
        assert output is not None
        styles = [segment.style.color.name for segment in output.render_line(0) if segment.text == "red"]  # type: ignore

        assert harmless(seen)
        assert ["color(1)"] == styles


async def test_lines_of_ten_megabytes_do_no_harm(shared: Place) -> None:
    """Only a window of them is held, and keys answer."""
    line = "head -c 10000000 /dev/zero | tr '\\0' x; echo; echo after"
    made = await asyncio.to_thread(shared, "run", "-H", "local", "--wait", "--", line)
    run = made.text.strip()
    async with watching(shared, run=int(run[1:])) as seen:
        await seen.press("tab", "tab")
        await seen.until("after", "xxxxxx")
        output = seen.app.detail.output()
        assert output is not None
        assert 300_000 > output.window.end - output.window.begin
        await seen.press("home")
        await seen.until("0 bytes to 256.0 KiB")
        await seen.press("end")
        await seen.until("after", "follows")
