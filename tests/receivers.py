"""Servers on loopback that are told things: mail servers that work, hang, refuse or die, and a receiver of hooks."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

OK = "250 taken"


@dataclass
class Smtpd:
    """A mail server. `answer` is what it says to a message, `dies` has it hang up instead, once each."""

    context: ssl.SSLContext | None = None
    starttls: bool = False
    login: tuple[str, str] | None = None
    answers: list[str] = field(default_factory=list)
    dies: int = 0
    refuses: dict[str, str] = field(default_factory=dict)
    received: list[Message] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(self, server: SMTP, _: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.received.append(message_from_bytes(envelope.content))
        self.envelopes.append(envelope)
        if self.dies:
            self.dies -= 1
            assert server.transport is not None
            server.transport.abort()
        return self.answers.pop(0) if self.answers else OK

    def _authenticate(self, server: SMTP, session: Session, envelope: Envelope, how: str, data: object) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        good = (data.login.decode(), data.password.decode()) == self.login
        return AuthResult(success=good, handled=False)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Smtpd]:
        made = self

        def protocol() -> SMTP:
            with warnings.catch_warnings(action="ignore"):  # it does not see TLS that is there from the start
                return SMTP(
                    made,
                    hostname="mail.test",
                    tls_context=made.context if made.starttls else None,
                    require_starttls=made.starttls,
                    authenticator=made._authenticate if made.login else None,
                    auth_required=made.login is not None,
                    auth_require_tls=False,
                )

        server = await asyncio.get_running_loop().create_server(
            protocol, "127.0.0.1", 0, ssl=None if self.starttls else self.context
        )
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


@dataclass
class Silent:
    """Accepts connections and never says a word, or after `says` none."""

    says: bytes = b""
    port: int = 0
    accepted: int = 0
    left: int = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Silent]:
        writers = []

        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.accepted += 1
            writers.append(writer)
            writer.write(self.says)
            with suppress(OSError):
                while await reader.read(1 << 16):
                    pass
            self.left += 1
            writer.close()

        server = await asyncio.start_server(hold, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in writers:
                writer.close()


@dataclass
class Hooks:
    """Receives posts. `answers` are status lines, used up one by one; 204 after that. `dies` hangs up instead."""

    context: ssl.SSLContext | None = None
    answers: list[str] = field(default_factory=list)
    dies: int = 0
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(
                line.lower().split(": ", 1) for line in head[1:-2] if not line.lower().startswith("webhook-s")
            )
            headers |= dict(line.split(": ", 1) for line in head[1:-2] if line.lower().startswith("webhook-s"))
            headers = {name.lower(): value for name, value in headers.items()}
            body = await reader.readexactly(int(headers["content-length"]))
            self.received.append((headers, body))
            if self.dies:
                self.dies -= 1
                writer.transport.abort()
                return
            answer = self.answers.pop(0) if self.answers else "204 No Content"
            writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        finally:
            writer.close()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Hooks]:
        server = await asyncio.start_server(self._take, "127.0.0.1", 0, ssl=self.context)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
