from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from sshsched.service.client import Client
from sshsched.tui.feed import Feed, News
from sshsched.tui.tail import Tail
from tests.service.scheduler import DRAFT, NOW, Scheduler
from tests.support import until


class Ears:
    """A feed, and how often it has woken somebody."""

    def __init__(self, folder: Path) -> None:
        self.woken = 0
        self.feed = Feed(folder, self._wake, lambda: NOW)
        self.feed.begin()

    def _wake(self) -> None:
        self.woken += 1

    async def news(self, wanted: Callable[[News], object]) -> News:
        """What is new, taken once it holds what is wanted."""
        await until(lambda: wanted(self.feed._news))
        return self.feed.take()


async def test_many_changes_are_one_piece_of_news(tmp_path: Path) -> None:
    """However often a run changes, it is told once, as it was last, and somebody is woken once."""
    async with Scheduler().served(tmp_path) as scheduler:
        ears = Ears(tmp_path)
        await ears.news(lambda news: news.snapshot)
        for _ in range(50):
            with Client(tmp_path) as client:
                run = (await asyncio.to_thread(client.submit, [DRAFT]))[0]["run"]
            await scheduler.start(int(run[1:]))
            await scheduler.finish(int(run[1:]))
        news = await ears.news(lambda news: news.runs.get(run, {}).get("state") == "success")
        ears.feed.end()

    assert 50 == len(news.runs)
    assert {"success"} == {shape["state"] for shape in news.runs.values()}
    assert 2 == ears.woken


async def test_a_new_snapshot_makes_old_news_void(tmp_path: Path) -> None:
    """What was heard before a break is not mixed with what is known after it."""
    store = Scheduler()
    async with store.served(tmp_path):
        ears = Ears(tmp_path)
        await ears.news(lambda news: news.snapshot)
        with Client(tmp_path) as client:
            await asyncio.to_thread(client.submit, [DRAFT])
        await until(lambda: ears.feed._news.runs)
    gone = await ears.news(lambda news: news.gone)
    async with Scheduler(store.store, now=NOW + 5).served(tmp_path):
        back = await ears.news(lambda news: news.snapshot)
        ears.feed.end()

    assert NOW == gone.gone
    assert back.gone is None
    assert not back.runs
    assert back.snapshot is not None
    assert ["r1"] == [run["run"] for run in back.snapshot["runs"]]


async def test_output_is_followed_from_a_byte_on(tmp_path: Path) -> None:
    """What nobody takes is kept up to a window, with its place; hanging up ends the following at the scheduler."""
    async with Scheduler().served(tmp_path) as scheduler:
        with Client(tmp_path) as client:
            await asyncio.to_thread(client.submit, [DRAFT])
        await scheduler.start(1)
        scheduler.prints(1, b"0123456789")
        tail = Tail(tmp_path, "r1", "stdout", 4, lambda: None)
        await until(lambda: tail._data == b"456789")
        assert (4, b"456789") == tail.take()
        scheduler.prints(1, b"x" * 600_000 + b"end")
        await until(lambda: tail._end == 600_013)
        begin, data = tail.take()
        assert 256 * 1024 == len(data)
        assert 600_013 == begin + len(data)
        assert 1 == scheduler.followed[1]
        tail.end()
        await until(lambda: scheduler.followed[1] == 0)


async def test_a_stream_is_cut_from_another_thread(tmp_path: Path) -> None:
    """A client's streams end at once, without an error, wherever they wait."""
    async with Scheduler().served(tmp_path):
        client = Client(tmp_path)
        heard: list[str] = []

        def listen() -> None:
            heard.extend(event for event, _ in client.events())

        listening = asyncio.get_running_loop().run_in_executor(None, listen)
        await until(lambda: client._streams)
        client.cut()
        await asyncio.wait_for(listening, 5)

    assert heard in ([], ["snapshot"])
