"""`notify`: people are told, by email, by a webhook, or in any way that apprise knows.

Rule: each recipient is a notice of its own, so that one who cannot be reached holds up nobody, and nobody is told twice
because of another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from msgspec import Meta, Struct, to_builtins

from sshsched.domain.instructions import Notice
from sshsched.kinds.actions.base import Action, Mail, Means, Post
from sshsched.kinds.actions.facts import shape_of, values_of
from sshsched.kinds.actions.told import body_of, one_line, subject_of

LINES = 20
MOST_LINES = 1000


class Kept(Struct, frozen=True, forbid_unknown_fields=True):
    """A text that is a secret: `{secret: NAME}`."""

    secret: Annotated[str, Meta(description="the name of a secret, or of an environment variable of the scheduler")]


class Webhook(Struct, frozen=True, forbid_unknown_fields=True):
    """Where JSON is posted to, and what it is signed with."""

    url: Annotated[str | Kept, Meta(description="an http or https address")]
    secret: Annotated[str, Meta(description="the name of the secret with which it is signed; empty: it is not")] = ""


class Notify(Action, frozen=True):
    """People are told."""

    email: Annotated[tuple[str, ...], Meta(description="addresses; the server is `smtp:` in config.yaml")] = ()
    webhook: Annotated[str | Webhook | None, Meta(description="an address that JSON is posted to")] = None
    apprise: Annotated[
        tuple[str | Kept, ...], Meta(description="addresses of apprise: ntfy://, slack://, tgram:// and the rest")
    ] = ()
    subject: Annotated[str, Meta(description="a template, instead of the usual subject")] = ""
    body: Annotated[str, Meta(description="a template, instead of the usual text")] = ""
    lines: Annotated[int, Meta(ge=0, le=MOST_LINES, description="how many lines of output the text ends with")] = LINES

    def __post_init__(self) -> None:
        if not (self.email or self.webhook or self.apprise):
            raise ValueError("notify tells nobody; give it email, webhook or apprise")
        if bad := [each for each in self.email if "@" not in each or one_line(each) != each or " " in each]:
            raise ValueError(f"{bad[0][:60]!r} is no email address")
        url = self._hook.url if self._hook else ""
        if isinstance(url, str) and url and urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"webhook: {url[:60]!r} is no http or https address")

    @property
    def _hook(self) -> Webhook | None:
        return Webhook(self.webhook) if isinstance(self.webhook, str) else self.webhook

    @property
    def route(self) -> str:
        if self.email:
            return "smtp"
        url = self._hook.url if self._hook else self.apprise[0]
        return f"secret {url.secret}" if isinstance(url, Kept) else "//".join(urlsplit(url)[:2])

    def parts(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        same = {"subject": self.subject, "body": self.body, "lines": self.lines}
        for number, address in enumerate(self.email):
            yield f"email{number}", {"email": [address], **same}
        if self.webhook:
            yield "webhook", {"webhook": to_builtins(self.webhook), **same}
        for number, url in enumerate(self.apprise):
            yield f"apprise{number}", {"apprise": [to_builtins(url)], **same}

    async def deliver(self, notice: Notice, means: Means) -> None:
        tail = await means.tail(self.lines) if self.lines else ""
        subject, body = self._words(notice, means, tail)
        if self.email:
            await means.mail(Mail(self.email, subject, body))
        if self._hook:
            await means.post(await self._post(self._hook, notice, means, subject, body))
        if self.apprise:
            urls = tuple([await _plain(url, means) for url in self.apprise])
            await means.apprise(urls, subject, body)

    def _words(self, notice: Notice, means: Means, tail: str) -> tuple[str, str]:
        """Subject and text. A template that fails costs its own words, never the message."""
        usual = subject_of(notice), body_of(notice, tail)
        values = {
            **values_of(notice.facts, notice.occasion),
            "usual_subject": usual[0],
            "usual_body": usual[1],
            "output": tail,
        }
        try:
            subject = one_line(means.fill(self.subject, values)) if self.subject else usual[0]
            return subject, means.fill(self.body, values) if self.body else usual[1]
        except ValueError as error:
            return usual[0], f"{usual[1]}\n(Your own words for this could not be used: {error})\n"

    async def _post(self, hook: Webhook, notice: Notice, means: Means, subject: str, body: str) -> Post:
        key = await means.secret(hook.secret) if hook.secret else ""
        shape = {**shape_of(notice), "subject": subject, "text": body}
        headers = {"Content-Type": "application/json"}
        return Post(await _plain(hook.url, means), json.dumps(shape).encode(), headers, key)


async def _plain(text: str | Kept, means: Means) -> str:
    return await means.secret(text.secret) if isinstance(text, Kept) else text
