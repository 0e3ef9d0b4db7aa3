"""What steps of workflows hand on: found in the output that is kept here, once all of it has come.

Rule: what cannot be found is said, and the workflow goes on. Only a store that cannot be read just now is waited for.
A regular expression that would take for ever is given up, and nobody else waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from sshsched.domain.events import Event, Extracted
from sshsched.domain.handing import MOST_OUTPUT, extracted
from sshsched.domain.instructions import Extract
from sshsched.errors import StoreBusyError, StoreError

AGAIN = 1.0  # seconds
LIMIT = 2.0  # seconds of computing for one regular expression


class Outputs(Protocol):
    """Where output is kept. Its methods block, and are called in threads."""

    def read(self, run_id: int, stream: Any, offset: int, size: int) -> bytes: ...
    def size(self, run_id: int, stream: Any) -> int: ...


class Values:
    """`find()` what is wanted; `run()` does it for ever, one after the other, and posts what was found."""

    def __init__(self, outputs: Outputs, post: Callable[[Event], None], clock: Callable[[], float]) -> None:
        self._outputs = outputs
        self._post = post
        self._clock = clock
        self._wanted: asyncio.Queue[Extract] = asyncio.Queue()

    def find(self, wanted: Extract) -> None:
        """Find it soon."""
        self._wanted.put_nowait(wanted)

    async def run(self) -> None:
        while True:
            wanted = await self._wanted.get()
            values, missing = await self._found(wanted)
            self._post(Extracted(self._clock(), wanted.run.root or 0, wanted.run.id, values, missing))

    async def _found(self, wanted: Extract) -> tuple[dict[str, str], tuple[str, ...]]:
        while True:
            try:
                return await asyncio.to_thread(self._look, wanted)
            except StoreBusyError:
                await asyncio.sleep(AGAIN)
            except StoreError as error:
                return {}, (f"outputs: {error}",)

    def _look(self, wanted: Extract) -> tuple[dict[str, str], tuple[str, ...]]:
        number = wanted.run.id
        begin = max(0, self._outputs.size(number, "stdout") - MOST_OUTPUT)
        return extracted(wanted.outputs, self._outputs.read(number, "stdout", begin, MOST_OUTPUT), search)


def search(expression: str, text: str) -> str | None:
    """What a regular expression finds in the lines of a text: its first group, or all of it; None if nothing.

    Raises ValueError if that takes too long. Other threads go on meanwhile.
    """
    import regex  # which can give up, as the standard library's cannot; only steps that hand something on pay for it

    try:
        match = regex.search(expression, text, regex.MULTILINE, timeout=LIMIT)
    except TimeoutError:
        raise ValueError(f"{expression} was given up after {LIMIT:g} s; write it without nested repeats") from None
    except regex.error as error:
        raise ValueError(f"{expression} is no regular expression: {error}") from None
    return None if match is None else (match[1] if match.re.groups else match[0]) or ""
