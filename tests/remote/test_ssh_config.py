"""ssh_config is read as ssh reads it: `ssh -G` is asked what it makes of the same file."""

from __future__ import annotations

import getpass
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.domain.hosts import Host
from sshsched.errors import HostConfigError
from sshsched.remote.ssh_config import Paths, split
from sshsched.remote.target import Target, ignored_options, parse_name, resolve
from tests.sshd import program


def write(tmp_path: Path, text: str) -> Paths:
    config = tmp_path / "config"
    config.write_text(text)
    return Paths(config, None, explicit=True)


def target(tmp_path: Path, text: str, host: str | Host = "box") -> Target:
    return resolve(Host(host) if isinstance(host, str) else host, write(tmp_path, text))


def of_ssh(paths: Paths, host: str) -> dict[str, list[str]]:
    """What `ssh -G` says, by keyword."""
    command = [program("ssh", "openssh-client"), "-G", "-F", str(paths.user), host]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, list[str]] = {}
    for line in shown.splitlines():
        keyword, _, value = line.partition(" ")
        found.setdefault(keyword, []).append(value)
    return found


ALIKE = [
    "Host box\n HostName box.example\n Port 2222\n User me\n",
    "Host other\n Port 1\nHost box\n Port 2\nHost *\n Port 3\n",
    "Port 4\nHost box\n Port 5\n",
    "Host * !box\n Port 6\nHost b?x\n Port 7\n",
    "Host !box *\n Port 6\n",
    "host=box\n  port = 8\n  user=  you\n",
    'Host "box"\n User "my name"\n',
    "Host box # the box\n Port 9 # its port\n",
    "Host box\n HostName %h.example\n",
    "Host box\n HostName %%h.example\n",
    "Match host box\n Port 10\nMatch all\n Port 11\n",
    "Match originalhost box,other user me\n Port 12\nMatch host *\n Port 13\n",
    "Host box\n HostName real\nMatch host real\n Port 14\n",
    "Host box\n HostName real\nMatch host box\n Port 15\n",
    "Host box\n User me\nMatch user me\n Port 16\n",
    f"Match localuser {getpass.getuser()}\n Port 17\n",
    "Match !host box\n Port 18\nMatch !host other\n Port 19\n",
    'Match exec "true"\n Port 20\n',
    'Match exec "false"\n Port 21\n',
    'Match exec "test %n = box -a %h = real"\n Port 22\nHost box\n HostName real\n',
    "Host box\n HostName real\nMatch exec \"test %n = box -a %h = real\"\n Port 23\n",
    "Match final\n Port 24\n",
    "Match final host real\n Port 25\nHost box\n HostName real\n",
    "Match !final\n Port 26\nMatch all\n Port 27\n",
    "Host box\n ProxyJump a,b@c:2222\n",
    "Host box\n ProxyCommand nc %h %p\n ProxyJump a\n",
    "Host box\n ProxyJump a\n ProxyCommand nc %h %p\n",
    "Host box\n ProxyJump none\nHost *\n ProxyJump gate\n",
    "Host box\n ProxyCommand none\nHost *\n ProxyJump gate\n",
    "Host box\n ProxyCommand ssh -W '[%h]:%p' \"gate\" # not a comment\n",
    "Host box\n IdentityFile /a\nHost *\n IdentityFile /b\n",
    "Host box\n IdentitiesOnly yes\n AddressFamily inet6\n BindAddress 127.0.0.1\n ConnectTimeout 7\n",
    "Host box\n HostKeyAlias Alias\n",
    "Host box\n UserKnownHostsFile /a /b\n GlobalKnownHostsFile /c\nHost *\n UserKnownHostsFile /d\n",
    "Host box\n UserKnownHostsFile \"/with space\" /b\n",
    "Host box\n HostName Real.Example\n",
    "Host BOX\n Port 28\n",
    "HOST box\n PORT 29\n",
]  # fmt: skip


@pytest.mark.parametrize("text", ALIKE)
def test_as_ssh_reads_it(tmp_path: Path, text: str) -> None:
    """Host, port, user, jumps, keys and files of a target are those of `ssh -G`."""
    paths = write(tmp_path, text)
    ssh = of_ssh(paths, "box")

    ours = resolve(Host("box"), paths)

    assert ssh["hostname"] == [ours.address]
    assert ssh["port"] == [str(ours.port)]
    assert ssh["user"] == [ours.user]
    assert ssh.get("proxyjump", [""]) == [",".join(ours.jumps)]
    assert ("proxycommand" in ssh) == (ours.proxy_command is not None)
    assert ssh.get("hostkeyalias") == (ours.alias and [ours.alias])
    assert ssh["addressfamily"] == [{0: "any", 2: "inet", 10: "inet6"}[ours.family]]
    assert ssh.get("bindaddress") == (ours.bind and [ours.bind])
    assert (ssh["identitiesonly"] == ["yes"]) == ours.identities_only
    assert ssh["connecttimeout"] == [f"{ours.connect_limit:.0f}" if ours.connect_limit else "none"]
    if ours.identities:
        assert ssh["identityfile"] == [str(path) for path in ours.identities]
    homely = " ".join(map(str, ours.user_known_hosts))
    assert ssh["userknownhostsfile"] == [homely]
    assert ssh["globalknownhostsfile"] == [" ".join(map(str, ours.global_known_hosts))]


