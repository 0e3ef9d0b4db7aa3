"""HTTP POST, by the standard library in a thread of its own: one that hangs takes no other's place.

Rule: redirects are not followed, certificates are checked, and whoever stops waiting closes the connection.

A signed request bears the headers of the Standard Webhooks specification 1.0: `webhook-id`, `webhook-timestamp` and
`webhook-signature`, which is `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import http.client
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sshsched import __version__
from sshsched.kinds.actions.base import DeliveryError, Post

TIMEOUT = 30.0  # seconds for the whole of a request
SEEN = 200  # bytes of an answer that are told
PREFIX = "whsec_"  # what the specification's own keys begin with; base64 follows


def signed(post: Post, id: str, at: float) -> dict[str, str]:
    """The headers of a request, at this time: signed if there is a key, and always with the stable id."""
    stamp = str(int(at))
    headers = {"User-Agent": f"sshsched/{__version__}", **post.headers, "webhook-id": id, "webhook-timestamp": stamp}
    if post.key:
        text = b".".join((id.encode(), stamp.encode(), post.body))
        found = hmac.digest(_key(post.key), text, hashlib.sha256)
        headers["webhook-signature"] = f"v1,{base64.b64encode(found).decode()}"
    return headers


async def send(post: Post, headers: Mapping[str, str]) -> None:
    """Post it; any answer but 2xx is a DeliveryError."""
    request = urllib.request.Request(post.url, post.body, dict(headers), method="POST")
    open_ones: list[socket.socket] = []
    where = f"{request.type}://{request.host}"  # the rest of an address may be its secret
    try:
        async with asyncio.timeout(TIMEOUT):
            await in_thread(lambda: _post(request, open_ones), open_ones)
    except TimeoutError:
        raise DeliveryError(f"{where}: no answer within {TIMEOUT:g} s") from None
    except urllib.error.HTTPError as error:
        with error, suppress(OSError):
            words = error.read(SEEN).decode(errors="replace")
        raise DeliveryError(f"{where} answers {error.code} {error.reason}: {words}".rstrip(": ")) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DeliveryError(f"{where}: {getattr(error, 'reason', None) or error or type(error).__name__}") from None


async def in_thread(work: Any, open_ones: list[socket.socket]) -> None:
    """Do it in a thread that ends nothing else when it hangs. If nobody waits any more, its connections are closed."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def tell(error: BaseException | None) -> None:
        if not done.done():
            done.set_result(None) if error is None else done.set_exception(error)

    def whole() -> None:
        problem: BaseException | None = None
        try:
            work()
        except BaseException as error:
            problem = error
        with suppress(RuntimeError):  # the loop may have ended meanwhile
            loop.call_soon_threadsafe(tell, problem)

    threading.Thread(target=whole, daemon=True, name="deliver").start()
    try:
        await done
    except asyncio.CancelledError:
        for each in open_ones:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        raise


def _post(request: urllib.request.Request, open_ones: list[socket.socket]) -> None:
    class Plain(urllib.request.HTTPHandler):
        def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(_noting(http.client.HTTPConnection, open_ones), request)

    class Safe(urllib.request.HTTPSHandler):
        def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(_noting(http.client.HTTPSConnection, open_ones), request)

    with urllib.request.build_opener(Plain, Safe, _NoRedirect).open(request, timeout=TIMEOUT) as answer:
        answer.read(SEEN)


def _noting(kind: Any, open_ones: list[socket.socket]) -> Any:
    """The same kind of connection, whose socket is noted when it is there."""

    class Noted(kind):  # type: ignore[misc]
        def connect(self) -> None:
            super().connect()
            open_ones.append(self.sock)

    return Noted


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A signed body goes where its address says, or nowhere."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _key(text: str) -> bytes:
    if text.startswith(PREFIX):
        with suppress(binascii.Error):
            return base64.b64decode(text.removeprefix(PREFIX), validate=True)
    return text.encode()
