"""hosts.yaml: what is read, and what is said where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from sshsched.config.hosts import load_hosts
from sshsched.domain.hosts import Host
from sshsched.domain.plan import Fan
from sshsched.domain.view import Group
from sshsched.errors import ConfigError


def hosts_of(folder: Path, text: str) -> dict[str, Host]:
    (folder / "hosts.yaml").write_text(text)
    return load_hosts(folder)


def test_no_file_is_no_problem(tmp_path: Path) -> None:
    """This machine is always there, and any other name is an alias of ssh_config."""
    hosts = load_hosts(tmp_path)

    assert {"local": Host("local")} == hosts
    assert Host("nas") == hosts["nas"]


def test_all_of_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key is read, and ~ is this user's home folder."""
    monkeypatch.setenv("HOME", "/somewhere")
    text = (
        "nas:\n  address: nas.example\n  user: backup\n  port: 2222\n  identity: [~/.ssh/a, /b]\n  jump: gate,inner\n"
        "  slots: 2\n  tags: [storage]\n  env: {A: 012}\n  spool: /var/spool/x\n"
    )
    whole = Host(
        "nas",
        address="nas.example",
        user="backup",
        port=2222,
        identity=("/somewhere/.ssh/a", "/b"),
        jump="gate,inner",
        slots=2,
        tags=("storage",),
        env={"A": "012"},
        spool="/var/spool/x",
    )

    assert whole == hosts_of(tmp_path, text)["nas"]


def test_slots_for_all(tmp_path: Path) -> None:
    """config.yaml limits every host that does not say otherwise, also those of ssh_config."""
    (tmp_path / "config.yaml").write_text("slots: 3")
    hosts = hosts_of(tmp_path, "a: {slots: 5}\nb:\nc: {tags: x}")

    assert [5, 3, 3, 3, 3] == [hosts[name].slots for name in ("a", "b", "c", "local", "other")]


def test_groups(tmp_path: Path) -> None:
    """A group is a list of hosts, or says how they are chosen; they may be aliases of ssh_config."""
    text = (
        "groups:\n  web: [web1, web2]\n  build: {hosts: [b1, local], strategy: least_busy}\n"
        "  every: {hosts: [a], strategy: all, canary: 1, max_fail: 0}\nweb1: {port: 22}"
    )
    (tmp_path / "hosts.yaml").write_text(text)
    hosts = load_hosts(tmp_path)

    assert ["local", "web1"] == sorted(hosts)
    assert {
        "web": Group(("web1", "web2"), "round_robin"),
        "build": Group(("b1", "local"), "least_busy"),
        "every": Group(("a",), "all", Fan(max_fail=0, canary=1)),
    } == hosts.groups


def test_a_file_of_comments_holds_no_hosts(tmp_path: Path) -> None:
    """A file may wait for its first host."""
    assert ["local"] == list(hosts_of(tmp_path, "# nothing yet\n"))


WRONG = {
    "a: {hostname: b}": "1:5: a.hostname: unknown key; here it is called 'address'",
    "a: {proxyjump: b}": "1:5: a.proxyjump: unknown key; here it is called 'jump'",
    "a: {addres: b}": "1:5: a.addres: unknown key; did you mean 'address'?",
    "a: {port: 0}": "1:11: a.port: '0' is no whole number from 1 to 65535",
    "a: {port: 0x16}": "1:11: a.port: '0x16' is no whole number from 1 to 65535",
    "a: {slots: 0}": "1:12: a.slots: '0' is no whole number from 1 to 100000",
    "a: {address: -oProxyCommand=x}": "1:14: a.address: '-oProxyCommand=x' is no address",
    "a: {user: -x}": "1:11: a.user: '-x' is no user name",
    "-a: {}": "1:1: -a: '-a' is no host name",
    "a b: {}": "1:1: a b: 'a b' is no host name",
    "'@web': {}": "1:9: @web: a group belongs under 'groups', as in `groups: {web: [a, b]}`",
    "groups: [a]": "1:9: groups: a list stands where groups should be: `groups: {web: [web1, web2]}`",
    "groups: {w: []}": "1:13: groups.w: is an empty list; take the key out, or write at least one item",
    "groups: {w: a}": "1:13: groups.w: a text stands where a list should be: [one, two]",
    "groups: {w: [a, a]}": "1:13: groups.w: 'a' stands here twice",
    "groups: {w: ['@v']}": "1:13: groups.w: '@v' is a group; a group holds hosts only",
    "groups: {'@w': [a]}": "1:10: groups.@w: '@w' is no name of a group",
    "groups: {a: [b]}\na: {}": "1:13: groups.a: is a group and a host; rename one of them",
    "groups: {local: [b]}": "1:17: groups.local: is a group and a host; rename one of them",
    "groups: {w: {hosts: [a], strategy: sticki}}": "1:36: groups.w.strategy: 'sticki' is no strategy; "
    "did you mean 'sticky'?",
    "groups: {w: {hosts: [a], canary: 1}}": "1:26: groups.w.canary: means something only with `strategy: all`; "
    "take it out",
    "groups: {w: {members: [a]}}": "1:13: groups.w: the key 'hosts' is missing: its hosts\nhosts.yaml:1:14: "
    "groups.w.members: unknown key; here it is called 'hosts'",
    "local: {address: b}": "1:9: local.address: unknown key; known: env, slots, spool, tags",
    "a: nas.example": "1:4: a: a text stands where `key: value` pairs should be: a host",
    "- a": "1:1: a list stands where the file should be `key: value` pairs",
    "a: {port: x}\na: {}": "1:11: a.port: 'x' is no whole number from 1 to 65535\nhosts.yaml:2:1: a: "
    "stands here twice; first in line 1",
}


def test_a_variable_that_no_kernel_takes(tmp_path: Path) -> None:
    """A value that no program can be handed is refused where it stands; one byte less is not."""
    assert "x" * 131_069 == hosts_of(tmp_path, f"a: {{env: {{B: {'x' * 131_069}}}}}")["a"].env["B"]
    for name in ("a", "local"):
        with pytest.raises(ConfigError) as raised:
            hosts_of(tmp_path, f"{name}:\n  env: {{A: x, B: {'x' * 131_070}}}")

        wrong = f"hosts.yaml:2:18: {name}.env.B: takes 131072 bytes, and Linux hands over 131071 at most"
        assert wrong == str(raised.value)


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, text: str) -> None:
    """Each mistake is one line with its place and what to do."""
    with pytest.raises(ConfigError) as raised:
        hosts_of(tmp_path, text)

    assert f"hosts.yaml:{WRONG[text]}" == str(raised.value)