def test_tags(tmp_path: Path) -> None:
    """`Match tagged` looks at the Tag that was given before."""
    assert 2 == target(tmp_path, "Host box\n Tag blue\nMatch tagged bl*\n Port 2\n").port
    assert 22 == target(tmp_path, "Host box\n Tag red\nMatch tagged bl*\n Port 2\n").port


def test_include(tmp_path: Path) -> None:
    """Include takes patterns, keeps the block that it stands in, and nothing in a block that does not apply applies."""
    (tmp_path / "a.conf").write_text("Host box\n Port 2\nHost *\n User included\n")
    (tmp_path / "b.conf").write_text("User never\n")
    other = f"Host other\n Include {tmp_path}/b*.conf {tmp_path}/missing\n"
    text = f"{other}Host box\n Include {tmp_path}/a.conf\n HostName real\n"
    paths = write(tmp_path, text)

    ours, ssh = resolve(Host("box"), paths), of_ssh(paths, "box")

    assert ("real", 2, "included") == (ours.address, ours.port, ours.user)
    assert (["real"], ["2"], ["included"]) == (ssh["hostname"], ssh["port"], ssh["user"])


def test_include_of_itself(tmp_path: Path) -> None:
    """A file that includes itself is an error with its place."""
    with pytest.raises(HostConfigError, match="config:1: more than 16 Include"):
        target(tmp_path, f"Include {tmp_path}/config\n")


def test_the_users_file_comes_before_the_systems(tmp_path: Path) -> None:
    """The first value wins; what the user does not say is taken from the system."""
    (tmp_path / "system").write_text("Host box\n Port 1\n User system\n")
    user = write(tmp_path, "Host box\n Port 2\n").user

    ours = resolve(Host("box"), Paths(user, tmp_path / "system", explicit=True))

    assert (2, "system") == (ours.port, ours.user)


def test_default_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word the usual files are read; SSHSCHED_SSH_CONFIG takes the place of both."""
    monkeypatch.setenv("HOME", str(tmp_path))

    assert Paths(tmp_path / ".ssh/config", Path("/etc/ssh/ssh_config")) == Paths.default({})
    assert Paths(Path("/x"), None, explicit=True) == Paths.default({"SSHSCHED_SSH_CONFIG": "/x"})


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    """A missing ssh_config that somebody named is an error, the usual ones may be missing."""
    with pytest.raises(HostConfigError, match="does not exist"):
        resolve(Host("box"), Paths(tmp_path / "none", None, explicit=True))

    assert "box" == resolve(Host("box"), Paths(tmp_path / "none", tmp_path / "none")).address


def test_a_file_that_others_may_write(tmp_path: Path) -> None:
    """The user's ssh_config is refused if others may write it, as ssh does."""
    config = write(tmp_path, "Port 1\n").user
    assert config
    config.chmod(0o666)

    with pytest.raises(HostConfigError, match="chmod 600"):
        resolve(Host("box"), Paths(config, None))


def test_hosts_yaml_wins(tmp_path: Path) -> None:
    """Every field of hosts.yaml beats ssh_config, and decides which blocks apply."""
    box = "Host box\n HostName a\n Port 1\n User u\n IdentityFile /a\n ProxyCommand x\n"
    text = f"{box}Match user me\n HostKeyAlias mine\n"
    host = Host("box", address="b", user="me", port=2, identity=("/b",), jump="gate")

    ours = target(tmp_path, text, host)

    assert ("b", 2, "me", (Path("/b"),), ("gate",), None, "mine") == (
        ours.address,
        ours.port,
        ours.user,
        ours.identities,
        ours.jumps,
        ours.proxy_command,
        ours.alias,
    )


