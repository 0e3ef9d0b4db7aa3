"""Logging in to a real sshd: what works, and one clear error for each thing that does not."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sshsched.domain.hosts import Host
from sshsched.errors import (
    HostConfigError,
    HostError,
    HostKeyChangedError,
    HostKeyRevokedError,
    HostKeyUnknownError,
    HostNameError,
    HostRefusedError,
    HostTimeoutError,
    LinkLostError,
    LoginRejectedError,
)
from sshsched.remote.doors import Doors
from sshsched.remote.ssh import SshTransport
from sshsched.remote.ssh_login import Limits
from sshsched.remote.transport import Channel
from tests.sshd import Sshd, SshdFactory, account, free_port, make_key
from tests.support import until, wait_until
from tests.tcp_proxy import TO_CLIENT, TcpProxy

QUICK = Limits(connect=2, handshake=2, keepalive_interval=0.1, keepalive_count=2)


def transport(server: Sshd, limits: Limits | None = None, host: Host | None = None) -> SshTransport:
    return SshTransport(host or Host(server.name), Doors(), paths=server.paths, limits=limits)


def run(*command: str, **env: str) -> str:
    """What a program of OpenSSH's prints."""
    done = subprocess.run(
        command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env={**os.environ, **env}
    )
    return done.stdout


async def everything(channel: Channel) -> bytes:
    parts = []
    while data := await channel.read(65536):
        parts.append(data)
    return b"".join(parts)


async def say(server: Sshd, text: str, **kwargs: Host) -> bytes:
    """What a shell on a fresh connection answers to some text."""
    connection = await transport(server, **kwargs).connect()
    try:
        channel = await connection.open()
        channel.write(f"{text}\nexit\n".encode())
        return await everything(channel)
    finally:
        connection.close()
        await connection.wait_closed()


async def failure(server: Sshd, kind: type[HostError], limits: Limits = QUICK, host: Host | None = None) -> HostError:
    """The error of a login that must fail in exactly this way."""
    with pytest.raises(HostError) as caught:
        await transport(server, limits, host).connect()
    assert kind is type(caught.value), str(caught.value)
    assert str(caught.value).startswith(f"{server.name}: ")
    assert "\n" not in str(caught.value)
    return caught.value


async def test_a_shell_talks(sshd: Sshd) -> None:
    """A bare /bin/sh behind a login takes lines and answers."""
    assert b"hello\n" == await say(sshd, "echo hello")


