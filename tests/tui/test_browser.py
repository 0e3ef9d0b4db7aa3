"""The screen in a real Chromium; `make soak` installs it. What needs no browser is in `test_web`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.driver import Place
from tests.support import until
from tests.tui.browsing import served
from tests.tui.chromium import Page, chromium

pytestmark = pytest.mark.soak
SHOWS = "document.body.classList.contains('-first-byte')"


async def came(page: Page, text: str) -> None:
    """Wait until the terminal in the page has been sent this."""
    await until(lambda: text.encode() in page.received, within=40)


async def other_than(page: Page, before: bytes) -> bool:
    """Whether something else is drawn now, outside the line at the top of which the clock is."""
    return before != await page.picture()


async def test_the_board_is_drawn_and_keys_work(shared: Place, tmp_path: Path) -> None:
    """The address that was printed shows the runs; a key changes the picture; a reload needs no token."""
    shared("run", "-H", "local", "--wait", "--", "echo in a browser")
    with served(shared) as web:
        async with chromium(tmp_path) as page:
            await page.open(web.url)
            await came(page, "echo in a browser")
            await until(lambda: page.value(SHOWS), within=20)
            runs = await page.picture()
            page.received = b""
            await page.press("3")
            await came(page, "SINCE")
            await until(lambda: other_than(page, runs), within=20)
            address = await page.value("location.href")
            page.received = b""
            await page.open(address)
            await came(page, "echo in a browser")

        assert web.bare == address
        assert {f"127.0.0.1:{web.port}"} == {urlsplit(each).netloc for each in page.asked if "://" in each}
        assert [] == page.complaints
        await until(lambda: not web.screens(), within=20)


async def test_others_see_nothing(shared: Place, tmp_path: Path) -> None:
    """Without the token, or under another name, there is one line and no terminal, even after a good visit."""
    with served(shared) as web:
        async with chromium(tmp_path) as page:
            await page.open(web.bare)
            bare = await page.value("document.body.innerText")
            await page.open(web.url)
            await came(page, "sshsched")
            page.received = b""
            await page.open(web.url.replace("127.0.0.1", "evil.localhost"))
            other = await page.value("document.body.innerText")
            # A page of this very machine, at another port, whose visitor has the cookie.
            await page.open(f"http://localhost:{web.port}/")
            refused = await page.value(
                f"new Promise(done => {{ const socket = new WebSocket('{web.bare.replace('http', 'ws')}ws');"
                " socket.onopen = () => done('open'); socket.onerror = () => done('refused') })"
            )

        assert "Open the whole address" in bare
        assert "This is not 'evil.localhost" in other
        assert "refused" == refused
        assert b"" == page.received


async def test_the_end_is_told(shared: Place, tmp_path: Path) -> None:
    """`q` ends the screen; the page says so, and a button shows it again."""
    with served(shared) as web:
        async with chromium(tmp_path) as page:
            await page.open(web.url)
            await came(page, "sshsched")
            await until(lambda: page.value(SHOWS), within=20)
            await page.press("q")
            await until(lambda: page.value("document.body.classList.contains('-closed')"), within=20)
            page.received = b""
            await page.value("document.getElementById('again').click()")
            await came(page, "sshsched")
