"""A crontab as job files: what each line means to Debian's cron, said in our words.

Rule: faithful, or said. What cron would do and we do not becomes a remark with its line, never a silent change. Pure.

What is taken over: five fields and @nicknames, names and ranges as cron reads them; settings of the environment for the
lines that follow them; SHELL; HOME as the folder to start in; `%` as a new line and what follows the first as standard
input; CRON_TZ and RANDOM_DELAY as in cronie; the user of a system crontab. Cron makes up for nothing that it missed, so
each schedule says `catch_up: none`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sshsched.config.folder import JOB_WORD
from sshsched.config.programs import ENV_NAME
from sshsched.config.templates import is_template
from sshsched.kinds.schedules.cron import cron
from sshsched.kinds.schedules.reboot import Reboot

_SETTING: Final = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^\s="']+))\s*=\s*(.*?)\s*""", re.DOTALL)
_NICKNAME: Final = re.compile(r"\s*(@\w+)\s+(.*)", re.DOTALL)
_FIELDS: Final = re.compile(r"\s*((?:\S+\s+){4}\S+)\s+(.*)", re.DOTALL)
_HEADER: Final = re.compile(r"#\s*(?:m\s+h|minute\s+hour)\b")  # what many crontabs begin with
_USER: Final = re.compile(r"(\S+)\s+(.*)", re.DOTALL)
_SH: Final = ("/bin/sh", "sh")
_STRANGE: Final = re.compile(r"[^\w./+@-]")
_DULL: Final = {
    *("cd", "sh", "sleep", "test", "if", "then", "export", "exec", "env"),
    *("sudo", "nice", "ionice", "nohup", "timeout", "time", "flock", "chronic"),
}
"""Words that begin a command and say nothing of it."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody should know of a line; a line that is `lost` has become no job."""

    line: int
    text: str
    lost: bool = False


@dataclass(slots=True)
class Crontab:
    """Jobs by name, as a job file has them, and what there is to say."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)


@dataclass(slots=True)
class _Settings:
    """What the lines so far have set."""

    env: dict[str, str] = field(default_factory=dict)
    shell: str = _SH[0]
    home: str | None = None
    tz: str | None = None
    jitter: int = 0


def read_crontab(text: str, *, host: str, tz: str | None = None, system: bool = False) -> Crontab:
    """The jobs of a crontab of this host, whose clock is in this zone; a system crontab names users.

    `tz` of None leaves the zone open: then times are meant in the zone of the scheduler.
    """
    found = Crontab()
    settings = _Settings(tz=tz)
    comment = ""
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            comment = "" if _HEADER.match(bare) else bare.lstrip("# ").strip()
        elif match := _SETTING.fullmatch(line):
            name = next(part for part in match.groups()[:3] if part is not None)
            found.remarks += _set(settings, name, _unquoted(match[4]), number)
        else:
            _add(found, _Line(number, line, comment), settings, host, system)
            comment = ""
    return found


def _unquoted(value: str) -> str:
    """Cron takes off one pair of quotes around the whole, and expands nothing."""
    return value[1:-1] if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0] else value


def _set(settings: _Settings, name: str, value: str, line: int) -> Iterator[Remark]:
    if name == "SHELL":
        settings.shell = value
    elif name == "HOME":
        settings.home, settings.env["HOME"] = value, value
    elif name == "CRON_TZ":
        settings.tz = value or settings.tz
    elif name == "RANDOM_DELAY" and value.isdecimal():
        settings.jitter = int(value)
    elif name in ("MAILTO", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING"):
        if name == "MAILTO" and value:
            yield Remark(line, f"MAILTO={value}: nothing is mailed; the output is kept, see `sshsched output RUN`")
    elif name in ("LOGNAME", "USER"):
        yield Remark(line, f"{name}: cron does not let it be set; left out")
    elif not re.fullmatch(ENV_NAME, name):
        yield Remark(line, f"{name[:60]!r}: cannot be the name of a variable here; left out")
    else:
        settings.env[name] = value


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    comment: str


def _add(found: Crontab, line: _Line, settings: _Settings, host: str, system: bool) -> None:
    match = _NICKNAME.fullmatch(line.text) or _FIELDS.fullmatch(line.text)
    rest = match[2] if match else ""
    user = None
    if match and system:
        named = _USER.fullmatch(rest)
        user, rest = (named[1], named[2]) if named else (None, "")
    if not match or not rest.strip():
        found.remarks.append(Remark(line.number, f"no line of a crontab: {line.text.strip()[:60]!r}", lost=True))
        return
    expression = " ".join(match[1].split())
    try:
        schedule = cron(expression, settings.tz or "UTC")
    except ValueError as error:
        found.remarks.append(Remark(line.number, f"not taken over: {error}", lost=True))
        return
    if isinstance(schedule, Reboot):
        found.remarks.append(
            Remark(
                line.number, "@reboot: here it means the first start of the scheduler after its own machine has booted"
            )
        )
    job = _job(rest, settings, expression, host, user)
    if line.comment:
        job["metadata"] = {"description": line.comment}
    found.jobs[_name(rest, found.jobs)] = job


def _job(text: str, settings: _Settings, expression: str, host: str, user: str | None) -> dict[str, Any]:
    command, stdin = split_percent(text)
    timed: dict[str, Any] = {"cron": expression}
    if settings.tz is not None:
        timed["tz"] = settings.tz
    if settings.jitter:
        timed["jitter"] = f"{settings.jitter}m"
    job: dict[str, Any] = {"host": host, "schedule": {**timed, "catch_up": "none"}}
    if settings.shell in _SH:
        job["command"] = _raw(command)
    else:
        job["argv"] = [_raw(settings.shell), "-c", _raw(command)]
    if settings.env:
        job["env"] = {name: _raw(value) for name, value in settings.env.items()}
    if settings.home is not None:
        job["cwd"] = _raw(settings.home)
    if stdin is not None:
        job["stdin"] = _raw(stdin)
    if user is not None:
        job["user"] = user
    return job


def split_percent(text: str) -> tuple[str, str | None]:
    """A command and its standard input: the first `%` ends the command, later ones are new lines, `\\%` is a plain %.

    As cron reads it: in the command any character after a backslash has lost its meaning, the backslash stays unless
    that was a %, and input that does not end with a new line gets one.
    """
    match = re.match(r"(?:[^%\\]|\\.|\\$)*", text, re.DOTALL)
    end = match.end() if match else 0
    command = re.sub(r"\\(.)", lambda pair: "%" if pair[1] == "%" else pair[0], text[:end], flags=re.DOTALL)
    if end == len(text):
        return command, None
    given = re.sub(r"\\%|%", lambda found: "\n" if found[0] == "%" else "%", text[end + 1 :])
    return command, given if given.endswith("\n") or not given else f"{given}\n"


def _raw(text: str) -> str:
    """A text whose braces are meant as they are."""
    return f"{{% raw %}}{text}{{% endraw %}}" if is_template(text) else text


def _name(command: str, taken: dict[str, Any]) -> str:
    """The first word of the command that names a program; with a number if there is such a job."""
    words = (word.rpartition("/")[2] for word in command.split() if not re.match(r"\w+=|\W*$|[-(\[{!\d]", word))
    bare = next((_STRANGE.sub("", word).strip(".+@-") for word in words if word not in _DULL), "")
    name = bare if re.fullmatch(JOB_WORD, bare) else "job"
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(each for each in numbered if each not in taken)
