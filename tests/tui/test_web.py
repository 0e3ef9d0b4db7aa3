"""The screen for browsers: who gets it, what comes through the socket, and that nothing stays behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import aiohttp
import pytest
from aiohttp import ClientSession, CookieJar, WSServerHandshakeError

from tests.cli.driver import Place
from tests.support import until
from tests.tui.browsing import ADDRESS, Served, ended, read, served, socket_url, status

PARTS = ("", "ws", "static/js/textual.js", "static/css/xterm.css", "page/page.js", "static/", "nothing")


def visitor() -> ClientSession:
    """A browser as far as cookies go; aiohttp's keeps none for numeric addresses otherwise."""
    return ClientSession(cookie_jar=CookieJar(unsafe=True))


@pytest.fixture(scope="module")
def web(shared: Place) -> Iterator[Served]:
    shared("run", "-H", "local", "--wait", "--", "echo for the browser")
    with served(shared) as found:
        yield found


def test_one_line_says_where(web: Served) -> None:
    """The address is on loopback, and its token cannot be guessed."""
    assert web.line.startswith(f"{ADDRESS}http://127.0.0.1:")
    assert 43 == len(web.token)


@pytest.mark.parametrize("part", PARTS)
async def test_nothing_without_the_token(web: Served, part: str) -> None:
    """Page, socket and files are all refused, with no token, a wrong one, part of it, or letters that are none."""
    wrong = ["", "?token=", "?token=x", f"?token={web.token[:-1]}", f"?token={web.token}x", "?token=%ff%00"]

    assert [403] * len(wrong) == [await status(f"{web.bare}{part}{query}") for query in wrong]
    assert 403 == await status(f"{web.bare}{part}", Cookie="sshsched=x")


async def test_nothing_outside_its_folder(web: Served) -> None:
    """The token opens no other folder, and without it even what does not exist is refused."""
    top = f"http://127.0.0.1:{web.port}/"

    assert 403 == await status(top)
    assert 404 == await status(f"{top}?token={web.token}")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "192.0.2.1", "x:y:z"]
)
async def test_no_other_name(web: Served, host: str) -> None:
    """A page that has its own name lead here is refused, even with the token: that is DNS rebinding."""
    assert 403 == await status(web.url, Host=host.format(port=web.port))


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "localhost:9000", "localhost"])
async def test_the_names_of_this_machine(web: Served, host: str) -> None:
    """At any port: one may be forwarded."""
    assert 200 == await status(web.url, Host=host.format(port=web.port))


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null"])
async def test_no_page_of_somebody_else(web: Served, origin: str) -> None:
    """Neither the page nor the socket is for another page, not even one on this machine."""
    async with visitor() as each:
        with pytest.raises(WSServerHandshakeError) as refused:
            await each.ws_connect(socket_url(web.bare, token=web.token), origin=origin)

    assert 403 == refused.value.status
    assert 403 == await status(web.url, Origin=origin)


async def test_after_the_first_visit_a_cookie_will_do(web: Served) -> None:
    """For this folder, never for scripts, and never on the way from another site; no one else is asked for anything."""
    async with visitor() as each:
        async with each.get(web.url) as response:
            page, cookie, headers = await response.text(), response.headers["Set-Cookie"], response.headers
        answers = []
        for part in ("", "static/js/textual.js", "static/css/xterm.css", "page/page.js", "page/page.css"):
            async with each.get(web.bare + part) as response:
                answers.append(response.status)

    assert [200] * 5 == answers
    folder = web.bare.rpartition(str(web.port))[2]
    assert {"HttpOnly", "SameSite=Strict", f"Path={folder}"} == set(cookie.split("; ")[1:])
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "no-referrer" == headers["Referrer-Policy"]
    assert "http" not in page


