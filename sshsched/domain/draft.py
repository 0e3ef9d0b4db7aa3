"""A run that is to be made, and everything that can be wrong with it before any host is asked.

Rule: what would break later is refused here, so the API, the command line and job files all refuse the same things.
Each problem is `(path, message)`; the path is that of the JSON shape, such as `program.env`.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sshsched.domain.model import START_WITHIN
from sshsched.domain.plan import NO_PLAN, Plan
from sshsched.domain.program import Program
from sshsched.domain.sound import plan_flaws, seconds_flaw

Flaw = tuple[str, str]

HOST_NAME = r"[A-Za-z0-9._@:%+][A-Za-z0-9._@:%+-]*"
"""What may stand where a host or @GROUP is named: nothing that ssh could take for an option."""
ASKED = re.compile(rf"tags:[^\s,]+(?:,[^\s,]+)*|(?!tags:){HOST_NAME}")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
UMASK = re.compile(r"0?[0-7]{1,3}")
RESERVED = "SSHSCHED_"
LONGEST_WORD = 128 * 1024 - 1
"""Bytes of an argument, or of NAME=VALUE in an environment: the MAX_ARG_STRLEN of Linux, without its end mark."""
LATEST = 253_402_300_800  # the end of the year 9999, the last that a date can show
SIGNALS = {each.name.removeprefix("SIG"): int(each) for each in signal.Signals if not each.name.startswith("SIGRT")}


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a run is made of, before it has an id. `host` is a host, @GROUP or tags:A,B; empty in a root run."""

    host: str
    program: Program
    job_id: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    by: str = ""
    rerun_of: int | None = None
    attempt: int = 1
    root: int | None = None
    step: str = ""
    plan: Plan = NO_PLAN
    schedule_time: float | None = None
    start_within: float = START_WITHIN
    stop_rule: str = ""


def draft_flaws(draft: Draft) -> Iterator[Flaw]:
    """Everything that is wrong with a draft."""
    if draft.plan.flow is None:
        if message := host_flaw(draft.host):
            yield "host", message
        yield from program_flaws(draft.program)
    if draft.job_id is not None:
        yield from _text("job", draft.job_id, empty=False)
    for name, value in draft.args.items():
        if not NAME.fullmatch(name):
            yield "args", f"{name!r} cannot be the name of an argument; use letters, digits and _"
        yield from _word(f"args.{name}", value, f"SSHSCHED_ARG_{name}=")
    for label in draft.labels:
        yield from _text("labels", label, empty=False)
    yield from _text("by", draft.by)
    if draft.schedule_time is not None and not 0 <= draft.schedule_time < LATEST:
        yield "schedule_time", "lies before 1970 or after 9999"
    yield from _seconds("start_within", draft.start_within)
    if draft.plan is not NO_PLAN:
        yield from plan_flaws(draft.plan)


def program_flaws(program: Program, at: str = "program") -> Iterator[Flaw]:
    """Everything that is wrong with a program; `at` goes before each path."""
    yield from _what_to_run(program, at)
    for name, value in program.env.items():
        if message := env_name_flaw(name):
            yield f"{at}.env", message
        yield from _word(f"{at}.env.{name}", value, f"{name}=")
    if program.cwd is not None:
        yield from _text(f"{at}.cwd", program.cwd, empty=False)
    if program.stdin is not None:
        yield from _text(f"{at}.stdin", program.stdin)
    if program.umask is not None and not UMASK.fullmatch(program.umask):
        yield f"{at}.umask", f"{program.umask!r} is no umask; write octal text such as '022'"
    if program.user is not None:
        yield from _user(f"{at}.user", program.user)
    if signal_name(program.stop.signal) is None:
        yield f"{at}.stop.signal", f"no signal is called {program.stop.signal!r}; write TERM, INT, HUP or a number"
    yield from _seconds(f"{at}.stop.grace", program.stop.grace)
    yield from _seconds(f"{at}.timeout", program.timeout)
    yield from _seconds(f"{at}.abandon_after", program.abandon_after)
    if not program.accept or any(not 0 <= code <= 255 for code in program.accept):
        yield f"{at}.accept", "exit codes are one or more numbers from 0 to 255"


def host_flaw(name: str) -> str | None:
    """What is wrong with the name of a host, @GROUP or tags:A,B; None if nothing is."""
    if ASKED.fullmatch(name):
        return None
    return f"{name!r} cannot be the name of a host; letters, digits and . _ @ : % + - can, but no - comes first"


def env_name_flaw(name: str) -> str | None:
    """What is wrong with the name of an environment variable; None if nothing is."""
    if not NAME.fullmatch(name):
        return f"{name!r} cannot be the name of a variable; use letters, digits and _, no digit first"
    if name.startswith(RESERVED):
        return f"{name}: names that begin with {RESERVED} are set by sshsched itself; choose another"
    return None


def signal_name(text: str) -> str | None:
    """TERM for TERM, sigterm or 15; None if there is no such signal.

    Real-time signals are left out: not every sh knows their names.
    """
    bare = text.upper().removeprefix("SIG")
    if bare in SIGNALS:
        return bare
    return next((name for name, number in SIGNALS.items() if str(number) == bare), None)


def text_flaw(value: str) -> str | None:
    """Why this text cannot be handed to a program or stored; None if it can."""
    if "\0" in value:
        return "holds a NUL byte, which no program can be given; remove it"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    return None


def length_flaw(word: str) -> str | None:
    """Why this word is too long for any program; None if it is not. Of a variable, NAME=VALUE is the word."""
    if len(word) <= LONGEST_WORD // 4:  # no character takes more than four bytes
        return None
    size = len(word.encode())
    if size <= LONGEST_WORD:
        return None
    return f"takes {size} bytes, and Linux hands over {LONGEST_WORD} at most"


def _what_to_run(program: Program, at: str) -> Iterator[Flaw]:
    if (program.command is None) == (not program.argv):
        yield at, "give exactly one of command (text for sh -c) and argv (a list)"
    if program.command is not None:
        yield from _word(f"{at}.command", program.command, empty=False)
    for index, word in enumerate(program.argv):
        yield from _word(f"{at}.argv[{index}]", word, empty=index > 0)


def _word(at: str, value: str, before: str = "", *, empty: bool = True) -> Iterator[Flaw]:
    """A text that is handed to a program as one word, after `before`."""
    flaws = list(_text(at, value, empty=empty))
    yield from flaws
    if not flaws and (message := length_flaw(before + value)):
        yield at, f"{message}; hand it over by `stdin`"


def _text(at: str, value: str, *, empty: bool = True) -> Iterator[Flaw]:
    if message := text_flaw(value):
        yield at, message
    elif not empty and not value.strip():
        yield at, "is empty"


def _user(at: str, name: str) -> Iterator[Flaw]:
    yield from _text(at, name, empty=False)
    if name.startswith("-") or ":" in name or any(char.isspace() for char in name):
        yield at, f"{name!r} cannot be the name of a user"


def _seconds(at: str, value: float | None) -> Iterator[Flaw]:
    if value is not None and (message := seconds_flaw(value)):
        yield at, message