async def test_no_terminal_and_no_foreign_environment(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of ours reaches the host: no terminal, agent, display or variables, whatever ssh_config asks for."""
    monkeypatch.setenv("LC_SSHSCHED", "leak")
    asks = "ForwardAgent yes\nForwardX11 yes\nSendEnv LC_*\nSetEnv LC_SSHSCHED=leak\nRequestTTY force"
    sshd.config.write_text(sshd.block(more=asks))
    sshd.restart(AcceptEnv="*")

    answer = await say(sshd, 'echo "$LC_SSHSCHED$SSH_AUTH_SOCK$DISPLAY$SSH_TTY."; [ -t 0 ] || echo no terminal')

    assert b".\nno terminal\n" == answer


async def test_a_remote_command_of_ssh_config_is_not_run(sshd: Sshd) -> None:
    """RemoteCommand is for people at a terminal."""
    sshd.config.write_text(sshd.block(more="RemoteCommand echo wrong"))

    assert b"right\n" == await say(sshd, "echo right")


async def test_hosts_yaml_wins_over_ssh_config(sshd: Sshd) -> None:
    """Address, user, port and identity of hosts.yaml override those of ssh_config."""
    wrong = sshd.block().replace(f"Port {sshd.port}", "Port 1").replace("127.0.0.1", "nowhere.invalid")
    sshd.config.write_text(wrong.replace(f"User {sshd.user}", "User nobody").replace(f"{sshd.key}\n", "/nonexistent\n"))
    entry = Host("box", address="127.0.0.1", user=sshd.user, port=sshd.port, identity=(str(sshd.key),))

    assert b"hello\n" == await say(sshd, "echo hello", host=entry)


async def test_an_alias_may_carry_user_and_port(sshd: Sshd) -> None:
    """user@alias:port works as in ProxyJump."""
    wrong = sshd.block().replace(f"Port {sshd.port}", "Port 1").replace(f"User {sshd.user}", "User nobody")
    sshd.config.write_text(wrong)

    assert b"hello\n" == await say(sshd, "echo hello", host=Host(f"{sshd.user}@box:{sshd.port}"))


async def test_unknown_host_key(sshd: Sshd) -> None:
    """A key in no file is refused, with its fingerprint and the way to trust it."""
    sshd.known_hosts.write_text("")
    shown = run("ssh-keygen", "-lf", f"{sshd.host_key}.pub")

    error = await failure(sshd, HostKeyUnknownError)

    assert shown.split()[1] in str(error)
    assert "`sshsched hosts trust box`" in str(error)


@pytest.mark.parametrize("strict", ["no", "off", "accept-new", "ask"])
async def test_strict_whatever_ssh_config_says(sshd: Sshd, strict: str) -> None:
    """StrictHostKeyChecking cannot soften anything."""
    sshd.known_hosts.write_text("")
    sshd.config.write_text(sshd.block(more=f"StrictHostKeyChecking {strict}"))

    await failure(sshd, HostKeyUnknownError)


async def test_user_known_hosts_file_none_is_refused(sshd: Sshd) -> None:
    """`UserKnownHostsFile none` does not switch the check off: it is an error with its place."""
    sshd.config.write_text(sshd.block().replace(str(sshd.known_hosts), "none"))

    error = await failure(sshd, HostConfigError)

    assert f"{sshd.config}:8: userknownhostsfile: `none`" in str(error)


async def test_changed_host_key(sshd: Sshd, tmp_path: Path) -> None:
    """Another key than the known one is refused, with the file, the line, both fingerprints and the remedy."""
    old = Sshd.public(make_key(tmp_path / "old"))
    sshd.known_hosts.write_text(f"# old times\n[127.0.0.1]:{sshd.port} {old}\n")

    error = await failure(sshd, HostKeyChangedError)

    assert f"{sshd.known_hosts}:2 has ssh-ed25519 SHA256:" in str(error)
    assert f"`ssh-keygen -R '[127.0.0.1]:{sshd.port}' -f {sshd.known_hosts}`" in str(error)
    assert error.permanent


async def test_changed_to_another_kind_of_key(sshd: Sshd, tmp_path: Path) -> None:
    """A host that no longer has the kind of key that we know is changed, not speaking another language."""
    make_key(tmp_path / "ecdsa", kind="ecdsa")
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {Sshd.public(tmp_path / 'ecdsa')}\n")

    await failure(sshd, HostKeyChangedError)


async def test_the_known_one_of_several_host_keys_is_asked_for(sshd: Sshd, tmp_path: Path) -> None:
    """A host with several keys is known by any one of them."""
    make_key(tmp_path / "rsa", kind="rsa")
    sshd.restart(HostKey=[str(sshd.host_key), str(tmp_path / "rsa")])
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {Sshd.public(tmp_path / 'rsa')}\n")

    assert b"hello\n" == await say(sshd, "echo hello")


async def test_revoked_host_key(sshd: Sshd) -> None:
    """A revoked key is refused, also where another line knows it."""
    sshd.known_hosts.write_text(sshd.known_hosts.read_text() + f"@revoked * {Sshd.public(sshd.host_key)}\n")

    error = await failure(sshd, HostKeyRevokedError)

    assert f"{sshd.known_hosts}:2" in str(error)


async def test_host_certificate(sshd: Sshd, tmp_path: Path) -> None:
    """A host with a certificate of a known authority is known; one of another authority is not; nor a revoked one."""
    authority = make_key(tmp_path / "ca")
    run("ssh-keygen", "-q", "-s", str(authority), "-I", "box", "-h", "-n", "127.0.0.1", f"{sshd.host_key}.pub")
    sshd.restart(HostCertificate=f"{sshd.host_key}-cert.pub")
    name = f"[127.0.0.1]:{sshd.port}"

    sshd.known_hosts.write_text(f"@cert-authority {name} {Sshd.public(authority)}\n")
    assert b"hello\n" == await say(sshd, "echo hello")

    sshd.known_hosts.write_text(f"@cert-authority {name} {Sshd.public(make_key(tmp_path / 'other'))}\n")
    await failure(sshd, HostKeyUnknownError)

    marks = f"@cert-authority {name} {Sshd.public(authority)}\n@revoked {name} {Sshd.public(sshd.host_key)}\n"
    sshd.known_hosts.write_text(marks)
    await failure(sshd, HostKeyRevokedError)


async def test_host_key_alias(sshd: Sshd) -> None:
    """HostKeyAlias is the name in known_hosts, without a port."""
    sshd.config.write_text(sshd.block(more="HostKeyAlias the-box"))
    sshd.known_hosts.write_text(f"the-box {Sshd.public(sshd.host_key)}\n")

    assert b"hello\n" == await say(sshd, "echo hello")


async def test_rejected_key(sshd: Sshd) -> None:
    """A login that no key opens names the account, the keys and the way to have one opened."""
    sshd.authorized_keys.write_text("")

    error = await failure(sshd, LoginRejectedError)

    assert f"the account '{sshd.user}': tried {sshd.key}" in str(error)
    assert "authorized_keys: ssh-copy-id box" in str(error)


async def test_no_key_at_all(sshd: Sshd, tmp_path: Path) -> None:
    """Without a key we say so, and which file is missing."""
    sshd.config.write_text(sshd.block().replace(str(sshd.key), str(tmp_path / "gone")))

    error = await failure(sshd, LoginRejectedError)

    assert f"we have no key for the account '{sshd.user}'; {tmp_path}/gone does not exist" in str(error)


async def test_encrypted_key_without_an_agent(sshd: Sshd, tmp_path: Path) -> None:
    """A key behind a passphrase is named together with ssh-add."""
    locked = make_key(tmp_path / "locked", passphrase="open sesame")
    sshd.config.write_text(sshd.block().replace(str(sshd.key), str(locked)))

    error = await failure(sshd, LoginRejectedError)

    assert f"{locked} is encrypted and no agent holds it: ssh-add {locked}" in str(error)


async def test_key_that_others_may_read(sshd: Sshd) -> None:
    """A private key open to others is not used, as with ssh, and chmod is named."""
    sshd.key.chmod(0o644)

    error = await failure(sshd, LoginRejectedError)

    assert f"{sshd.key} may be read by others (mode 0644), so it is not used: chmod 600 {sshd.key}" in str(error)


async def test_too_many_keys(sshd: Sshd, tmp_path: Path) -> None:
    """When sshd has had enough of our keys, the remedy is to name the right one."""
    keys = "".join(f"IdentityFile {make_key(tmp_path / f'id{number}')}\n" for number in range(4))
    sshd.config.write_text(sshd.block().replace(f"IdentityFile {sshd.key}\n", keys))
    sshd.restart(MaxAuthTries="2")

    assert "IdentitiesOnly yes" in str(await failure(sshd, LoginRejectedError))


async def test_name_not_resolved(sshd: Sshd) -> None:
    """A name that does not resolve is its own error, and may pass."""
    sshd.config.write_text(sshd.block().replace("127.0.0.1", "nowhere.invalid"))

    error = await failure(sshd, HostNameError, Limits())

    assert "'nowhere.invalid' does not resolve" in str(error)
    assert not error.permanent


async def test_refused(sshd: Sshd) -> None:
    """A port on which nobody listens is its own error."""
    sshd.stop()

    assert f"127.0.0.1 port {sshd.port} refused the connection" in str(await failure(sshd, HostRefusedError))


async def test_no_answer_to_a_connection(sshd: Sshd) -> None:
    """A TCP connection that nobody answers ends after its own limit."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            sshd.behind(port)

            error = await failure(sshd, HostTimeoutError, Limits(connect=0.3))

    assert "within 0.3 s" in str(error)


async def test_slow_banner(sshd: Sshd) -> None:
    """A listener that accepts and says nothing is told from a host that does not answer at all."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        sshd.behind(mute.getsockname()[1])

        error = await failure(sshd, HostTimeoutError, Limits(handshake=0.3))

    assert "connected, but it sent no ssh greeting within 0.3 s" in str(error)


async def test_stuck_handshake(sshd: Sshd) -> None:
    """A handshake that greets and then hangs is told apart from a mute one."""
    async with TcpProxy(sshd.port) as wire:
        sshd.behind(wire.port)
        login = asyncio.create_task(failure(sshd, HostTimeoutError, Limits(handshake=1)))
        await until(lambda: wire.passed[TO_CLIENT])
        wire.stall()

        assert "did not finish the handshake and login" in str(await login)


async def test_something_else_listens(sshd: Sshd) -> None:
    """A port that speaks another language is named as that."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 2000)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        sshd.behind(port)

        with pytest.raises(HostError, match="does not speak ssh"):
            await transport(sshd, QUICK).connect()


async def test_max_startups(sshd: Sshd) -> None:
    """A busy sshd that drops newcomers is a passing trouble."""
    sshd.restart(MaxStartups="1:100:1")
    with socket.create_connection(("127.0.0.1", sshd.port)) as first:
        assert first.recv(7)

        error = await failure(sshd, LinkLostError)

    assert "MaxStartups" in str(error)
    assert not error.permanent


async def test_at_most_so_many_handshakes_at_once(sshd: Sshd) -> None:
    """Twelve hosts behind one door never meet MaxStartups."""
    sshd.restart(MaxStartups="9:100:9")
    doors = Doors()
    ways = [SshTransport(Host("box"), doors, paths=sshd.paths) for _ in range(12)]

    links = await asyncio.gather(*(way.connect() for way in ways))

    assert 12 == len(links)
    for link in links:
        link.close()
        await link.wait_closed()


async def test_a_silent_host_holds_up_nobody_else(sshd: Sshd) -> None:
    """Who waits at a door that nobody opens keeps nobody from another one, however many they are."""
    async with TcpProxy(sshd.port) as wire:
        wire.stall()
        sshd.config.write_text(sshd.block() + sshd.block("silent", port=wire.port))
        doors = Doors(at_one=2, over_all=3)
        ways = [SshTransport(Host("silent"), doors, paths=sshd.paths) for _ in range(5)]
        waiting = [asyncio.create_task(way.connect()) for way in ways]
        await until(lambda: wire.accepted == 2)

        for _ in range(3):
            link = await SshTransport(Host("box"), doors, paths=sshd.paths).connect()
            link.close()
            await link.wait_closed()

        assert 2 == wire.accepted
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        assert not doors.handshakes.locked()


async def test_max_sessions(sshd: Sshd) -> None:
    """The session too many says so; the others live on, and a freed place can be used again."""
    sshd.restart(MaxSessions="2")
    connection = await transport(sshd).connect()
    first, second = await connection.open(), await connection.open()

    with pytest.raises(HostError, match="MaxSessions") as caught:
        await connection.open()
    assert not caught.value.permanent

    second.write(b"echo alive\n")
    assert b"alive\n" == await second.read(100)
    first.close()

    async def opens() -> bool:
        try:
            (await connection.open()).close()
        except HostError:
            return False
        return True

    assert await until(opens)
    connection.close()
    await connection.wait_closed()


async def test_forced_command(sshd: Sshd) -> None:
    """A forced command takes the place of the shell: what it says is there to be read, and nothing hangs."""
    sshd.restart(ForceCommand="echo only backups here; echo go away >&2; exit 3")
    connection = await transport(sshd).connect()
    channel = await connection.open()
    channel.write(b"echo hello\n" * 1000)

    assert b"only backups here\n" == await everything(channel)
    assert "go away\n" == channel.errors()
    connection.close()
    await connection.wait_closed()


async def test_nologin_shell(make_sshd: SshdFactory) -> None:
    """An account with nologin for a shell lets its own words through."""
    with account("/usr/sbin/nologin") as user:
        server = make_sshd(user=user.name)

        assert b"This account is currently not available" in await say(server, "echo hello")


async def test_nologin_account_is_expired(make_sshd: SshdFactory) -> None:
    """A locked account is a rejected login."""
    with account("/bin/sh") as user:
        server = make_sshd(user=user.name, DenyUsers=user.name)

        assert f"the account '{user.name}'" in str(await failure(server, LoginRejectedError))


@pytest.mark.parametrize("shell", ["/bin/dash", "/bin/bash", "/usr/bin/fish", "/usr/bin/tcsh", "/bin/zsh", "/bin/mksh"])
async def test_login_shells(make_sshd: SshdFactory, shell: str) -> None:
    """Whatever the login shell is, a bare /bin/sh answers."""
    with account(shell) as user:
        server = make_sshd(user=user.name)

        assert f"{user.home}\n".encode() == await say(server, 'echo "$HOME"')


async def test_banner_is_evidence(sshd: Sshd, tmp_path: Path) -> None:
    """What the host says before it turns us away is kept."""
    banner = tmp_path / "banner"
    banner.write_text("closed for maintenance\n")
    sshd.restart(Banner=str(banner), DenyUsers=sshd.user)

    assert "closed for maintenance\n" == (await failure(sshd, LoginRejectedError)).evidence


async def test_a_silent_link_is_noticed(sshd: Sshd) -> None:
    """A link that passes nothing on any more is given up within (count + 1) keepalive intervals, and reads end."""
    async with TcpProxy(sshd.port) as wire:
        sshd.behind(wire.port)
        connection = await transport(sshd, QUICK).connect()
        channel = await connection.open()
        channel.write(b"echo hello\n")
        assert b"hello\n" == await channel.read(100)
        began = time.monotonic()
        wire.forget()

        assert b"" == await channel.read(100)
        await connection.wait_closed()
        assert 3 > time.monotonic() - began

        channel.write(b"into the void\n")
        await channel.drain()
        with pytest.raises(LinkLostError):
            await connection.open()


async def test_keepalive_is_on_by_default() -> None:
    """Three seconds, three times, without being asked."""
    assert (3.0, 3) == (Limits().keepalive_interval, Limits().keepalive_count)


async def test_a_quiet_but_living_link_stays(sshd: Sshd) -> None:
    """Keepalive does not end a link on which merely nothing happens."""
    connection = await transport(sshd, QUICK).connect()
    channel = await connection.open()
    gone = asyncio.create_task(connection.wait_closed())
    await asyncio.wait([gone], timeout=1)

    assert not gone.done()
    channel.write(b"echo still here\n")
    assert b"still here\n" == await channel.read(100)
    connection.close()
    await gone


async def test_a_cut_link_is_noticed(sshd: Sshd) -> None:
    """When sshd's process for us dies, reads end and the connection says that it is gone."""
    connection = await transport(sshd).connect()
    channel = await connection.open()
    sshd.drop_connections()

    assert b"" == await channel.read(100)
    await connection.wait_closed()


async def test_connections_survive_a_restart_of_sshd(sshd: Sshd) -> None:
    """A restarted sshd leaves open connections alone."""
    connection = await transport(sshd).connect()
    sshd.restart()
    channel = await connection.open()
    channel.write(b"echo hello\nexit\n")

    assert b"hello\n" == await everything(channel)
    connection.close()
    await connection.wait_closed()


async def test_what_is_not_read_is_not_fetched(sshd: Sshd) -> None:
    """A channel that nobody reads holds the program up instead of filling our memory; then every byte arrives."""
    connection = await transport(sshd).connect()
    channel = await connection.open("head -c 30000000 /dev/zero | tr '\\0' x")
    await until(lambda: channel._paused)
    held = channel._waiting

    whole = await everything(channel)

    assert 8 * 1024 * 1024 > held
    assert 30_000_000 == len(whole) == whole.count(b"x")
    connection.close()
    await connection.wait_closed()


async def test_reads_take_no_more_than_asked(sshd: Sshd) -> None:
    """read(n) never gives more than n bytes, and loses none."""
    connection = await transport(sshd).connect()
    channel = await connection.open("printf 0123456789")

    parts = []
    while part := await channel.read(3):
        parts.append(part)

    assert b"0123456789" == b"".join(parts)
    assert 3 == max(map(len, parts))
    connection.close()
    await connection.wait_closed()


async def test_large_input_is_held_back_and_arrives(sshd: Sshd) -> None:
    """drain() waits while the host does not take what was written, and nothing is lost."""
    connection = await transport(sshd).connect()
    channel = await connection.open("sleep 0.3; head -c 20000000 | wc -c")
    for _ in range(20):
        channel.write(b"x" * 1_000_000)
        await channel.drain()

    assert b"20000000" == (await everything(channel)).strip()
    connection.close()
    await connection.wait_closed()


async def test_a_closed_channel_reads_as_ended(sshd: Sshd) -> None:
    """close() comes back at once, wakes a reader, and leaves the other channels alone."""
    connection = await transport(sshd).connect()
    one, other = await connection.open(), await connection.open()
    reader = asyncio.create_task(one.read(10))
    one.close()

    assert b"" == await reader
    other.write(b"echo hello\n")
    assert b"hello\n" == await other.read(100)
    connection.close()
    await connection.wait_closed()


async def test_a_given_up_login_leaves_no_socket(sshd: Sshd) -> None:
    """Cancelling a login closes what it opened."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        sshd.behind(mute.getsockname()[1])
        login = asyncio.create_task(transport(sshd).connect())
        mute.settimeout(5)
        peer, _ = await asyncio.to_thread(mute.accept)
        with peer:
            assert (await asyncio.to_thread(peer.recv, 100)).startswith(b"SSH-2.0-")
            login.cancel()
            with pytest.raises(asyncio.CancelledError):
                await login

            peer.settimeout(5)
            rest = await asyncio.to_thread(_drained, peer)

    assert rest


def _drained(peer: socket.socket) -> bool:
    """True once the other side has closed."""
    try:
        while peer.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


@contextmanager
def agent_with(key: Path, passphrase: str) -> Iterator[Path]:
    """The socket of a running ssh-agent that holds an encrypted key."""
    agent, ask = key.with_name("agent"), key.with_name("ask")
    ask.write_text(f"#!/bin/sh\necho {passphrase}\n")
    ask.chmod(0o700)
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(agent)], stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(agent.exists)
            asking = {"SSH_AUTH_SOCK": str(agent), "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"}
            run("ssh-add", "-q", str(key), **asking)
            yield agent
        finally:
            process.terminate()


async def test_agent(sshd: Sshd, tmp_path: Path) -> None:
    """A key that only the agent holds opens the door; an encrypted file is used through the agent."""
    locked = make_key(tmp_path / "locked", passphrase="open sesame")
    sshd.authorized_keys.write_text(Sshd.public(locked) + "\n")
    with agent_with(locked, "open sesame") as agent:
        config = sshd.block().replace("IdentityAgent none", f"IdentityAgent {agent}")

        sshd.config.write_text(config.replace(str(sshd.key), str(locked)))
        assert b"hello\n" == await say(sshd, "echo hello")

        sshd.config.write_text(config.replace("IdentitiesOnly yes", "IdentitiesOnly no"))
        assert b"hello\n" == await say(sshd, "echo hello")

        sshd.config.write_text(config)
        await failure(sshd, LoginRejectedError)

    sshd.config.write_text(config)
    assert f"no agent answers at {agent}" in str(await failure(sshd, LoginRejectedError))


async def test_user_certificate(sshd: Sshd, tmp_path: Path) -> None:
    """A certificate beside the key, or named by CertificateFile, opens the door."""
    authority = make_key(tmp_path / "ca")
    run("ssh-keygen", "-q", "-s", str(authority), "-I", "me", "-n", sshd.user, f"{sshd.key}.pub")
    trusted = sshd.authorized_keys.with_name("ca.pub")
    trusted.write_text(Sshd.public(authority) + "\n")
    sshd.restart(TrustedUserCAKeys=str(trusted))
    sshd.authorized_keys.write_text("")

    assert b"hello\n" == await say(sshd, "echo hello")

    elsewhere = tmp_path / "cert.pub"
    os.rename(f"{sshd.key}-cert.pub", elsewhere)  # noqa: PTH104  # Path would count as blocking here
    sshd.config.write_text(sshd.block(more=f"CertificateFile {elsewhere}"))
    assert b"hello\n" == await say(sshd, "echo hello")


async def test_openssh_algorithm_lists(sshd: Sshd) -> None:
    """Lists of ssh_config are honoured, names that only OpenSSH knows are passed over, and nonsense is an error."""
    more = "Ciphers aes256-ctr,something@openssh.com\nMACs hmac-sha2-512\nKexAlgorithms +nonsense"
    sshd.config.write_text(sshd.block(more=f"{more}\nHostKeyAlgorithms ssh-ed25519"))
    connection = await transport(sshd).connect()

    assert "aes256-ctr" == connection.link.get_extra_info("send_cipher")
    assert "none" == connection.link.get_extra_info("send_compression")
    connection.close()
    await connection.wait_closed()

    sshd.config.write_text(sshd.block(more="Ciphers nonsense"))
    await failure(sshd, HostConfigError)


async def test_no_common_algorithm(sshd: Sshd) -> None:
    """Two sides without a common algorithm say so, whoever of them notices first."""
    sshd.config.write_text(sshd.block(more="Ciphers aes128-ctr"))
    sshd.restart(Ciphers="aes256-ctr")

    with pytest.raises((HostConfigError, LinkLostError), match="no algorithm in common"):
        await transport(sshd).connect()


async def test_no_free_port_is_left_open(sshd: Sshd) -> None:
    """The fixture's own promise: after stop nobody listens, and no process of it lives."""
    pid = sshd.pid
    sshd.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert sshd.port != free_port()
