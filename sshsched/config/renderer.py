"""Templates with the calendars of a folder, which are read when a template asks for one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sshsched.config.templates import render

if TYPE_CHECKING:
    from sshsched.kinds.calendars import Calendar
    from sshsched.kinds.jobs import Render


def renderer(config_dir: Path) -> Render:
    """What `bind` fills in texts with, for the jobs of this folder."""

    def calendars() -> Mapping[str, Calendar]:
        from sshsched.config.calendars import load_calendars

        return load_calendars(config_dir).calendars

    return partial(render, calendars=calendars)
