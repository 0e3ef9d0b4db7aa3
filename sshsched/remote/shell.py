"""One control shell: requests go in, many at a time; answers come out in their order.

Rule: when anything is out of order the shell is finished, and every open request with it: what they did is found out by
looking, over a new one.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Sequence

from sshsched.errors import HostError, LinkLostError, NoShellError, SilentShellError
from sshsched.remote import script
from sshsched.remote.answers import Answer, AnswerError, End, Framer
from sshsched.remote.transport import Channel

CHUNK = 256 * 1024
CUT = "the connection was lost"  # what is said where nobody said anything
NOISE = 64 * 1024
GREETING_WITHIN = 20.0
TIMED = 20  # requests whose times are remembered
ANSWER_WITHIN = 90.0
LONGEST_ANSWER = 256 * 1024 * 1024  # bytes; some hundred outputs at once are far less


async def greet(host: str, channel: Channel, within: float = GREETING_WITHIN) -> bytes:
    """Wait until a shell answers, whatever rc files print before. Returns what came behind the greeting.

    Raises NoShellError with what the host said instead, SilentShellError if it said nothing of use in time.
    """
    nonce = secrets.token_hex(16)
    channel.write(script.greeting(nonce).encode())
    heard = b""
    mark = nonce.encode() + b"\n"
    try:
        async with asyncio.timeout(within):
            while mark not in heard:
                data = await channel.read(CHUNK)
                heard += data
                if not data or (len(heard) > NOISE and mark not in heard):
                    raise NoShellError(host, *_why_no_shell(heard, channel.errors(), ended=not data))
    except TimeoutError:
        why = "/bin/sh did not answer; does an rc file there read its input or wait for something?"
        raise SilentShellError(host, why, _evidence(heard, channel.errors())) from None
    return heard.partition(mark)[2]


def _why_no_shell(heard: bytes, errors: str, *, ended: bool) -> tuple[str, str]:
    evidence = _evidence(heard, errors)
    said = f"; it said: {evidence}" if evidence else "; it said nothing"
    if not ended:
        return "prints without end at login; silence its rc files for commands" + said, evidence
    why = "logged in, but no /bin/sh answered (a forced command, nologin, or an rc file that exits)"
    return why + said, evidence


def _evidence(heard: bytes, errors: str) -> str:
    text = (errors + "\n" + heard.decode("utf-8", "replace")).strip()
    return " / ".join(line.strip() for line in text.splitlines() if line.strip())[-300:]


class Shell:
    """A shell that has been greeted. Must be used on one event loop."""

    def __init__(self, host: str, channel: Channel, ahead: bytes = b"") -> None:
        self._host = host
        self._channel = channel
        self._ahead = ahead
        self._framer = Framer()
        self._pending: deque[tuple[int, Answer, asyncio.Future[None] | None]] = deque()
        self._sent = 0
        self._problem = ""
        self._times: deque[float] = deque(maxlen=TIMED)
        self._heard = time.monotonic()
        self._reader = asyncio.create_task(self._read(), name=f"answers of {host}")

    async def ask(self, call: str, within: float = ANSWER_WITHIN) -> Answer:
        """Send a call and wait for its answer. Raises LinkLostError when no answer will come any more.

        `within` seconds may pass in silence; an answer that comes slowly is waited for.
        """
        return (await self.ask_all([call], within))[0]

    async def ask_all(self, calls: Sequence[str], within: float = ANSWER_WITHIN) -> list[Answer]:
        """Send these calls together, each of them a request of its own, and wait for their answers."""
        if self._problem:
            raise LinkLostError(self._host, self._problem)
        text = "".join(script.request(number, call) for number, call in enumerate(calls, self._sent + 1))
        data = text.encode("utf-8", "surrogateescape")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        answers = [Answer() for _ in calls]
        for answer in answers:
            self._sent += 1
            self._pending.append((self._sent, answer, done if answer is answers[-1] else None))
        began = time.monotonic()
        self._channel.write(data)
        try:
            async with asyncio.timeout(within):
                await self._channel.drain()
            await self._answered(done, began, within)
            self._times.append(time.monotonic() - began)
            return answers
        except TimeoutError:
            self._finish(f"its shell has said nothing for {within:g} s")
            raise LinkLostError(self._host, self._problem) from None
        except (OSError, HostError) as error:
            self._finish(str(error))
            raise LinkLostError(self._host, self._problem) from None
        finally:
            done.cancel()

    async def _answered(self, done: asyncio.Future[None], began: float, within: float) -> None:
        """Wait for it as long as anything is heard: megabytes may take minutes on a slow line."""
        while not done.done():
            left = max(began, self._heard) + within - time.monotonic()
            if left <= 0:
                raise TimeoutError
            await asyncio.wait([done], timeout=left)
        done.result()

    @property
    def latency(self) -> float | None:
        """Seconds to an answer: the shortest of the last requests, as the others did more; None before the first."""
        return min(self._times, default=None)

    @property
    def problem(self) -> str:
        """Why it is finished; empty while it is not."""
        return self._problem

    async def closed(self) -> None:
        """Returns when the shell is finished, for whatever reason."""
        await asyncio.wait([self._reader])

    def close(self) -> None:
        """Finish it now; open requests end with LinkLostError."""
        self._finish("closed")
        self._reader.cancel()

    async def _read(self) -> None:
        data, why = self._ahead, CUT
        heard = 0
        try:
            while True:
                heard += len(data)
                if heard > LONGEST_ANSWER:
                    raise AnswerError("an answer without end")
                for item in self._framer.feed(data):
                    number, answer, future = self._pending[0] if self._pending else (0, Answer(), None)
                    if not isinstance(item, End):
                        answer.add(item)
                    elif item.number != number:
                        raise AnswerError("answers came out of order")
                    else:
                        self._pending.popleft()
                        heard = 0
                        if future is not None and not future.done():
                            future.set_result(None)
                data = await self._channel.read(CHUNK)
                self._heard = time.monotonic()
                if not data:
                    break
        except AnswerError as error:
            why = str(error)
        finally:
            self._finish(why)

    def _finish(self, why: str) -> None:
        said = self._channel.errors().strip()
        self._problem = self._problem or (f"{why}; the host said: {said[-300:]}" if said else why)
        self._channel.close()
        while self._pending:
            *_, future = self._pending.popleft()
            if future is not None and not future.done():
                future.set_exception(LinkLostError(self._host, self._problem))
