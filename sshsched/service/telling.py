"""What a scheduler needs in order to tell people: from its store and its config folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sshsched.config.renderer import renderer
from sshsched.config.settings import Settings
from sshsched.engine.digest import facts_of_day
from sshsched.engine.secrets import Secrets
from sshsched.engine.teller import Telling
from sshsched.kinds.jobs import Job
from sshsched.kinds.timetable import Key
from sshsched.store.output import OutputFiles
from sshsched.store.reader import Reader
from sshsched.store.store import Store


async def telling(
    store: Store,
    cursors: Mapping[Key, float],
    config_dir: Path,
    state_dir: Path,
    outputs: OutputFiles,
    settings: Callable[[], Settings],
) -> Telling:
    """With what the store has still to tell. Its readers are opened for each question, as they are asked in threads."""

    def succeeded(job_id: str, since: float, until: float) -> bool:
        with Reader(state_dir) as past:
            return past.succeeded(job_id, since, until)

    def day(jobs: Iterable[Job], since: float, until: float, tz: str) -> Mapping[str, Any]:
        with Reader(state_dir) as past:
            return facts_of_day(past, jobs, since, until, tz)

    opened = await store.open_notices()
    secrets = Secrets(lambda: settings().secrets)
    return Telling(opened, cursors, settings, secrets, renderer(config_dir), outputs, succeeded, day)
