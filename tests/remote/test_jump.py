"""Hosts behind other hosts: ProxyJump hop by hop, and ProxyCommand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sshsched.domain.hosts import Host
from sshsched.errors import (
    HostConfigError,
    HostError,
    HostKeyChangedError,
    HostKeyUnknownError,
    HostNameError,
    HostRefusedError,
    HostTimeoutError,
    LoginRejectedError,
)
from sshsched.remote.doors import Doors
from sshsched.remote.ssh import SshTransport
from sshsched.remote.ssh_config import Paths
from sshsched.remote.ssh_login import Limits
from sshsched.remote.trust import scan
from tests.sshd import Sshd, SshdFactory, make_key
from tests.support import until


class Net:
    """A gate, a second gate and a box behind them, all on loopback, and the client's one ssh_config."""

    def __init__(self, folder: Path, make: SshdFactory) -> None:
        self.gate, self.inner, self.box = make("gate"), make("inner"), make("box")
        self.config = folder / "config"
        self.paths = Paths(self.config, None, explicit=True)
        self.write("ProxyJump gate")

    def write(self, box: str, *, gate: str = "", inner: str = "") -> None:
        blocks = self.box.block(more=box), self.gate.block(more=gate), self.inner.block(more=inner)
        self.config.write_text("".join(blocks))

    def read(self, suffix: str) -> str:
        return Path(f"{self.config}.{suffix}").read_text()

    async def answer(self, name: str = "box", **hosts: Host) -> bytes:
        """Where a shell on the box says that its connection comes from and goes to."""
        way = SshTransport(hosts.get(name, Host(name)), Doors(), hosts=hosts, paths=self.paths)
        connection = await way.connect()
        channel = await connection.open()
        channel.write(b'set -- $SSH_CONNECTION; echo "$4"; exit\n')
        said = await channel.read(100)
        connection.close()
        await connection.wait_closed()
        return said

    async def failure(self, limits: Limits | None = None) -> HostError:
        with pytest.raises(HostError) as caught:
            await SshTransport(Host("box"), Doors(), paths=self.paths, limits=limits).connect()
        return caught.value

    def logins(self, server: Sshd) -> int:
        return server.log.read_text().count("Accepted publickey")


@pytest.fixture
def net(tmp_path: Path, make_sshd: SshdFactory, monkeypatch: pytest.MonkeyPatch) -> Net:
    monkeypatch.setenv("SHELL", "/bin/sh")  # a ProxyCommand must not meet the rc files of whoever runs the tests
    return Net(tmp_path, make_sshd)


async def test_one_jump(net: Net) -> None:
    """ProxyJump goes through the gate."""
    assert f"{net.box.port}\n".encode() == await net.answer()
    assert (1, 0, 1) == (net.logins(net.gate), net.logins(net.inner), net.logins(net.box))


async def test_a_chain_of_jumps(net: Net) -> None:
    """Several jump hosts are taken in order, even where only the first can be reached from the start."""
    net.write("ProxyJump gate,inner")

    assert f"{net.box.port}\n".encode() == await net.answer()
    assert (1, 1, 1) == (net.logins(net.gate), net.logins(net.inner), net.logins(net.box))


async def test_a_jump_host_behind_a_jump_host(net: Net) -> None:
    """A jump host's own ProxyJump counts."""
    net.write("ProxyJump inner", inner="ProxyJump gate")

    assert f"{net.box.port}\n".encode() == await net.answer()
    assert (1, 1, 1) == (net.logins(net.gate), net.logins(net.inner), net.logins(net.box))


async def test_a_jump_host_of_hosts_yaml(net: Net) -> None:
    """`jump` of hosts.yaml wins over ssh_config, and names another entry of hosts.yaml first."""
    net.write("ProxyJump nowhere")
    gate = net.gate
    entry = Host("door", "127.0.0.1", gate.user, gate.port, (str(gate.key),))
    net.config.write_text(net.config.read_text() + gate.block("door", port=1))

    assert f"{net.box.port}\n".encode() == await net.answer(box=Host("box", jump="door"), door=entry)
    assert 1 == net.logins(gate)


async def test_a_jump_with_user_and_port(net: Net) -> None:
    """ProxyJump takes user@host:port."""
    config = net.config.read_text().replace("ProxyJump gate", f"ProxyJump {net.gate.user}@gate:{net.gate.port}")
    net.config.write_text(config.replace(f"Port {net.gate.port}", "Port 1"))

    assert f"{net.box.port}\n".encode() == await net.answer()


