"""Reads ssh_config the way ssh does: which settings apply to a host, and which line says so. See ssh_config(5).

Rule: this module knows lines, blocks and conditions; what a keyword means is known in `target.py`.

We read it ourselves because asyncssh gives no line numbers, ends a `Host` block at an `Include`, and turns host key
checks off for `UserKnownHostsFile none`.
"""

from __future__ import annotations

import os
import pwd
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from sshsched.errors import HostConfigError
from sshsched.remote.patterns import matches_any

_MAX_DEPTH = 16  # of Include, as in ssh
_EXEC_LIMIT = 10.0  # seconds for a `Match exec`
_WORD = re.compile(r""" "((?:[^"\\]|\\.)*)" | '([^']*)' | (\#.*) | ((?:[^\s"'\\]|\\.)+) """, re.VERBOSE)
_KEYWORD = re.compile(r"\s*([^\s=]+)(?:\s*=\s*|\s+|$)(.*)", re.DOTALL)
_RAW = frozenset({"proxycommand", "remotecommand", "localcommand", "knownhostscommand"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One line that applies. `keyword` as it was written."""

    keyword: str
    args: tuple[str, ...]
    file: Path
    line: int

    @property
    def value(self) -> str:
        return " ".join(self.args)

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Paths:
    """Where ssh's files are. `known_hosts` overrides what ssh_config says about them."""

    user: Path | None
    system: Path | None
    known_hosts: tuple[Path, ...] = ()
    explicit: bool = False
    """Somebody named the user file: it must exist, and its mode is their affair, as with `ssh -F`."""

    @classmethod
    def default(cls, environ: Mapping[str, str] = os.environ) -> Paths:
        """~/.ssh/config and /etc/ssh/ssh_config, or only the file that SSHSCHED_SSH_CONFIG names."""
        if named := environ.get("SSHSCHED_SSH_CONFIG"):
            return cls(Path(named), None, explicit=True)
        return cls(Path.home() / ".ssh/config", Path("/etc/ssh/ssh_config"))


@dataclass
class Settings:
    """What applies to one host. `given` are values that win over all files, by lower-case keyword."""

    host: str
    alias: str
    given: Mapping[str, str]
    applied: list[Setting] = field(default_factory=list)
    odd: list[Setting] = field(default_factory=list)
    """Conditions that nobody here can judge; they count as not met."""
    wants_final: bool = False

    def first(self, keyword: str) -> Setting | None:
        """The line that counts for a keyword of one value: the first one."""
        return next(iter(self.all(keyword)), None)

    def all(self, keyword: str) -> list[Setting]:
        return [setting for setting in self.applied if setting.keyword.lower() == keyword]

    def text(self, keyword: str) -> str | None:
        """A value that was given, or else the first one in the files."""
        if keyword in self.given:
            return self.given[keyword]
        setting = self.first(keyword)
        return setting.value if setting else None

    def hostname(self) -> str:
        """The real name, `%h` and `%%` in it resolved."""
        if "hostname" in self.given:
            return self.given["hostname"]
        setting = self.first("hostname")
        if not setting:
            return self.alias
        return re.sub("%([%h])", lambda found: {"%": "%", "h": self.alias}[found[1]], setting.value)

    @cached_property
    def local_user(self) -> str:
        return pwd.getpwuid(os.getuid()).pw_name


def load(host: str, alias: str, given: Mapping[str, str], paths: Paths) -> Settings:
    """All lines that apply to `alias`. Raises HostConfigError, naming `host`. Blocks: may run `Match exec`."""
    settings = Settings(host, alias, given)
    _read_all(settings, paths, final=False)
    if settings.wants_final:
        _read_all(settings, paths, final=True)
    return settings


def _read_all(settings: Settings, paths: Paths, *, final: bool) -> None:
    if paths.user:
        if not paths.explicit:
            _check_mode(settings.host, paths.user)
        elif not paths.user.is_file():
            raise HostConfigError(settings.host, f"the ssh_config {paths.user} does not exist")
        _Reader(settings, Path.home() / ".ssh", final).read(paths.user)
    if paths.system:
        _Reader(settings, Path("/etc/ssh"), final).read(paths.system)


def _check_mode(host: str, file: Path) -> None:
    try:
        stat = file.stat()
    except OSError:
        return
    if stat.st_uid not in (0, os.getuid()) or stat.st_mode & 0o022:
        raise HostConfigError(host, f"{file} may be written by others, so ssh and we refuse it: chmod 600 {file}")


def split(text: str) -> list[str]:
    """The words of a line: quotes and backslashes as in ssh, a word that begins with # ends it. Raises ValueError."""
    words: list[str] = []
    end, glued = 0, False
    for match in _WORD.finditer(text):
        gap = text[end : match.start()]
        if gap.strip():
            break
        double, single, comment, plain = match.groups()
        glued = not gap and end > 0
        if comment is not None and not glued:
            return words
        word = single if single is not None else re.sub(r"""\\(["'\\ ])""", r"\1", double or plain or comment or "")
        if glued:
            words[-1] += word
        else:
            words.append(word)
        end = match.end()
    if text[end:].strip():
        raise ValueError("a quote is not closed")
    return words


@lru_cache(maxsize=16)
def _parsed(file: Path, text: str) -> tuple[Setting, ...]:
    """The lines of a file that say something. A long file takes 10 ms, and a hundred hosts ask for the same one.

    Raises ValueError with the place.
    """
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _KEYWORD.match(line)
        assert match
        keyword, rest = match.group(1), match.group(2).strip()
        try:
            args = [rest] if keyword.lower() in _RAW else split(rest)
        except ValueError as error:
            raise ValueError(f"{file}:{number}: {error}") from error
        if not args or not args[0]:
            raise ValueError(f"{file}:{number}: {keyword} has no value")
        found.append(Setting(keyword, tuple(args), file, number))
    return tuple(found)


class _Reader:
    """Walks one file and what it includes."""

    def __init__(self, settings: Settings, folder: Path, final: bool) -> None:
        self.settings, self.folder, self.final = settings, folder, final

    def read(self, file: Path, depth: int = 0, allowed: bool = True) -> None:
        """`allowed` is False inside a block that does not apply: then nothing in an included file can apply either."""
        active = allowed
        for setting in self._lines(file):
            word = setting.keyword.lower()
            if word == "host":
                active = allowed and matches_any(setting.args, self.settings.alias)
            elif word == "match":
                active = allowed and self._matches(setting)
            elif word == "include":
                self._include(setting, depth, active)
            elif active:
                self.settings.applied.append(setting)

    def _lines(self, file: Path) -> Iterator[Setting]:
        try:
            text = file.read_text(errors="surrogateescape")
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise HostConfigError(self.settings.host, f"cannot read {file}: {error.strerror}") from error
        try:
            yield from _parsed(file, text)
        except ValueError as error:
            raise HostConfigError(self.settings.host, str(error)) from error

    def _include(self, setting: Setting, depth: int, active: bool) -> None:
        if depth >= _MAX_DEPTH:
            raise HostConfigError(
                self.settings.host, f"{setting.place}: more than {_MAX_DEPTH} Include inside each other"
            )
        for pattern in setting.args:
            path = Path(pattern).expanduser()
            path = path if path.is_absolute() else self.folder / path
            for file in sorted(Path("/").glob(str(path)[1:])):
                if file.is_file():
                    self.read(file, depth + 1, active)

    def _matches(self, setting: Setting) -> bool:
        args, met = list(setting.args), True
        while args:
            word, _, inline = args.pop(0).partition("=")
            negated, word = word.startswith("!"), word.lstrip("!").lower()
            if word in ("all", "canonical", "final"):
                self.settings.wants_final |= word == "final" and not self.final
                holds = word == "all" or self.final
            else:
                if not inline and not args:
                    raise HostConfigError(self.settings.host, f"{setting.place}: Match {word} has no value")
                value = inline or args.pop(0)
                # A command runs only if all before it holds, as in ssh.
                holds = met and self._criterion(setting, word, value)
            met = met and holds != negated
        return met

    def _criterion(self, setting: Setting, word: str, value: str) -> bool:
        known = self.settings
        if word == "exec":
            return self._run(value)
        subject = {
            "host": known.hostname().lower(),
            "originalhost": known.alias.lower(),
            "user": known.text("user") or known.local_user,
            "localuser": known.local_user,
            "tagged": known.text("tag") or "",
        }.get(word)
        if subject is None:
            known.odd.append(setting)
            return False
        return matches_any(value.split(","), subject)

    def _run(self, command: str) -> bool:
        known = self.settings
        tokens = {
            "%": "%",
            "h": known.hostname(),
            "n": known.alias,
            "p": known.text("port") or "22",
            "r": known.text("user") or known.local_user,
            "u": known.local_user,
            "d": str(Path.home()),
            "i": str(os.getuid()),
        }
        command = re.sub("%(.)", lambda found: tokens.get(found[1], found[0]), command)
        try:
            done = subprocess.run(
                [os.environ.get("SHELL") or "/bin/sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_EXEC_LIMIT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HostConfigError(known.host, f"Match exec: {command}: {error}") from error
        return done.returncode == 0
