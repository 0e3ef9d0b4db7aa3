"""The past, read by pages while somebody scrolls, and a view that stays where it was put."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from textual.events import MouseScrollDown

from sshsched.domain.instructions import Save
from sshsched.store.store import open_store
from sshsched.tui.past import PAGE
from tests.service.scheduler import NOW
from tests.support import until
from tests.tui.kit import a_row, watching
from tests.tui.pictured import made

RUNS = 3 * PAGE


async def filled(folder: Path) -> SimpleNamespace:
    """A store of finished runs, and no scheduler."""
    async with open_store(folder / "state") as store:
        await store.commit([Save(made(id, "success", "nas", 9000 - id, 1), None) for id in range(1, RUNS + 1)])
    return SimpleNamespace(state=folder / "state", config=folder / "config")


async def test_the_past_is_read_as_far_as_somebody_goes(tmp_path: Path) -> None:
    """One page at first, the next ones as the cursor comes near to the end, until the first run of all."""
    place = await filled(tmp_path)
    async with watching(place, now=lambda: NOW) as seen:  # type: ignore[arg-type]
        await seen.until(f"r{RUNS}")
        assert PAGE == len(seen.app.live.board.rows)
        for _ in range(4):
            await seen.press("end")
            await until(lambda: not seen.app.live._reading)
        await seen.press("end")
        await seen.until("\nr1 ")

        assert RUNS == len(seen.app.live.board.rows)


async def test_the_wheel_reads_on_too(tmp_path: Path) -> None:
    """Scrolling without the cursor brings more of the past, and leaves the cursor where it is."""
    place = await filled(tmp_path)
    async with watching(place, now=lambda: NOW) as seen:  # type: ignore[arg-type]
        await seen.until(f"r{RUNS}")
        table = seen.app.table
        for _ in range(PAGE // 2):
            table.post_message(MouseScrollDown(table, 1, 1, 0, 1, 0, False, False, False))
            await seen.pilot.pause()
        await until(lambda: len(seen.app.live.board.rows) >= 2 * PAGE)

        assert RUNS == table.key


async def test_a_view_that_was_scrolled_away_stays(tmp_path: Path) -> None:
    """New runs above change neither the lines that are looked at nor the run under the cursor."""
    place = await filled(tmp_path)
    async with watching(place, now=lambda: NOW) as seen:  # type: ignore[arg-type]
        await seen.until(f"r{RUNS}")
        table = seen.app.table
        await until(lambda: table.allow_vertical_scroll)  # the scrollbar comes a moment after the lines
        for _ in range(20):
            table.post_message(MouseScrollDown(table, 1, 1, 0, 1, 0, False, False, False))
        await seen.gone(f"r{RUNS} ")
        before = [line[:16] for line in seen.lines[3:-1]]
        seen.app.live._again([a_row(RUNS + number, "running", host="web1") for number in range(1, 6)])
        await until(lambda: seen.app.live.runs.listing.states["running"] == 5)
        await seen.pilot.pause()

        assert before == [line[:16] for line in seen.lines[3:-1]]
        assert RUNS == table.key


async def test_a_view_stays_before_it_is_drawn(tmp_path: Path) -> None:
    """A change that comes between scrolling and the next frame does not take the view back."""
    place = await filled(tmp_path)
    async with watching(place, now=lambda: NOW) as seen:  # type: ignore[arg-type]
        await seen.until(f"r{RUNS}")
        table = seen.app.table
        await until(lambda: table.allow_vertical_scroll)
        table.touched = True
        table.scroll_to(y=40, animate=False)
        table.changed()

        assert 40 == table.scroll_offset.y


async def test_a_store_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """The screen says what is wrong with the database, and how to mend it, and lives on."""
    place = await filled(tmp_path)
    for file in place.state.glob("store.db*"):
        file.write_bytes(b"no database at all, but long enough to look like one" * 100)
    async with watching(place, now=lambda: NOW) as seen:  # type: ignore[arg-type]
        await seen.until("store.db")
        await seen.press("2", "3", "1", "question_mark", "escape")
        await seen.until("store.db")


async def test_output_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A damaged file is named, and the rest of the run can still be looked at."""
    place = await filled(tmp_path)
    folder = place.state / "output" / f"r{RUNS}"
    folder.mkdir(parents=True)
    (folder / "stdout.gz").write_bytes(b"broken")
    async with watching(place, run=RUNS, now=lambda: NOW) as seen:  # type: ignore[arg-type]
        await seen.press("tab", "tab")
        await seen.until("damaged")
        await seen.press("tab", "tab")
        await seen.until("accepts")