async def test_the_screen_comes_through_the_socket(web: Served) -> None:
    """The board is drawn in the size that was asked for, keys work, and the process ends with the visit."""
    before = web.screens()
    async with visitor() as each:
        await (await each.get(web.url)).read()
        async with each.ws_connect(socket_url(web.bare), origin=f"http://127.0.0.1:{web.port}") as socket:
            await read(socket, "sshsched", "echo for the browser", "success")
            assert 1 == len(web.screens()) - len(before)
            await socket.send_json(["stdin", "3"])
            await read(socket, "HOST", "SINCE")
    await until(lambda: before == web.screens(), within=20)


async def test_leaving_the_screen_closes_the_socket(web: Served) -> None:
    """`q` ends the screen of that visit, and no other."""
    async with visitor() as each:
        sockets = [await each.ws_connect(socket_url(web.bare, token=web.token)) for _ in range(2)]
        for socket in sockets:
            await read(socket, "sshsched")
        await sockets[0].send_json(["stdin", "q"])
        while (message := await sockets[0].receive(timeout=30)).type is aiohttp.WSMsgType.BINARY:
            pass
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        await sockets[1].send_json(["stdin", "3"])
        await read(sockets[1], "SINCE")


async def test_a_screen_that_is_killed_closes_the_socket(web: Served) -> None:
    """The page is told, and does not stand still for ever."""
    async with visitor() as each, each.ws_connect(socket_url(web.bare, token=web.token)) as socket:
        await read(socket, "sshsched")
        for screen in web.screens():
            os.kill(screen, signal.SIGKILL)
        while (message := await socket.receive(timeout=30)).type is aiohttp.WSMsgType.BINARY:
            pass

    assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


@pytest.mark.parametrize("size", ["width=0&height=0", "width=x", "width=-1&height=99999999999", ""])
async def test_nonsense_is_not_heard(web: Served, size: str) -> None:
    """Sizes and messages that no terminal sends change nothing; the next key works."""
    nonsense = ["{", "[]", "[1]", '"x"', '["stdin", 1]', '["resize", {"width": -1, "height": 0}]', '["resize"]', "null"]
    async with visitor() as each, each.ws_connect(f"{web.url.replace('?', 'ws?')}&{size}") as socket:
        await read(socket, "sshsched")
        for text in nonsense:
            await socket.send_str(text)
        await socket.send_bytes(b"\x00")
        await socket.send_json(["stdin", "3"])
        await read(socket, "SINCE")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_no_screen_outlives_the_server(shared: Place, number: signal.Signals) -> None:
    """Whichever way it goes, the screens go, too; Ctrl-C is no failure and says nothing more."""
    with served(shared) as web:
        async with visitor() as each, each.ws_connect(socket_url(web.bare, token=web.token)) as socket:
            await read(socket, "sshsched")
            screens = web.screens()
            web.process.send_signal(number)
            out, err = web.process.communicate(timeout=30)
        ended(screens)

    assert 1 == len(screens)
    assert (b"", b"") == (out, err)
    assert (-9 if number is signal.SIGKILL else 0) == web.process.returncode


async def test_a_filter_goes_along(shared: Place) -> None:
    """What the command was given, the screen in the browser is given."""
    with served(shared, "host:nowhere") as web:
        async with visitor() as each, each.ws_connect(socket_url(web.bare, token=web.token)) as socket:
            await read(socket, "host:nowhere")


def test_what_cannot_be_is_said(shared: Place, web: Served) -> None:
    """A port that is taken, options that do not go together, a run that there is not: one line each."""
    taken = shared("watch", "--web", "--port", str(web.port))
    apart, lone = shared("watch", "--web", "--once"), shared("watch", "--port", "9000")
    missing = shared("watch", "--web", "r999999")

    assert [2, 2, 2, 4] == [each.code for each in (taken, apart, lone, missing)]
    assert f"port {web.port} cannot be had" in taken.err
    assert "--web goes without --once" in apart.err
    assert [1, 1, 1, 1] == [len(each.err.splitlines()) for each in (taken, apart, lone, missing)]
