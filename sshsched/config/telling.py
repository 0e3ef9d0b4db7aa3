"""`smtp:` and `digest:` of config.yaml: by which server email goes out, and what is told every day.

Rule: a password is never written here; `{secret: NAME}` says where it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Any, Final

from sshsched.config.nodes import Node, Problems, Text
from sshsched.config.reading import Key, Record, Schema, reader
from sshsched.config.values import TEXT, Integer, Many, OneOf, Word, ZoneName
from sshsched.domain.plan import Deed

PORTS: Final = {"starttls": 587, "ssl": 465, "none": 25}
NEAR: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Smtp:
    """The server that email is handed to. `password` is the name of a secret; without a `user` nobody logs in."""

    host: str
    sender: str
    security: str = "starttls"
    port: int = 587
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Digest:
    """At which time of day whom to tell, and how. `tz` of None is the usual zone."""

    at: time
    deed: Deed
    tz: str | None = None


class SecretName:
    """`{secret: NAME}`."""

    def read(self, node: Node, problems: Problems) -> str:
        if isinstance(node, Text):
            raise problems.refuse(node, "is not written here; write {secret: NAME}, and what NAME is under 'secrets'")
        with reader(node, SECRET_RECORD, problems) as take:
            return take(SECRET)

    def schema(self) -> Schema:
        return SECRET_RECORD.schema()


class Daytime:
    """A time of day. Times are slow to import, and most settings have none."""

    def read(self, node: Node, problems: Problems) -> time:
        from sshsched.config.late import DAYTIME

        return DAYTIME.read(node, problems)

    def schema(self) -> Schema:
        from sshsched.config.late import DAYTIME

        return DAYTIME.schema()


ADDRESS: Final = Word(r"[^@\s]+@[^@\s]+", "email address")
SECRET: Final = Key("secret", Word(r"[\w.@+/-]+", "name of a secret"), "the name of a secret, or of a variable")
SECRET_RECORD: Final = Record((SECRET,), "a secret")

HOST: Final = Key("host", Word(r"[A-Za-z0-9._:-]+", "host name"), "the server")
FROM: Final = Key(
    "from",
    Word(r"[^\r\n]*[^@\s]+@[^@\s]+", "email address"),
    "the sender: me@example.com, or a name and <me@example.com>",
)
SECURITY: Final = Key(
    "security", OneOf(tuple(PORTS), "kind of security"), "TLS after a greeting, from the start, or never", "starttls"
)
PORT: Final = Key[int | None]("port", Integer(1, 65535), "587, 465 or 25, by security", None)
USER: Final = Key("user", TEXT, "who logs in; nobody, if it is left out", "")
PASSWORD: Final = Key("password", SecretName(), "the secret that the user logs in with", "")
SMTP_RECORD: Final = Record(
    (HOST, FROM, SECURITY, PORT, USER, PASSWORD),
    "the server that email is handed to",
    {
        **dict.fromkeys(("server", "hostname"), "here it is called 'host'"),
        **dict.fromkeys(("username", "login"), "here it is called 'user'"),
        **dict.fromkeys(("tls", "ssl", "starttls"), "it is one of the kinds of 'security'"),
        **dict.fromkeys(("sender", "mail_from"), "here it is called 'from'"),
        "secret": "it is the 'password': {secret: NAME}",
    },
)


class _Smtp:
    def read(self, node: Node, problems: Problems) -> Smtp:
        with reader(node, SMTP_RECORD, problems) as take:
            host, sender, security, port = take(HOST), take(FROM), take(SECURITY), take(PORT)
            user, password = take(USER), take(PASSWORD)
        if user and not password:
            raise problems.refuse(node, "has a user and no password; add password: {secret: NAME}")
        if user and security == "none" and host not in NEAR:
            raise problems.refuse(node, "would send the password in the clear; use security: starttls or ssl")
        return Smtp(host, sender, security, port or PORTS[security], user, password)

    def schema(self) -> Schema:
        return SMTP_RECORD.schema()


AT: Final = Key("at", Daytime(), 'the time of day, like "07:30"')
TZ: Final = Key[str | None]("tz", ZoneName(), "its time zone, if it is not the usual one", None)
EMAIL: Final = Key[tuple[str, ...]]("email", Many(ADDRESS), "addresses", ())
WEBHOOK: Final = Key("webhook", Word(r"https?://\S+", "http or https address"), "an address that JSON is posted to", "")
APPRISE: Final = Key[tuple[str, ...]]("apprise", Many(TEXT), "addresses of apprise", ())
DIGEST_RECORD: Final = Record(
    (AT, TZ, EMAIL, WEBHOOK, APPRISE),
    "what is told every day",
    dict.fromkeys(("time", "daytime"), "here it is called 'at'"),
)


class _Digest:
    def read(self, node: Node, problems: Problems) -> Digest:
        with reader(node, DIGEST_RECORD, problems) as take:
            at, tz = take(AT), take(TZ)
            email, webhook, apprise = take(EMAIL), take(WEBHOOK), take(APPRISE)
        options: dict[str, Any] = {"email": list(email), "webhook": webhook or None, "apprise": list(apprise)}
        if not any(options.values()):
            raise problems.refuse(node, "tells nobody; give it email, webhook or apprise")
        return Digest(at, Deed("notify", {name: value for name, value in options.items() if value}), tz)

    def schema(self) -> Schema:
        return DIGEST_RECORD.schema()


SMTP: Final = Key[Smtp | None]("smtp", _Smtp(), "the server that email is handed to", None)
DIGEST: Final = Key[Digest | None]("digest", _Digest(), "what is told every day, to whom", None)
