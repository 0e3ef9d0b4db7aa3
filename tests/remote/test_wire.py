"""The wire that other tests cut does what it says: a wrong tool would prove nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support import until
from tests.tcp_proxy import TO_CLIENT, TO_SERVER, TcpProxy


class Echo:
    """A server that sends back what it got, and remembers it."""

    def __init__(self) -> None:
        self.got = b""
        self.ended = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                self.got += data
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            self.ended += 1
            writer.transport.abort()


@pytest.fixture
async def echo() -> AsyncIterator[tuple[Echo, TcpProxy]]:
    it = Echo()
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    async with server, TcpProxy(server.sockets[0].getsockname()[1]) as wire:
        yield it, wire


async def rest(reader: asyncio.StreamReader) -> bytes:
    data = b""
    try:
        while more := await reader.read(65536):
            data += more
    except ConnectionResetError:
        pass
    return data


@pytest.mark.parametrize("count", [0, 1, 5, 9])
async def test_cut_after_some_bytes_to_the_server(echo: tuple[Echo, TcpProxy], count: int) -> None:
    """The server gets exactly so many bytes, and the connection ends."""
    it, wire = echo
    wire.cut_after(count, TO_SERVER)
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(b"0123456789")
    await rest(reader)
    await until(lambda: it.ended)

    assert b"0123456789"[:count] == it.got
    writer.transport.abort()


@pytest.mark.parametrize("count", [0, 1, 5, 9])
async def test_cut_after_some_bytes_to_the_client(echo: tuple[Echo, TcpProxy], count: int) -> None:
    """The client gets exactly so many bytes; the next connection works."""
    _, wire = echo
    wire.cut_after(count, TO_CLIENT)
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(b"0123456789")
    assert b"0123456789"[:count] == await rest(reader)
    writer.transport.abort()

    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(b"again")
    writer.write_eof()
    assert b"again" == await rest(reader)
    writer.transport.abort()


async def test_stall_and_resume(echo: tuple[Echo, TcpProxy]) -> None:
    """What is held up while stalled arrives afterwards, in order."""
    it, wire = echo
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    wire.stall()
    writer.write(b"one")
    done, _ = await asyncio.wait([asyncio.create_task(reader.readexactly(3))], timeout=0.2)
    assert (set(), b"") == (done, it.got)
    wire.resume()
    await until(lambda: b"one" == it.got)
    writer.transport.abort()


async def test_forgotten_lines_come_alive_again(echo: tuple[Echo, TcpProxy]) -> None:
    """What a forgotten connection held arrives when it is revived, also if its client has gone since."""
    it, wire = echo
    _, dead = await asyncio.open_connection("127.0.0.1", wire.port)
    await until(lambda: wire.lines)
    wire.forget()
    dead.write(b"late")
    dead.close()
    done, _ = await asyncio.wait([asyncio.create_task(until(lambda: it.got))], timeout=0.2)
    assert set() == done
    wire.revive()
    await until(lambda: not wire.lines)

    assert b"late" == it.got


async def test_forget_is_for_ever(echo: tuple[Echo, TcpProxy]) -> None:
    """A forgotten connection stays open and dead; new ones work."""
    it, wire = echo
    _, dead = await asyncio.open_connection("127.0.0.1", wire.port)
    await until(lambda: wire.accepted)
    wire.forget()
    dead.write(b"lost")
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(b"new")

    assert b"new" == await reader.readexactly(3)
    assert b"new" == it.got
    assert not dead.is_closing()
    dead.transport.abort()
    writer.transport.abort()


async def test_cut(echo: tuple[Echo, TcpProxy]) -> None:
    """A cut wire is noticed on both sides."""
    it, wire = echo
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(b"x")
    assert b"x" == await reader.readexactly(1)
    wire.cut()

    assert b"" == await rest(reader)
    assert await until(lambda: it.ended)
    writer.transport.abort()
