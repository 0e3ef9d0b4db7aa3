"""What hosts answer: bytes into lines, data and ends; lines into reports.

Rule: pure, and nothing that a host says raises anything but AnswerError.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sshsched.domain.events import Claim, Report
from sshsched.domain.model import Cause, Outcome, Stream

TICKS = 100  # USER_HZ: what Linux counts start times in for all to see, whatever its own clock does
LONGEST_LINE = 64 * 1024
LONGEST_DATA = 16 * 1024 * 1024  # more than is ever asked for


class AnswerError(ValueError):
    """The stream of answers is not one: the link that brought it is of no more use."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an answer; `told` are those behind a bar, the others are what tools complained of."""

    text: str
    told: bool


@dataclass(frozen=True, slots=True)
class Data:
    """A piece of output, byte for byte; `size` is that of the whole file when it was read."""

    stream: Stream
    name: str
    offset: int
    size: int
    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The answer to the request of this number is complete."""

    number: int


Item = Line | Data | End
_HEAD = re.compile(rb"=(stdout|stderr) (\S+) (\d{1,18}) (\d{1,18}) (\d{1,18})")
_END = re.compile(rb"\.(\d{1,18})")


class Framer:
    """Cuts the stream of a control shell into items, however the bytes come in."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[bytes, ...] | None = None

    def feed(self, data: bytes) -> Iterator[Item]:
        """All items that are complete now. Raises AnswerError for a line that cannot be one of ours."""
        self._buffer += data
        while (item := self._next()) is not None:
            if item is not _BLANK:
                yield item

    def _next(self) -> Item | None:
        if self._head is not None:
            return self._data(self._head)
        until = self._buffer.find(b"\n")
        if max(until, len(self._buffer) if until < 0 else 0) > LONGEST_LINE:
            raise AnswerError("a line without end")
        if until < 0:
            return None
        line = bytes(self._buffer[:until])
        del self._buffer[: until + 1]
        if not line:
            return _BLANK
        if end := _END.fullmatch(line):
            return End(int(end[1]))
        if head := _HEAD.fullmatch(line):
            if int(head[4]) > LONGEST_DATA:
                raise AnswerError("more output at once than was asked for")
            self._head = head.groups()
            return self._next()
        told = line[:1] == b"|"
        return Line(line[told:].decode("utf-8", "replace"), told)

    def _data(self, head: tuple[bytes, ...]) -> Data | None:
        stream, name, offset, count, size = head
        if len(self._buffer) < int(count):
            return None
        data = bytes(self._buffer[: int(count)])
        del self._buffer[: int(count)]
        self._head = None
        which: Stream = "stdout" if stream == b"stdout" else "stderr"
        return Data(which, name.decode("ascii", "replace"), int(offset), int(size), data)


_BLANK = Line("", False)


@dataclass(slots=True)
class Answer:
    """The whole answer to one request."""

    told: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """What tools complained of: evidence for people."""
    data: list[Data] = field(default_factory=list)

    def add(self, item: Line | Data) -> None:
        """Put an item where it belongs."""
        if isinstance(item, Data):
            self.data.append(item)
        elif item.told:
            self.told.append(item.text)
        else:
            self.said.append(item.text)

    @property
    def evidence(self) -> str:
        return "; ".join(self.said[-5:])[:1000]


@dataclass(frozen=True, slots=True)
class Hello:
    """What a host told of itself when a link came up. What is None or empty it could not tell."""

    spool: str
    boot: str
    uptime: float
    journal: int
    setsid: str = "none"
    time: str = ""
    ignored_signals: str = ""
    resets_signals: bool = False
    proc: bool = False
    runs: tuple[str, ...] = ()


def parse_hello(answer: Answer) -> Hello:
    """Raises AnswerError with the host's own words if it has no usable spool or told too little."""
    facts: dict[str, str] = {}
    runs: list[str] = []
    for line in answer.told:
        key, _, value = line.partition(" ")
        if key == "problem":
            raise AnswerError(f"{value}: {answer.evidence}" if answer.evidence else value)
        if key == "run":
            runs.append(value)
        else:
            facts[key] = value.strip()
    if not all(facts.get(key) for key in ("spool", "boot", "up", "journal")):
        raise AnswerError(answer.evidence or "it did not say where its spool is, nor which boot this is")
    return Hello(
        spool=facts["spool"],
        boot=facts["boot"].replace(" ", "_"),
        uptime=_number(facts["up"]) or 0.0,
        journal=whole(facts["journal"]) or 0,
        setsid=facts.get("setsid", "none"),
        time=facts.get("time", ""),
        ignored_signals=facts.get("ignored", ""),
        resets_signals=bool(facts.get("reset")),
        proc=facts.get("proc") == "yes",
        runs=tuple(runs),
    )


