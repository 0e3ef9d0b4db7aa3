"""When details are read."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

from tests.cli.driver import Place
from tests.tui.kit import Seen, watching

OFTEN = 0.02  # seconds: faster than the cursor has to rest


async def churn(seen: Seen, id: int) -> None:
    """Changes of a run without end."""
    board = seen.app.live.board
    while True:
        board.put([replace(board.rows[id])])
        seen.app.told()
        await asyncio.sleep(OFTEN)


async def test_changes_without_end_hide_nothing(shared: Place) -> None:
    """Details are read while their run changes all the time, and again when it has changed."""
    done = await asyncio.to_thread(shared, "run", "-H", "local", "--wait", "--label", "busy", "--", "true")
    run = done.text.strip()
    async with watching(shared) as seen:
        await seen.on(run)
        changes = asyncio.create_task(churn(seen, int(run[1:])))
        await seen.press("enter")
        await seen.until("labels", "busy")
        await asyncio.to_thread(shared, "mark", "failure", run)
        await seen.until("state      failure")
        changes.cancel()
        with suppress(asyncio.CancelledError):
            await changes