async def test_the_jump_hosts_key_is_checked(net: Net, tmp_path: Path) -> None:
    """An unknown or changed key of a jump host stops us there, and the jump host is the one to be trusted."""
    net.gate.known_hosts.write_text("")
    error = await net.failure()
    assert HostKeyUnknownError is type(error)
    assert "box: its jump host gate: " in str(error)
    assert "`sshsched hosts trust gate`" in str(error)

    other = Sshd.public(make_key(tmp_path / "other"))
    net.gate.known_hosts.write_text(f"[127.0.0.1]:{net.gate.port} {other}\n")
    assert HostKeyChangedError is type(await net.failure())
    assert 0 == net.logins(net.gate)


async def test_the_hosts_key_is_checked_behind_a_jump(net: Net) -> None:
    """Behind a trusted jump host the host itself is checked as strictly."""
    net.box.known_hosts.write_text("")

    error = await net.failure()

    assert HostKeyUnknownError is type(error)
    assert "`sshsched hosts trust box`" in str(error)
    assert 0 == net.logins(net.box)


async def test_a_rejected_login_at_the_jump_host(net: Net) -> None:
    """A jump host that does not let us in is named."""
    net.gate.authorized_keys.write_text("")

    error = await net.failure()

    assert LoginRejectedError is type(error)
    assert "its jump host gate: none of our keys" in str(error)


async def test_a_host_that_its_jump_host_cannot_reach(net: Net) -> None:
    """What the jump host says of the way on is told."""
    net.box.stop()
    assert HostRefusedError is type(await net.failure())

    net.config.write_text(net.config.read_text().replace("HostName 127.0.0.1", "HostName nowhere.invalid", 1))
    error = await net.failure()
    assert type(error) in (HostNameError, HostError)
    assert "nowhere.invalid" in str(error)

    net.write("ProxyJump gate")
    net.gate.restart(AllowTcpForwarding="no")
    error = await net.failure()
    assert HostConfigError is type(error)
    assert "AllowTcpForwarding" in str(error)


async def test_jumps_in_a_circle(net: Net) -> None:
    """Jump hosts that lead to each other are an error, not an endless walk."""
    net.write("ProxyJump gate", gate="ProxyJump inner", inner="ProxyJump gate")

    assert "circle: box > gate > inner" in str(await net.failure())


async def test_nothing_of_the_way_is_left(net: Net) -> None:
    """When the connection ends, so do those to the jump hosts, also after a failure."""
    net.write("ProxyJump gate,inner")
    await net.answer()
    net.box.authorized_keys.write_text("")
    await net.failure()

    assert (2, 2) == (net.logins(net.gate), net.logins(net.inner))
    for server in (net.gate, net.inner, net.box):
        assert await until(lambda server=server: not server.connections())


async def test_a_link_dies_with_its_jump_host(net: Net) -> None:
    """When the jump host goes, reads end and the connection says that it is gone."""
    connection = await SshTransport(Host("box"), Doors(), paths=net.paths).connect()
    channel = await connection.open()
    net.gate.drop_connections()

    assert b"" == await channel.read(10)
    await connection.wait_closed()


async def test_scan_through_a_jump_host(net: Net) -> None:
    """The key of a host behind a jump host can be looked at, though nobody logs in there."""
    net.box.known_hosts.write_text("")

    scanned = await scan(Host("box"), paths=net.paths)

    assert f"[127.0.0.1]:{net.box.port} {Sshd.public(net.box.host_key)}" == scanned.line
    assert (1, 0) == (net.logins(net.gate), net.logins(net.box))


async def test_trust_stops_at_an_unknown_jump_host(net: Net) -> None:
    """The key that is missing is the gate's, and the message says so: the box has not been asked for its own."""
    net.gate.known_hosts.unlink()

    with pytest.raises(HostKeyUnknownError, match="its jump host gate: its host key is not known"):
        await scan(Host("box"), paths=net.paths)


async def test_proxy_command(net: Net) -> None:
    """ProxyCommand is run by a shell with its tokens, and its words on stderr do not disturb the stream."""
    net.write(f"ProxyCommand sh -c 'echo hello >&2; exec ssh -q -F {net.config} -W %h:%p gate'")

    assert f"{net.box.port}\n".encode() == await net.answer()
    assert 1 == net.logins(net.gate)


async def test_proxy_command_fails(net: Net) -> None:
    """What a ProxyCommand says before it gives up is kept as evidence."""
    net.write("ProxyCommand echo no way >&2; exit 1")

    error = await net.failure()

    assert "the proxy command said: no way" in str(error)
    assert not error.permanent


async def test_proxy_command_hangs(net: Net) -> None:
    """A mute ProxyCommand is given up, and its process ended."""
    net.write(f"ProxyCommand sh -c 'echo $$ > {net.config}.pid; exec sleep 1000'")

    error = await net.failure(Limits(handshake=0.5))

    assert HostTimeoutError is type(error)
    with pytest.raises(ProcessLookupError):
        os.kill(int(net.read("pid")), 0)
