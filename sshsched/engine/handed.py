"""The secrets that programs have been handed, for as long as their output may hold them.

Rule: what is masked is what a program was given, also when it has been changed since where it is kept. After a restart
it is looked up again; what cannot be found then holds back the run's output, and never its outcome.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from sshsched.domain.model import Run
from sshsched.engine.masking import NO_MASK, Mask
from sshsched.errors import SecretError

log = logging.getLogger("sshsched")

Find = Callable[[Run], Awaitable[Mapping[str, str]]]


class Handed:
    """`find` gives the variables of a run that are secrets; it raises SecretError."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._known: dict[int, tuple[Mapping[str, str], Mask]] = {}
        self._complained: set[int] = set()

    async def secrets(self, run: Run) -> Mapping[str, str]:
        """What the program is handed. Raises SecretError."""
        return (await self._of(run))[0]

    async def mask(self, run: Run) -> Mask | None:
        """What hides them; None, and once a word in the log, where they cannot be found."""
        try:
            return (await self._of(run))[1]
        except SecretError as error:
            if run.id not in self._complained:
                self._complained.add(run.id)
                log.warning("%s: its output is kept back, because its secrets cannot be masked: %s", run.name, error)
            return None

    async def _of(self, run: Run) -> tuple[Mapping[str, str], Mask]:
        if not run.plan.secrets:
            return {}, NO_MASK
        if run.id not in self._known:
            found = await self._find(run)
            self._known[run.id] = found, Mask(found.values())
        return self._known[run.id]

    def forget(self, run_id: int) -> None:
        """Nothing of this run comes any more."""
        self._known.pop(run_id, None)
        self._complained.discard(run_id)


async def no_secrets(run: Run) -> Mapping[str, str]:
    """For a scheduler that knows none."""
    raise SecretError(f"{run.name} wants secrets, and this scheduler has none")
