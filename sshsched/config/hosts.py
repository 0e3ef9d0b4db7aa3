"""`hosts.yaml`: hosts that are not in ssh_config, and what ssh_config cannot say.

Rule: a file that is absent costs nothing.

::

    nas: {address: nas.home, user: backup, slots: 2, tags: [storage]}
    web1: {jump: gate}                  # the rest is asked of ssh_config
    groups:
      web: [web1, web2]
      build: {hosts: [b1, b2], strategy: least_busy}
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sshsched.config.nodes import Mapping, Node, Problems, Text, UnreadableError, shown
from sshsched.config.placement import CANARY, MAX_FAIL, STRATEGY, check_choice, take_choice
from sshsched.config.programs import ENV_NAME, ENV_WANTED
from sshsched.config.reading import Key, Record, read_value, reader
from sshsched.config.settings import MOST_SLOTS, load_settings
from sshsched.config.strict import read_file
from sshsched.config.values import TEXT, Integer, Many, Pairs, Word, read_named
from sshsched.domain.draft import HOST_NAME, length_flaw
from sshsched.domain.hosts import LOCAL, Host
from sshsched.domain.plan import STRATEGIES
from sshsched.domain.view import Group
from sshsched.errors import ConfigError, Problem
from sshsched.kinds.jobs import USER_NAME

FILE: Final = "hosts.yaml"


@dataclass(frozen=True)
class _Variables(Pairs[str]):
    """Each of them short enough to be handed to a program."""

    def _value(self, name: str, node: Node, problems: Problems) -> str:
        text = super()._value(name, node, problems)
        if message := length_flaw(f"{name}={text}"):
            raise problems.refuse(node, message)
        return text


# No name may begin with a dash: ssh_config's ProxyCommand and the like would take it for an option.
_NAME: Final = r"[^\s-]\S*"
ADDRESS: Final = Key[str | None]("address", Word(_NAME, "address"), "a name or an IP address; else ssh_config's", None)
USER: Final = Key[str | None]("user", Word(USER_NAME, "user name"), "the user to log in as; else ssh_config's", None)
PORT: Final = Key[int | None]("port", Integer(1, 65535), "the port; else ssh_config's", None)
IDENTITY: Final = Key[tuple[str, ...]]("identity", Many(TEXT), "key files to offer, ~ allowed; else ssh_config's", ())
JUMP: Final = Key[str | None]("jump", Word(_NAME, "host name"), "hosts to go through, commas between", None)
SLOTS: Final = Key[int | None]("slots", Integer(1, MOST_SLOTS), "how many programs run here at once", None)
TAGS: Final = Key[tuple[str, ...]]("tags", Many(Word(r"[^\s,]+", "tag")), "words to find hosts by", ())
ENV: Final = Key("env", _Variables(ENV_NAME, ENV_WANTED, TEXT), "environment variables of all programs here", {})
SPOOL: Final = Key[str | None]("spool", TEXT, "the folder on the host where runs keep their spools", None)

_HERE: Final = (SLOTS, TAGS, ENV, SPOOL)
# What people know from ssh_config.
_ELSEWHERE: Final = {
    **dict.fromkeys(("hostname", "host", "ip"), "here it is called 'address'"),
    **dict.fromkeys(("identity_file", "identityfile", "key"), "here it is called 'identity'"),
    **dict.fromkeys(("proxyjump", "proxy_jump", "proxy"), "here it is called 'jump'"),
}
HOST: Final = Record((ADDRESS, USER, PORT, IDENTITY, JUMP, *_HERE), "a host", _ELSEWHERE)
LOCAL_HOST: Final = Record(_HERE, "this machine, to which nobody logs in")


GROUPS: Final = "groups"
MEMBERS: Final = Key("hosts", Many(Word(HOST_NAME, "host name"), alone=False), "its hosts")
GROUP: Final = Record(
    (MEMBERS, STRATEGY, MAX_FAIL, CANARY), "a group of hosts", {"members": "here it is called 'hosts'"}
)


class Hosts(dict[str, Host]):
    """The hosts of hosts.yaml, and `local`. `hosts[name]` of any other name is an alias of ssh_config.

    `groups` are those of the same file, by name, without the @.
    """

    def __init__(self, slots: int | None = None) -> None:
        super().__init__()
        self.slots = slots
        self.groups: dict[str, Group] = {}
        self._tagged: dict[str, Group] = {}
        self[LOCAL] = Host(LOCAL, slots=slots)

    def tagged(self, tags: str) -> Group:
        """The hosts that have all of these tags (`A,B`). Asked in every decision about them, so kept."""
        if (found := self._tagged.get(tags)) is None:
            wanted = set(tags.split(","))
            found = Group(tuple(name for name, host in self.items() if wanted <= set(host.tags)))
            self._tagged[tags] = found
        return found

    def __missing__(self, name: str) -> Host:
        return Host(name, slots=self.slots)


def load_hosts(config_dir: Path) -> Hosts:
    """The hosts of a folder. Raises ConfigError, also with what is wrong in config.yaml."""
    problems, before = Problems(FILE), list[Problem]()
    slots = None
    try:
        slots = load_settings(config_dir).slots
    except ConfigError as error:
        before = error.problems
    hosts = Hosts(slots)

    def read(name: str, node: Node, problems: Problems) -> Host:
        return _host(name, node, hosts.slots, problems)

    try:
        node = read_file(config_dir / FILE, problems)
        if node is not None:
            groups = node.entries.pop(GROUPS, None)
            if groups is not None:
                hosts.groups = _groups(groups.value, node, problems)
            hosts.update(read_named(node, HOST_NAME, "host name", read, problems))
    except (FileNotFoundError, UnreadableError):
        pass  # not there, or noted
    if found := [*before, *problems.sorted()]:
        raise ConfigError(found)
    return hosts


def _groups(node: Node, hosts: Mapping, problems: Problems) -> dict[str, Group]:
    """All good groups; what is wrong with the others is noted."""

    def read(name: str, node: Node, problems: Problems) -> Group:
        if name in hosts.entries or name == LOCAL:
            raise problems.refuse(node, "is a group and a host; rename one of them")
        return _group(node, problems)

    if not isinstance(node, Mapping):
        problems.add(node, f"{node.what} stands where groups should be: `groups: {{web: [web1, web2]}}`")
        return {}
    try:
        return read_named(node, f"(?!@){HOST_NAME}", "name of a group", read, problems)
    except UnreadableError:
        return {}


def _group(node: Node, problems: Problems) -> Group:
    if not isinstance(node, Mapping):
        return Group(_members(read_value(node, MEMBERS.kind, problems), node, problems))
    with reader(node, GROUP, problems) as take:
        hosts, (strategy, fan) = take(MEMBERS), take_choice(take)
    check_choice(node, strategy, problems)
    return Group(_members(hosts, node.entries["hosts"].value, problems), strategy or STRATEGIES[0], fan)


def _members(names: tuple[str, ...], node: Node, problems: Problems) -> tuple[str, ...]:
    if twice := [name for name in names if names.count(name) > 1]:
        raise problems.refuse(node, f"{shown(twice[0])} stands here twice")
    if groups := [name for name in names if name.startswith("@")]:
        raise problems.refuse(node, f"{shown(groups[0])} is a group; a group holds hosts only")
    return names


def _host(name: str, node: Node, slots: int | None, problems: Problems) -> Host:
    if name.startswith("@"):
        raise problems.refuse(node, f"a group belongs under 'groups', as in `groups: {{{name[1:]}: [a, b]}}`")
    if isinstance(node, Text) and node.absent:
        return Host(name, slots=slots)
    if name == LOCAL:
        with reader(node, LOCAL_HOST, problems) as take:
            return Host(name, slots=take(SLOTS) or slots, tags=take(TAGS), env=take(ENV), spool=take(SPOOL))
    with reader(node, HOST, problems) as take:
        identity = take(IDENTITY)
        host = Host(
            name,
            address=take(ADDRESS),
            user=take(USER),
            port=take(PORT),
            jump=take(JUMP),
            slots=take(SLOTS) or slots,
            tags=take(TAGS),
            env=take(ENV),
            spool=take(SPOOL),
        )
    return replace(host, identity=tuple(str(Path(path).expanduser()) for path in identity))
