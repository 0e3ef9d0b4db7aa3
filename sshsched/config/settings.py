"""`config.yaml`: what holds for all jobs and hosts that do not say otherwise.

Rule: a file that is absent costs nothing. Each setting is one line of KEYS and one field of Settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sshsched.config.addresses import Address, ListenAt
from sshsched.config.decisions import ACTION, MAX_WAIT, NOTIFY, THEN
from sshsched.config.nodes import Problems, UnreadableError
from sshsched.config.reading import Key, Record, reader
from sshsched.config.retention import RETENTION
from sshsched.config.secrets import SECRETS
from sshsched.config.strict import read_file
from sshsched.config.telling import DIGEST, SMTP, Digest, Smtp
from sshsched.config.values import Duration, Integer, Pairs, ZoneName
from sshsched.domain.model import START_WITHIN
from sshsched.domain.plan import Deed, Then
from sshsched.domain.retention import Retention
from sshsched.domain.secrets import Source
from sshsched.kinds.registry import look_in

FILE: Final = "config.yaml"
KINDS: Final = "kinds"
"""The folder of a user's own kinds."""
MOST_SLOTS: Final = 100_000

START: Final = Key(
    "start_within", Duration(), "a run that could not start for so long ends as not started", START_WITHIN
)
SLOTS: Final = Key[int | None]("slots", Integer(1, MOST_SLOTS), "how many programs run at once on a host", None)
TZ: Final = Key[str | None]("tz", ZoneName(), "the time zone of schedules that name none; else this machine's", None)
METRICS: Final = Key[ListenAt | None]("metrics", Address(), "where /metrics is, for Prometheus, as in 9464", None)
LOCKS: Final = Key[Mapping[str, int]](
    "locks",
    Pairs(r"[^\s,{}]+", "name of a lock; use no spaces, commas or braces", Integer(1, MOST_SLOTS)),
    "how much there is of a named lock; one, where nothing is said",
    {},
)
SECRET: Final = Key[Mapping[str, Source]]("secrets", SECRETS, "where each secret is kept", {})

KEYS: Final[dict[str, Key[Any]]] = {
    "start_within": START,
    "slots": SLOTS,
    "tz": TZ,
    "max_wait": MAX_WAIT,
    "then": THEN,
    "locks": LOCKS,
    "secrets": SECRET,
    "smtp": SMTP,
    "digest": DIGEST,
    "retention": RETENTION,
    "metrics": METRICS,
}
"""The fields of Settings that are the values of keys."""
RECORD: Final = Record((*KEYS.values(), ACTION, NOTIFY), "the settings")


@dataclass(frozen=True, slots=True)
class Settings:
    """`start_within` and `max_wait` in seconds; `slots` of None is no limit; `tz` of None is the zone of this machine.

    `actions` follow every run. A lock that is not among `locks` has one place.
    """

    start_within: float = START_WITHIN
    slots: int | None = None
    tz: str | None = None
    max_wait: float | None = None
    then: Then = "error"
    actions: tuple[Deed, ...] = ()
    locks: Mapping[str, int] = field(default_factory=dict)
    secrets: Mapping[str, Source] = field(default_factory=dict)
    smtp: Smtp | None = None
    digest: Digest | None = None
    retention: Retention | None = None
    """For the runs of all jobs that have none of their own, and of none, together."""
    metrics: ListenAt | None = None


def load_settings(config_dir: Path) -> Settings:
    """The settings of a folder. Raises ConfigError."""
    problems = Problems(FILE)
    settings = Settings()
    look_in(str(config_dir / KINDS))
    try:
        node = read_file(config_dir / FILE, problems)
        if node is not None:
            with reader(node, RECORD, problems) as take:
                values = {name: take(key) for name, key in KEYS.items()}
                placed = take(ACTION), take(NOTIFY)
            values["then"] = values["then"] or "error"
            settings = Settings(**values, actions=tuple(deed for some in placed for deed, _ in some))
    except FileNotFoundError:
        return settings
    except UnreadableError:
        pass  # noted, and raised with the rest
    problems.check()
    return settings