@dataclass(frozen=True, slots=True)
class Clock:
    """From the host's seconds since boot to the scheduler's time. `zero` is the host's boot on our clock."""

    boot: str
    zero: float

    def at_uptime(self, seconds: str) -> float | None:
        """When the host had been up for so long."""
        up = _number(seconds)
        return None if up is None else self.zero + up

    def at_ticks(self, ticks: str) -> float | None:
        """The same in clock ticks, as /proc/PID/stat counts them."""
        born = whole(ticks)
        return None if born is None else self.zero + born / TICKS


def parse_reports(lines: Iterable[str], clock: Clock) -> dict[str, Report]:
    """The reports among these lines, by the names of the spools. Lines of no known kind are passed over."""
    found: dict[str, dict[str, list[str]]] = {}
    facts: dict[str, list[str]] = {}
    for line in lines:
        key, _, value = line.partition(" ")
        if key == "name":
            facts = found.setdefault(value, {})
        else:
            facts.setdefault(key, []).append(value)
    return {name: _report(facts, clock) for name, facts in found.items()}


def started_report(word: str, more: list[str], clock: Clock) -> Report | None:
    """What a journal line `started NAME PID BORN` tells by itself; None for other lines, which ask for a look."""
    pid = whole(more[0]) if word == "started" and len(more) > 1 else None
    if pid is None:
        return None
    return Report(clock.boot, claim=Claim.PROGRAM, pid=pid, started_at=clock.at_ticks(more[1]), alive=True)


def _report(facts: dict[str, list[str]], clock: Clock) -> Report:
    if "gone" in facts:
        return Report(boot=clock.boot, exists=False)
    who, pid, born = (*facts.get("claim", [""])[0].split(" "), "", "", "")[:3]
    started = clock.at_ticks(born)
    claim = {"program": Claim.PROGRAM, "sealed": Claim.SEALED}.get(who, Claim.NONE)
    cause = _cause(facts.get("stop", []))
    stopped = facts.get("stopped", [])
    survivors = stopped[0].split()[1:] if stopped[-1:] == ["end"] else []
    refused = facts.get("refused")
    return Report(
        boot=clock.boot,
        claim=claim,
        pid=whole(pid),
        started_at=started,
        alive="alive" in facts,
        outcome=_outcome(facts.get("status", []), cause, started, clock) if claim is Claim.PROGRAM else None,
        refused=None if refused is None else " ".join(line for line in refused if line)[:1000],
        stopping=cause,
        stop_done=stopped[-1:] == ["end"],
        survivors=tuple(pid for pid in map(whole, survivors) if pid is not None),
    )


def _cause(lines: list[str]) -> Cause | None:
    try:
        return Cause(lines[0].strip()) if lines else None
    except ValueError:
        return Cause.STOP  # a torn word still says that somebody asked


_TIMES = re.compile(r"(?:(\d{1,18})m)?([\d.,]+)s\s+(?:(\d{1,18})m)?([\d.,]+)s", re.ASCII)


_CODES = {"exit": range(256), "maybe": range(129, 256), "signal": range(1, 128)}


def _outcome(lines: list[str], cause: Cause | None, started: float | None, clock: Clock) -> Outcome | None:
    """A status without its end was never finished: it says nothing."""
    if len(lines) < 3 or lines[-1] != "end":
        return None
    how, number, core = (*lines[0].split(" "), "", "", "")[:3]
    code = whole(number)
    if code not in _CODES.get(how, ()):
        return None
    facts = dict(line.split(" ", 1) for line in lines[1:3] if " " in line)
    times = [match for line in lines if (match := _TIMES.fullmatch(line.strip()))]
    user, system = _cpu(times[1]) if len(times) > 1 else (None, None)
    peak = whole(facts.get("peak", "").strip())
    return Outcome(
        exit_code=None if how == "signal" else code,
        signal=code if how == "signal" else None,
        certain=how != "maybe",
        core=how == "signal" and core == "1",
        cause=cause,
        started_at=started,
        ended_at=clock.at_uptime(facts.get("up", "")),
        cpu_user=user,
        cpu_system=system,
        max_rss=None if peak is None else peak * 1024,
        leftover="left" in lines,
    )


def _cpu(match: re.Match[str]) -> tuple[float, float]:
    def seconds(minutes: str | None, rest: str) -> float:
        return round(60 * int(minutes or 0) + (_number(rest.replace(",", ".")) or 0.0), 6)

    return seconds(match[1], match[2]), seconds(match[3], match[4])


@dataclass(frozen=True, slots=True)
class Answered:
    """How a probe ended: its exit code, or None if it was ended because it took too long; and what it printed."""

    code: int | None
    said: str


def parse_answered(lines: Iterable[str]) -> Answered | None:
    """The answer of a probe; None if there is none, or none that is whole."""
    said = [value for key, _, value in (line.partition(" ") for line in lines) if key == "probed"]
    if not said:
        return None
    code = whole(said[0])
    if code is None and said[0] != "limit":
        return None
    return Answered(code, " ".join(" ".join(said[1:]).split()))


def whole(text: str) -> int | None:
    """Only what can be nothing but a number of ours: int() takes other scripts' digits, and fails for very many."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < 1e15 else None
