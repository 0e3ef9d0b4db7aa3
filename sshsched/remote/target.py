"""One host, resolved: everything that is needed to log in. hosts.yaml wins over ssh_config, ssh_config over defaults.

Rule: each keyword of ssh_config is either meant here, or reported by `ignored_options`.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sshsched.domain.hosts import Host
from sshsched.errors import HostConfigError
from sshsched.remote.known_hosts import SSH_PORT, known_name
from sshsched.remote.ssh_config import Paths, Settings, load

_DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk")
_FAMILIES = {"any": socket.AF_UNSPEC, "inet": socket.AF_INET, "inet6": socket.AF_INET6}
_ALGORITHMS = ("ciphers", "macs", "kexalgorithms", "hostkeyalgorithms", "casignaturealgorithms")
_MEANT = {
    *("hostname", "user", "port", "addressfamily", "bindaddress", "connecttimeout", "tag", "ignoreunknown"),
    *("identityfile", "certificatefile", "identitiesonly", "identityagent", "proxyjump", "proxycommand"),
    *("hostkeyalias", "userknownhostsfile", "globalknownhostsfile"),
    *_ALGORITHMS,
}
_OFF = "off on purpose"
_NOTES = {
    **dict.fromkeys(("controlmaster", "controlpath", "controlpersist"), "not needed: one connection is kept anyway"),
    **dict.fromkeys(
        ("serveraliveinterval", "serveralivecountmax", "tcpkeepalive"), "not needed: keepalive is on anyway"
    ),
    **dict.fromkeys(("requesttty", "escapechar", "loglevel", "visualhostkey", "addkeystoagent"), "not needed"),
    **dict.fromkeys(("forwardagent", "forwardx11", "forwardx11trusted", "localforward", "remoteforward"), _OFF),
    **dict.fromkeys(("dynamicforward", "sendenv", "setenv", "compression", "remotecommand", "localcommand"), _OFF),
    **dict.fromkeys(
        ("passwordauthentication", "kbdinteractiveauthentication", "batchmode"), "nobody is asked anything"
    ),
    "stricthostkeychecking": "always strict: see `sshsched hosts trust`",
}
_JUMP = re.compile(r"(?:ssh://)?(?:(?P<user>.+)@)?(?P<host>\[[^]]+\]|[^:]+|[^:]*:[^:]*:.*?)(?::(?P<port>\d+))?/?")


class Ignored(NamedTuple):
    """A line of ssh_config that applies to a host and has no effect here."""

    keyword: str
    value: str
    file: Path
    line: int
    note: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how to log in."""

    host: str
    address: str
    port: int
    user: str
    known_as: str
    """Its name in known_hosts files."""
    alias: str | None
    """HostKeyAlias."""
    user_known_hosts: tuple[Path, ...]
    global_known_hosts: tuple[Path, ...]
    identities: tuple[Path, ...]
    """Private keys that were asked for; empty for ssh's usual ones."""
    certificates: tuple[Path, ...]
    identities_only: bool
    agent: str | None
    jumps: tuple[str, ...]
    proxy_command: str | None
    family: int
    bind: str | None
    connect_limit: float | None
    algorithms: Mapping[str, str]

    @property
    def known_hosts(self) -> tuple[Path, ...]:
        return self.user_known_hosts + self.global_known_hosts


def default_identities() -> tuple[Path, ...]:
    """The keys that ssh tries when nobody names one."""
    return tuple(Path.home() / ".ssh" / name for name in _DEFAULT_KEYS)


def parse_name(text: str) -> tuple[str | None, str, int | None]:
    """User, host and port of `[user@]host[:port]`, the form of ProxyJump. Raises ValueError."""
    match = _JUMP.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not [user@]host[:port]")
    port = match["port"]
    return match["user"], match["host"].strip("[]"), int(port) if port else None


def ignored_options(host: Host, paths: Paths | None = None) -> list[Ignored]:
    """Lines of ssh_config that apply to the host and have no effect here, in the order in which they are read."""
    settings = _settings(host, paths or Paths.default())
    seen = {
        (setting.file, setting.line): Ignored(
            setting.keyword,
            setting.value,
            setting.file,
            setting.line,
            _NOTES.get(setting.keyword.lower(), "not supported, has no effect"),
        )
        for setting in settings.applied + settings.odd
        if setting.keyword.lower() not in _MEANT
    }
    return list(seen.values())


def resolve(host: Host, paths: Paths | None = None) -> Target:
    """Everything that is needed to log in. Raises HostConfigError. Reads files and may run `Match exec`: blocks."""
    return _Resolver(host, paths or Paths.default()).target()


def _settings(host: Host, paths: Paths) -> Settings:
    try:
        user, alias, port = parse_name(host.name)
    except ValueError as error:
        raise HostConfigError(host.name, str(error)) from error
    wanted = {"hostname": host.address, "user": host.user or user, "port": host.port or port, "proxyjump": host.jump}
    return load(host.name, alias, {key: str(value) for key, value in wanted.items() if value is not None}, paths)


