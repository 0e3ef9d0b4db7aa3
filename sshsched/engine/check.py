"""`hosts check`: connect, probe, and say of each fact what it means and how to mend it.

Rule: it disturbs no run and no link, and says "unknown" where the host could not tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sshsched.domain.hosts import LOCAL, Host
from sshsched.domain.shape import Shape
from sshsched.errors import HostError, UnusableError
from sshsched.remote import script
from sshsched.remote.answers import AnswerError, Hello, parse_hello
from sshsched.remote.shell import Shell, greet
from sshsched.remote.target import ignored_options
from sshsched.remote.transport import Channel, Connection, Transport

Verdict = Literal["ok", "note", "warning"]
SESSIONS_NEEDED = 3
LITTLE_SPACE = 100 * 1024 * 1024
CLOCK_OFF = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact of a host, what it means for runs, and how to mend it if it should be mended."""

    what: str
    value: str
    verdict: Verdict
    meaning: str
    mend: str = ""


async def check(host: Host, transport: Transport, instance: str, clock: Callable[[], float]) -> Shape:
    """All findings about a host. Raises HostError where it cannot be talked to at all."""
    connection = await transport.connect()
    try:
        channel = await connection.open()
        shell = Shell(host.name, channel, await greet(host.name, channel))
        answer = await shell.ask(script.examine(host.spool, instance, host.name))
        now = clock()
        try:
            hello = parse_hello(answer)
        except AnswerError as error:
            raise UnusableError(host.name, str(error)) from error
        more = dict(_pair(line[len("more ") :]) for line in answer.told if line.startswith("more "))
        sessions = 1 + await _more_sessions(connection)
        shell.close()
    finally:
        connection.close()
    findings = [*_shell(hello, more), *_spool(hello, more), *_watching(hello, more), *_limits(more, sessions)]
    findings += [*_clock(more, now), *_ignored(host)]
    return {
        "host": host.name,
        "system": more.get("system", ""),
        "user": more.get("user", ""),
        "findings": [asdict(one) for one in findings],
    }


def _pair(line: str) -> tuple[str, str]:
    key, _, value = line.partition(" ")
    return key, value.strip()


async def _more_sessions(connection: Connection) -> int:
    """How many more of the channels that we need at most the host would open."""
    channels: list[Channel] = []
    try:
        async with asyncio.timeout(10):
            while len(channels) + 1 < SESSIONS_NEEDED:
                channels.append(await connection.open())
    except (HostError, TimeoutError):
        pass
    for channel in channels:
        channel.close()
    return len(channels)


def _shell(hello: Hello, more: dict[str, str]) -> Iterator[Finding]:
    yield Finding("shell", more.get("shell") or "unknown", "ok", "/bin/sh is what starts and watches programs")
    yield Finding("login shell", more.get("login") or "unknown", "ok", "any will do: programs do not run in it")
    tools = more.get("tail", "")
    yield Finding("tools", tools or "unknown", "ok", "coreutils and busybox will do")
    if hello.setsid == "wait":
        yield Finding(
            "setsid", "util-linux", "ok", "programs get a session of their own, and signals are told from exit codes"
        )
    elif hello.setsid == "plain":
        meaning = (
            "programs get a session of their own; exit codes above 128 may be signals, and are marked as uncertain"
        )
        yield Finding("setsid", "without -w", "note", meaning, "install util-linux' setsid to have them told apart")
    else:
        meaning = (
            "programs may share a session with our shell, and may ignore Ctrl-C; signals cannot be told from exit codes"
        )
        yield Finding("setsid", "missing", "warning", meaning, "install util-linux or a busybox with setsid")
    if hello.ignored_signals.strip("0") and not hello.resets_signals:
        meaning = f"programs inherit ignored signals (mask {hello.ignored_signals})"
        yield Finding("signals", "ignored", "warning", meaning, "find the `trap ''` in the login shell's rc files")
    peak = "GNU time tells it" if hello.time else "unknown after a run"
    yield Finding(
        "peak memory", peak, "ok" if hello.time else "note", "of programs", "" if hello.time else "install time"
    )


def _spool(hello: Hello, more: dict[str, str]) -> Iterator[Finding]:
    kind = more.get("type", "")
    shared = kind.startswith(("nfs", "smb", "cifs"))
    mend = "set `spool:` of this host to a local folder" if shared else ""
    meaning = "a network file system: journal lines may mix, so ends of programs may be noticed late" if shared else ""
    yield Finding(
        "spool",
        f"{hello.spool} ({kind or 'unknown'})",
        "warning" if shared else "ok",
        meaning or "where outputs and outcomes wait",
        mend,
    )
    kib = int(more["free"]) if more.get("free", "").isdigit() else None
    free = "unknown" if kib is None else f"{kib // 1024} MiB"
    little = kib is not None and kib * 1024 < LITTLE_SPACE
    yield Finding(
        "free space",
        free,
        "warning" if little else "ok",
        "outputs are kept there until they are fetched",
        "make room, or set `spool:` of this host" if little else "",
    )


def _watching(hello: Hello, more: dict[str, str]) -> Iterator[Finding]:
    gnu = "GNU" in more.get("tail", "")
    meaning = "the end of a program is seen at once" if gnu else "the end of a program is seen within about a second"
    yield Finding("journal", "inotify" if gnu else "polling", "ok" if gnu else "note", meaning)
    if not hello.proc:
        meaning = (
            "process identities come from ps, and strays of a stopped program cannot be found by their environment"
        )
        yield Finding("/proc", "missing", "warning", meaning)
    kill = more.get("kill", "")
    if ("true" in kill or "yes" in kill) and not more.get("linger"):
        meaning = "logind kills detached programs when the last login of this user ends"
        mend = f"loginctl enable-linger {more.get('user', 'USER')}, or KillUserProcesses=no in logind.conf"
        yield Finding("KillUserProcesses", "yes", "warning", meaning, mend)
    else:
        yield Finding("KillUserProcesses", "no" if kill else "unknown", "ok", "detached programs outlive the login")


def _limits(more: dict[str, str], sessions: int) -> Iterator[Finding]:
    enough = sessions >= SESSIONS_NEEDED
    yield Finding(
        "sessions",
        f"{sessions} or more" if enough else str(sessions),
        "ok" if enough else "note",
        "one for requests, one for the journal, one for long outputs",
        "" if enough else f"raise MaxSessions in sshd_config to {SESSIONS_NEEDED} or more; until then they share",
    )
    sudo = bool(more.get("sudo"))
    yield Finding("sudo -n", "yes" if sudo else "no", "ok", "needed only for programs with `user:`")


def _clock(more: dict[str, str], now: float) -> Iterator[Finding]:
    try:
        off = float(more.get("clock", "").removesuffix(".N").removesuffix(".%N")) - now
    except ValueError:
        yield Finding("clock", "unknown", "note", "its difference to ours could not be told")
        return
    verdict: Verdict = "note" if abs(off) > CLOCK_OFF else "ok"
    meaning = "our times do not depend on the host's clock; those in its own logs do"
    yield Finding(
        "clock",
        f"{round(off, 1) or 0.0:+.1f} s",
        verdict,
        meaning,
        "run an NTP client on the host" if verdict != "ok" else "",
    )


def _ignored(host: Host) -> Iterator[Finding]:
    if host.name == LOCAL:
        return
    options: list[Any] = list(ignored_options(host))
    for option in options:
        where = f"{option.file}:{option.line}"
        yield Finding("ssh_config", f"{option.keyword} {option.value} ({where})", "note", option.note)
