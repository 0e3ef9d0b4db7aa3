"""The screen in a browser: a page on loopback, and a process with a screen of its own for each visit.

Rule: whoever has this page may run programs on hosts, so no byte is served without the token, nor under another name
than this machine's own, nor to a page of somebody else. textual-serve brings the terminal in the browser and the way
to the process; it guards nothing, and its own page would ask other servers for fonts.

Cookies do not tell ports apart: the browser would show ours to any server on this machine. Therefore everything lies in
a folder whose name nobody else knows, and the cookie is for that folder alone.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable, Sequence
from hmac import compare_digest
from pathlib import Path
from secrets import token_urlsafe
from shlex import join

import textual_serve
from aiohttp import WSMsgType, web
from aiohttp.log import server_logger
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from sshsched.errors import UsageError

LOOPBACK = "127.0.0.1"
NAMES = frozenset({LOOPBACK, "localhost"})
"""What a browser may call us, at any port: one may be forwarded. Another name is DNS rebinding."""
COOKIE = "sshsched"
HEARTBEAT = 15.0  # seconds: a visitor who has gone without a word is noticed
MOST_CELLS = 2000  # of a terminal, in each direction
PATIENCE = 5.0  # seconds that screens have for their end
PAGE = Path(__file__).parent / "page"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Screen(AppService):
    """The process of one visit."""

    async def run(self) -> None:
        """Take to the browser what it draws. However it ends, the page is told."""
        try:
            await super().run()
        finally:
            await self.remote_close()


class Web:
    """Serves the screen that `command` shows, until it is told to stop."""

    def __init__(self, command: Sequence[str]) -> None:
        self.token = token_urlsafe(32)
        self.folder = token_urlsafe(8)
        # `exec`: the shell that textual-serve puts in between would keep signals from the screen.
        self._command = f"exec {join(command)}"
        self._screens: set[asyncio.Task[None]] = set()
        inside = web.Application()
        inside.add_routes(
            [
                web.get("/", self._page),
                web.get("/ws", self._screen),
                web.static("/static", Path(textual_serve.__file__).parent / "static"),
                web.static("/page", PAGE),
            ]
        )
        self.app = web.Application(middlewares=[self._guard])
        self.app.add_subapp(f"/{self.folder}/", inside)
        self.app.on_response_prepare.append(_with_headers)
        self.app.on_shutdown.append(self._end)

    def url(self, port: int) -> str:
        """What somebody opens."""
        return f"http://{LOOPBACK}:{port}/{self.folder}/?token={self.token}"

    async def run(self, port: int, say: Callable[[str], None]) -> None:
        """Serve until SIGINT or SIGTERM; port 0 is one that is free. Raises UsageError if the port cannot be had."""
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, over.set)
        runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=PATIENCE)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, port).start()
            say(f"the screen is at {self.url(runner.addresses[0][1])} (Ctrl-C ends it)")
            await over.wait()
        except OSError as error:
            problem = f"watch --web: port {port} cannot be had ({error.strerror}); without --port a free one is taken"
            raise UsageError(problem) from None
        finally:
            await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        if host.rpartition(":")[0] not in NAMES and host not in NAMES:
            raise web.HTTPForbidden(text=f"This is not {host[:100]!r}; open the address that sshsched watch printed.\n")
        if request.headers.get("Origin", f"http://{host}") != f"http://{host}":
            raise web.HTTPForbidden(text="This is for no other page.\n")
        given = request.query.get("token") or request.cookies.get(COOKIE, "")
        if not compare_digest(given.encode(errors="replace"), self.token.encode()):
            raise web.HTTPForbidden(text="Open the whole address that sshsched watch --web printed, token and all.\n")
        return await handler(request)

    async def _page(self, _: web.Request) -> web.StreamResponse:
        response = web.Response(text=(PAGE / "index.html").read_text(), content_type="text/html")
        response.set_cookie(COOKIE, self.token, path=f"/{self.folder}/", httponly=True, samesite="Strict")
        return response

    async def _screen(self, request: web.Request) -> web.StreamResponse:
        """A process for this visit, which ends with it, whichever of the two goes first."""
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT)
        await socket.prepare(request)

        async def close() -> None:
            await socket.close()

        screen = Screen(
            self._command,
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=close,
            download_manager=DownloadManager(),
        )
        task = asyncio.current_task()
        assert task is not None
        self._screens.add(task)
        try:
            await screen.start(_number(request, "width", 80), _number(request, "height", 24))
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await _pass_on(message.data, screen, socket)
        finally:
            self._screens.discard(task)
            await screen.stop()
        return socket

    async def _end(self, _: web.Application) -> None:
        server_logger.disabled = True  # aiohttp stumbles over handlers that end just when it ends them too, and says so
        for each in self._screens:
            each.cancel()
        if self._screens:
            await asyncio.wait(self._screens, timeout=PATIENCE)


def _number(request: web.Request, name: str, usual: int) -> int:
    text = request.query.get(name, "")
    return min(int(text), MOST_CELLS) or usual if text.isdecimal() and len(text) < 10 else usual


async def _pass_on(text: str, screen: AppService, socket: web.WebSocketResponse) -> None:
    """What the terminal in the browser says; what it never says is not heard."""
    try:
        said = json.loads(text)
    except ValueError:
        return
    match said:
        case ["stdin", str(keys)]:
            await screen.send_bytes(keys.encode(errors="replace"))
        case ["resize", {"width": int(width), "height": int(height)}] if min(width, height) > 0:
            await screen.set_terminal_size(min(width, MOST_CELLS), min(height, MOST_CELLS))
        case ["ping", str(mark)]:
            await socket.send_json(["pong", mark])
        case ["focus"]:
            await screen.focus()
        case ["blur"]:
            await screen.blur()


async def _with_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def serve(command: Sequence[str], port: int, say: Callable[[str], None]) -> None:
    """Serve the screen that a command shows; `say` is told where. Raises UsageError if the port cannot be had."""
    asyncio.run(Web(command).run(port, say))
