"""`exec`: a command on the scheduler's own machine, with the run as JSON on its standard input.

Rule: what is told goes in by standard input and environment, never into the text of the command, so that no name of a
run or of a host can mean something to the shell.
"""

from __future__ import annotations

import json
from typing import Annotated

from msgspec import Meta

from sshsched.domain.instructions import Notice
from sshsched.kinds.actions.base import Action, Command, Means
from sshsched.kinds.actions.facts import shape_of
from sshsched.kinds.written import Seconds

TIMEOUT = 60.0


class Exec(Action, frozen=True):
    """A command where the scheduler runs."""

    command: Annotated[str, Meta(min_length=1, description="text for sh -c; any exit code but 0 is a problem")]
    timeout: Annotated[Seconds, Meta(description="it is ended after so long, which is a problem too")] = TIMEOUT

    async def deliver(self, notice: Notice, means: Means) -> None:
        env = {
            "SSHSCHED_NOTICE": notice.id,
            "SSHSCHED_OCCASION": notice.occasion,
            "SSHSCHED_RUN": "" if notice.run_id is None else f"r{notice.run_id}",
            "SSHSCHED_JOB": notice.job_id or "",
        }
        await means.command(Command(self.command, json.dumps(shape_of(notice)).encode(), self.timeout, env))

    @property
    def limit(self) -> float:
        return self.timeout + 10.0

    @property
    def route(self) -> str:
        return f"exec {self.command}"