def test_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tokens of ssh_config(5), ~ and ${NAME} are filled in where ssh does."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WHERE", "/there")
    text = (
        "Host box\n HostName real\n Port 7\n User me\n IdentityFile ~/%n-%h-%p-%r-%%-%i\n CertificateFile ${WHERE}/%k\n"
        " UserKnownHostsFile %d/kh\n ProxyCommand run %n %h %p %r %% ${WHERE}\n IdentityAgent $WHERE\n"
    )

    ours = target(tmp_path, text)

    assert (Path(f"{tmp_path}/box-real-7-me-%-{os.getuid()}"),) == ours.identities
    assert (Path("/there/box"),) == ours.certificates
    assert (tmp_path / "kh",) == ours.user_known_hosts
    assert "run box real 7 me % ${WHERE}" == ours.proxy_command
    assert "/there" == ours.agent


@pytest.mark.parametrize(
    ("line", "agent"), [("", "/env"), ("IdentityAgent none", None), ("IdentityAgent SSH_AUTH_SOCK", "/env"),
                        ("IdentityAgent /own", "/own")]
)  # fmt: skip
def test_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, agent: str | None) -> None:
    """The agent is that of SSH_AUTH_SOCK, another one, or none."""
    monkeypatch.setenv("SSH_AUTH_SOCK", "/env")

    assert agent == target(tmp_path, f"Host box\n{line}\n").agent


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Host box\n Port many\n", "config:2: port: 'many' is not a number from 1 to 65535"),
        ("Host box\n Port 0\n", "config:2: port: '0' is not a number"),
        ("Host box\n Port\n", "config:2: Port has no value"),
        ("Host box\n AddressFamily ipx\n", "config:2: addressfamily: 'ipx' is none of any, inet, inet6"),
        ('Host "box\n', "config:1: a quote is not closed"),
        ("Match host\n", "config:1: Match host has no value"),
        ("Host box\n ProxyCommand nc %x\n", "config:2: proxycommand: 'nc %x': unknown token %x"),
        ("Host box\n IdentityFile ${UNSET_HERE}/x\n", "the variable UNSET_HERE is not set"),
        ("Host box\n UserKnownHostsFile none\n", "config:2: userknownhostsfile: `none` would leave the host unchecked"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    """A mistake is one line with the host, the file, the line and the keyword."""
    with pytest.raises(HostConfigError) as caught:
        target(tmp_path, text)

    assert message in str(caught.value)
    assert str(caught.value).startswith("box: ")


def test_ignored_options(tmp_path: Path) -> None:
    """Lines that apply and have no effect here are told with their place; those of other hosts are not."""
    text = (
        "Host other\n GSSAPIAuthentication yes\nHost box\n Port 2\n ControlMaster auto\n GSSAPIAuthentication yes\n"
        " ForwardAgent yes\n StrictHostKeyChecking no\nMatch localnetwork 10.0.0.0/8\n User never\n"
    )
    paths = write(tmp_path, text)

    found = [(one.keyword, one.value, one.file, one.line) for one in ignored_options(Host("box"), paths)]
    notes = {one.keyword: one.note for one in ignored_options(Host("box"), paths)}

    assert [
        ("ControlMaster", "auto", paths.user, 5),
        ("GSSAPIAuthentication", "yes", paths.user, 6),
        ("ForwardAgent", "yes", paths.user, 7),
        ("StrictHostKeyChecking", "no", paths.user, 8),
        ("Match", "localnetwork 10.0.0.0/8", paths.user, 9),
    ] == found
    assert notes["ControlMaster"].startswith("not needed")
    assert "hosts trust" in notes["StrictHostKeyChecking"]
    assert getpass.getuser() == resolve(Host("box"), paths).user


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("box", (None, "box", None)),
        ("me@box", ("me", "box", None)),
        ("me@corp@box:22", ("me@corp", "box", 22)),
        ("ssh://me@box:2222", ("me", "box", 2222)),
        ("[::1]:2222", (None, "::1", 2222)),
        ("fe80::1%eth0", (None, "fe80::1%eth0", None)),
    ],
)
def test_names(text: str, parts: tuple[str | None, str, int | None]) -> None:
    """A name may carry a user and a port, and be an address of either kind."""
    assert parts == parse_name(text)


@given(st.lists(st.text(st.characters(exclude_characters="\0\n\r\"'\\", codec="utf-8"), min_size=1), min_size=1))
def test_quoted_words_come_back(words: list[str]) -> None:
    """Any words in double quotes are read as they were."""
    assert words == split(" ".join(f'"{word}"' for word in words))


@given(st.text(st.sampled_from("ab \"'\\#=\t")) | st.text())
def test_any_line_is_read_or_refused(text: str) -> None:
    """No text makes the splitting of a line fail in another way than ValueError."""
    with suppress(ValueError):
        assert all(isinstance(word, str) for word in split(text))
