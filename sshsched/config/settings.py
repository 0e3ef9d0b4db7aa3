"""`config.yaml`: what holds for all jobs and hosts that do not say otherwise.

Rule: a file that is absent costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sshsched.config.addresses import Address, ListenAt
from sshsched.config.nodes import Problems, UnreadableError
from sshsched.config.reading import Key, Record, reader
from sshsched.config.retention import RETENTION
from sshsched.config.strict import read_file
from sshsched.config.values import Duration, Integer, ZoneName
from sshsched.domain.model import START_WITHIN
from sshsched.domain.retention import Retention

FILE: Final = "config.yaml"
MOST_SLOTS: Final = 100_000

START: Final = Key(
    "start_within", Duration(), "a run that could not start for so long ends as not started", START_WITHIN
)
SLOTS: Final = Key[int | None]("slots", Integer(1, MOST_SLOTS), "how many programs run at once on a host", None)
TZ: Final = Key[str | None]("tz", ZoneName(), "the time zone of schedules that name none; else this machine's", None)
METRICS: Final = Key[ListenAt | None]("metrics", Address(), "where /metrics is, for Prometheus, as in 9464", None)
SETTINGS: Final = Record((START, SLOTS, TZ, RETENTION, METRICS), "the settings")


@dataclass(frozen=True, slots=True)
class Settings:
    """`start_within` in seconds; `slots` of None is no limit; `tz` of None is the zone of this machine."""

    start_within: float = START_WITHIN
    slots: int | None = None
    tz: str | None = None
    retention: Retention | None = None
    """For the runs of all jobs that have none of their own, and of none, together."""
    metrics: ListenAt | None = None


def load_settings(config_dir: Path) -> Settings:
    """The settings of a folder. Raises ConfigError."""
    problems = Problems(FILE)
    settings = Settings()
    try:
        node = read_file(config_dir / FILE, problems)
        if node is not None:
            with reader(node, SETTINGS, problems) as take:
                settings = Settings(take(START), take(SLOTS), take(TZ), take(RETENTION), take(METRICS))
    except FileNotFoundError:
        return settings
    except UnreadableError:
        pass  # noted, and raised with the rest
    problems.check()
    return settings
