"""Webhooks to real receivers: signed, repeated under one id, and no trap for the scheduler."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import AsyncIterator

import pytest

from sshsched.engine import post
from sshsched.kinds.actions.base import DeliveryError, Post
from tests.engine.telling import T0, Bench, notice
from tests.engine.test_mail import certified
from tests.receivers import Hooks, Silent
from tests.support import until

__all__ = ["certified"]
ID = "0123456789ab-r7-failure-0"


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.with_run()
    async with made.working():
        yield made


async def test_posted(bench: Bench) -> None:
    """A webhook gets the run as JSON, the words for people, and an id."""
    async with Hooks().serving() as hooks:
        await bench.tell(notice(webhook=f"http://127.0.0.1:{hooks.port}/in?x=1"))
        await until(lambda: bench.told()["r7-failure-0"].done_at)
    ((headers, body),) = hooks.received
    told = json.loads(body)

    assert ("r7", "backup", "failure") == (told["run"], told["job"], told["occasion"])
    assert ("exit code 3", {"date": "2027-01-15"}) == (told["facts"]["message"], told["facts"]["args"])
    assert "backup on nas failed: exit code 3 (r7)" == told["subject"]
    assert told["subject"] in told["text"]
    assert ("application/json", ID) == (headers["content-type"], headers["webhook-id"])
    assert "webhook-signature" not in headers


@pytest.mark.parametrize(("key", "raw"), [("s3cret", b"s3cret"), ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", None)])
async def test_signed(bench: Bench, key: str, raw: bytes | None) -> None:
    """The signature is that of the Standard Webhooks specification, over id, time and body."""
    bench.safe.values = {"hook": key}
    async with Hooks().serving() as hooks:
        await bench.tell(notice(webhook={"url": f"http://127.0.0.1:{hooks.port}/", "secret": "hook"}))
        await until(lambda: hooks.received)
    ((headers, body),) = hooks.received
    stamp = str(int(T0 + 20))
    used = raw if raw is not None else base64.b64decode(key.removeprefix("whsec_"))
    expected = hmac.new(used, b".".join((ID.encode(), stamp.encode(), body)), hashlib.sha256).digest()

    assert stamp == headers["webhook-timestamp"]
    assert f"v1,{base64.b64encode(expected).decode()}" == headers["webhook-signature"]


def test_the_specifications_own_example() -> None:
    """The example of the Standard Webhooks specification is signed as it says there."""
    example = Post("http://x", b'{"test": 2432232314}', key="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = post.signed(example, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330)

    assert "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" == headers["webhook-signature"]


async def test_repeated_under_one_id(bench: Bench) -> None:
    """What was not taken is posted again: with the same id and body, and signed anew at its time."""
    bench.safe.values = {"hook": "s3cret"}
    async with Hooks(answers=["503 Later"], dies=1).serving() as hooks:
        await bench.tell(notice(webhook={"url": f"http://127.0.0.1:{hooks.port}/", "secret": "hook"}))
        for tries in (1, 2):
            await until(lambda tries=tries: bench.told()["r7-failure-0"].tries == tries)
            bench.clock.now = bench.told()["r7-failure-0"].next_at
        await until(lambda: bench.told()["r7-failure-0"].done_at)
    first, _, third = hooks.received

    assert 3 == len(hooks.received)
    assert {ID} == {headers["webhook-id"] for headers, _ in hooks.received}
    assert first[1] == third[1]
    assert first[0]["webhook-signature"] != third[0]["webhook-signature"]


async def test_over_tls(bench: Bench, certified: ssl.SSLContext) -> None:
    """An https address is believed if its certificate is good."""
    async with Hooks(certified).serving() as hooks:
        await post.send(Post(f"https://localhost:{hooks.port}/", b"{}"), {})
        with pytest.raises(DeliveryError, match=r"(?i)certificate"):
            await post.send(Post(f"https://127.0.0.1:{hooks.port}/", b"{}"), {})

    assert 1 == len(hooks.received)


async def test_no_redirect(bench: Bench) -> None:
    """What is told goes to the address that was written, and nowhere else."""
    async with Hooks().serving() as other, Hooks().serving() as hooks:
        hooks.answers = [f"307 Over there\r\nLocation: http://127.0.0.1:{other.port}/"]
        with pytest.raises(DeliveryError, match="answers 307 Over there"):
            await post.send(Post(f"http://127.0.0.1:{hooks.port}/", b"{}"), {})

    assert [] == other.received


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 200 OK\r\nX: "])
async def test_one_that_hangs(monkeypatch: pytest.MonkeyPatch, says: bytes) -> None:
    """A receiver that hangs costs its time limit, and leaves no thread and no connection."""
    monkeypatch.setattr(post, "TIMEOUT", 0.3)
    async with Silent(says).serving() as hanging:
        with pytest.raises(DeliveryError, match=r"no answer within 0.3 s|timed out"):
            await post.send(Post(f"http://127.0.0.1:{hanging.port}/secret-path", b"{}"), {})
        await until(lambda: hanging.left)
    await until(lambda: "deliver" not in {thread.name for thread in threading.enumerate()})


async def test_one_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that sends a byte now and then is left when the time is over, not when it falls silent."""
    monkeypatch.setattr(post, "TIMEOUT", 0.5)

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        except OSError:
            left.set()
        finally:
            writer.close()

    left = asyncio.Event()
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(DeliveryError, match="no answer within"):
        await post.send(Post(f"http://127.0.0.1:{port}/", b"{}"), {})
    await until(lambda: "deliver" not in {thread.name for thread in threading.enumerate()})
    await left.wait()
    server.close()


async def test_the_path_is_told_to_nobody() -> None:
    """The path of an address may be a token: what goes wrong names the server only."""
    async with Hooks(answers=["404 Not Found"]).serving() as hooks:
        with pytest.raises(DeliveryError) as caught:
            await post.send(Post(f"http://127.0.0.1:{hooks.port}/T0K3N", b"{}"), {})

    assert "T0K3N" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what apprise imports
async def test_apprise(bench: Bench) -> None:
    """What apprise knows is told through apprise; its address may be a secret."""
    async with Hooks(answers=["200 OK"]).serving() as hooks:
        bench.safe.values = {"where": f"json://127.0.0.1:{hooks.port}/"}
        await bench.tell(notice(apprise=[{"secret": "where"}]))
        await until(lambda: bench.told()["r7-failure-0"].done_at, within=20)
    told = json.loads(hooks.received[0][1])

    assert "backup on nas failed: exit code 3 (r7)" == told["title"]
    assert "sshsched show r7" in told["message"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_apprise_fails(bench: Bench) -> None:
    """An address that apprise does not understand, and a server that refuses, are problems."""
    async with Hooks(answers=["500 No"]).serving() as hooks:
        await bench.tell(
            notice("a", apprise=["nonsense://x"]), notice("b", apprise=[f"json://127.0.0.1:{hooks.port}/"])
        )
        await until(lambda: bench.told()["a"].tries and bench.told()["b"].tries, within=20)

    assert "does not understand" in bench.told()["a"].problem
    assert "could not deliver" in bench.told()["b"].problem