class _Resolver:
    def __init__(self, host: Host, paths: Paths) -> None:
        self.host, self.paths = host, paths
        self.settings = _settings(host, paths)
        self.address = self.settings.hostname().lower()
        self.port = self._number("port", SSH_PORT, 65535)
        self.user = self.settings.text("user") or self.settings.local_user
        self.alias = (self.settings.text("hostkeyalias") or "").lower() or None

    def target(self) -> Target:
        settings = self.settings
        identities = self.host.identity or tuple(s.value for s in settings.all("identityfile"))
        jumps, command = self._proxy()
        limit = self._number("connecttimeout", 0, 86400)
        return Target(
            host=self.host.name,
            address=self.address,
            port=self.port,
            user=self.user,
            known_as=self.alias or known_name(self.address, self.port),
            alias=self.alias,
            user_known_hosts=self.paths.known_hosts
            or self._known_hosts("userknownhostsfile", "~/.ssh/known_hosts", "~/.ssh/known_hosts2"),
            global_known_hosts=()
            if self.paths.known_hosts
            else self._known_hosts("globalknownhostsfile", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"),
            identities=self._files(identities),
            certificates=self._files(tuple(s.value for s in settings.all("certificatefile"))),
            identities_only=(settings.text("identitiesonly") or "no").lower() in ("yes", "true"),
            agent=self._agent(),
            jumps=jumps,
            proxy_command=command,
            family=self._family(),
            bind=settings.text("bindaddress"),
            connect_limit=float(limit) if limit else None,
            algorithms={word: text for word in _ALGORITHMS if (text := settings.text(word))},
        )

    def _fail(self, keyword: str, message: str) -> HostConfigError:
        setting = self.settings.first(keyword)
        place = f"{setting.place}: " if setting and keyword not in self.settings.given else ""
        return HostConfigError(self.host.name, f"{place}{keyword}: {message}")

    def _number(self, keyword: str, default: int, most: int) -> int:
        text = self.settings.text(keyword)
        if text is None or (keyword == "connecttimeout" and text == "none"):
            return default
        if not text.isascii() or not text.isdigit() or not 0 < int(text) <= most:
            raise self._fail(keyword, f"{text!r} is not a number from 1 to {most}")
        return int(text)

    def _family(self) -> int:
        text = (self.settings.text("addressfamily") or "any").lower()
        if text not in _FAMILIES:
            raise self._fail("addressfamily", f"{text!r} is none of any, inet, inet6")
        return _FAMILIES[text]

    def _proxy(self) -> tuple[tuple[str, ...], str | None]:
        """Whichever of ProxyJump and ProxyCommand comes first wins, as in ssh."""
        given = self.settings.given.get("proxyjump")
        lines = self.settings.all("proxyjump") + self.settings.all("proxycommand")
        first = min(lines, key=self.settings.applied.index, default=None)
        value = given or (first.value if first else "none")
        if value.lower() == "none":
            return (), None
        if given or (first and first.keyword.lower() == "proxyjump"):
            return tuple(self._expand(hop.strip(), "proxyjump", "%hnpr") for hop in value.split(",")), None
        return (), self._expand(value, "proxycommand", "%hnpr")

    def _known_hosts(self, keyword: str, *default: str) -> tuple[Path, ...]:
        setting = self.settings.first(keyword)
        names = setting.args if setting else default
        if any(name.lower() == "none" for name in names) and keyword == "userknownhostsfile":
            raise self._fail(keyword, "`none` would leave the host unchecked; name a file, or remove the line")
        return self._files(names)

    def _files(self, names: tuple[str, ...]) -> tuple[Path, ...]:
        wanted = (Path(self._expand(name, "a file name")).expanduser() for name in names if name.lower() != "none")
        return tuple(dict.fromkeys(wanted))

    def _agent(self) -> str | None:
        text = self.settings.text("identityagent") or "SSH_AUTH_SOCK"
        if text.lower() == "none":
            return None
        if text == "SSH_AUTH_SOCK":
            return os.environ.get("SSH_AUTH_SOCK")
        if text.startswith("$") and not text.startswith("${"):
            return os.environ.get(text[1:])
        return str(Path(self._expand(text, "identityagent")).expanduser())

    def _expand(self, text: str, what: str, allowed: str = "") -> str:
        """The %-tokens of ssh_config(5), TOKENS, and ${NAME} in file names."""
        me, local = self.settings.local_user, socket.gethostname()
        jump = self.settings.text("proxyjump") or ""
        whole = "".join((local, self.address, str(self.port), self.user, jump))
        tokens = {
            "%": "%",
            "C": hashlib.sha1(whole.encode()).hexdigest(),
            "d": str(Path.home()),
            "h": self.address,
            "i": str(os.getuid()),
            "j": jump,
            "k": self.alias or self.settings.alias,
            "L": local.partition(".")[0],
            "l": local,
            "n": self.settings.alias,
            "p": str(self.port),
            "r": self.user,
            "u": me,
        }

        def token(match: re.Match[str]) -> str:
            if match[2] is not None:
                if allowed:  # a command: its shell sees to that
                    return match[0]
                value = os.environ.get(match[2])
                if value is None:
                    raise self._fail(what, f"{text!r}: the variable {match[2]} is not set")
                return value
            if match[1] not in tokens or (allowed and match[1] not in allowed):
                raise self._fail(what, f"{text!r}: unknown token %{match[1]}; write %% for a percent sign")
            return tokens[match[1]]

        return re.sub(r"%(.?)|\$\{([^}]*)\}", token, text, flags=re.DOTALL)
