"""What all jobs of a folder have in common: settings, the usual time zone, calendars.

Rule: each is read when something first asks for it, so a job without a schedule pays for none.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sshsched.config.settings import KINDS, Settings, load_settings
from sshsched.errors import ConfigError, Problem
from sshsched.kinds.registry import look_in

if TYPE_CHECKING:
    from sshsched.kinds.calendars import Calendar


class Surroundings:
    """Never raises for what is in a file: problems are kept."""

    def __init__(self, config_dir: Path) -> None:
        self.config_dir = config_dir
        self.problems: list[Problem] = []
        look_in(str(config_dir / KINDS))

    @cached_property
    def settings(self) -> Settings:
        """The usual ones where config.yaml is bad."""
        try:
            return load_settings(self.config_dir)
        except ConfigError as error:
            self.problems += error.problems
            return Settings()

    @cached_property
    def tz(self) -> str:
        """The zone of schedules that name none."""
        from sshsched.config.local_zone import local_zone

        return self.settings.tz or local_zone()

    @cached_property
    def calendars(self) -> Mapping[str, Calendar]:
        """Those of the folder `calendars/` that are good."""
        from sshsched.config.calendars import load_calendars

        loaded = load_calendars(self.config_dir)
        self.problems += loaded.problems
        return loaded.calendars

    def read_all(self) -> None:
        """Also what no job has asked for, for the sake of its problems."""
        _ = self.settings, self.calendars
