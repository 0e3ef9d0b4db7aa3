"""One ssh handshake and login over a stream that is already open.

Rule: the host key is checked before anything else, always, against exactly the known_hosts files of the target.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import asyncssh
from asyncssh.encryption import get_encryption_algs
from asyncssh.kex import get_kex_algs
from asyncssh.mac import get_mac_algs
from asyncssh.public_key import get_default_certificate_algs, get_default_public_key_algs, get_public_key_algs

from sshsched.remote.known_hosts import Entry, Known
from sshsched.remote.patterns import matches
from sshsched.remote.ssh_keys import Keyring
from sshsched.remote.target import Target

_CIPHERS = "^aes256-gcm@openssh.com,aes128-gcm@openssh.com"  # half as fast again as asyncssh's first choice


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, except for the count. A silent link is given up after (count + 1) intervals."""

    connect: float = 5.0
    handshake: float = 20.0
    keepalive_interval: float = 3.0
    keepalive_count: int = 3


@dataclass
class Client(asyncssh.SSHClient):
    """What one login saw; asyncssh asks it for keys and tells it the rest."""

    ring: Keyring
    on_lost: Callable[[], None]
    shown: asyncssh.SSHKey | None = None
    """The host key, if it is not among the trusted ones."""
    authority: asyncssh.SSHKey | None = None
    """Who signed the host's certificate, if that is not a trusted one."""
    offered: list[str] = field(default_factory=list)
    banner: str = ""
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    connection: asyncssh.SSHClientConnection | None = None

    @property
    def greeted(self) -> bool:
        """Something that speaks ssh has answered."""
        return bool(self.connection and self.connection.get_extra_info("server_version"))

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self.connection = conn

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()
        self.on_lost()

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.shown = key
        return False

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.authority = key
        return False

    def auth_banner_received(self, msg: str, lang: str) -> None:
        self.banner += msg

    def public_key_auth_requested(self) -> asyncssh.SSHKeyPair | None:
        if not self.ring.pairs:
            return None
        pair = self.ring.pairs.pop(0)
        self.offered.append(self.ring.describe(pair))
        return pair


async def log_in(
    target: Target,
    known: Known,
    client: Client,
    limits: Limits,
    sock: socket.socket | None,
    tunnel: asyncssh.SSHClientConnection | None,
) -> asyncssh.SSHClientConnection:
    """Handshake and login. Raises what asyncssh raises, OSError and TimeoutError: `ssh_errors.explain` knows them."""
    trusted = _import(known.keys)
    async with asyncio.timeout(limits.handshake):
        return await asyncssh.connect(
            target.address,
            target.port,
            sock=sock,
            tunnel=tunnel or None,
            config=None,
            client_factory=lambda: client,
            known_hosts=(trusted, _import(known.authorities), _import(known.revoked)),
            host_key_alias=target.alias,
            server_host_key_algs=_host_key_algorithms(target, known, trusted),
            encryption_algs=_allowed(target.algorithms.get("ciphers", _CIPHERS), get_encryption_algs()),
            mac_algs=_allowed(target.algorithms.get("macs"), get_mac_algs()),
            kex_algs=_allowed(target.algorithms.get("kexalgorithms"), get_kex_algs()),
            signature_algs=_allowed(target.algorithms.get("casignaturealgorithms"), get_public_key_algs()),
            compression_algs=None,
            username=target.user,
            client_keys=None,  # asked of the client above, one by one
            preferred_auth="publickey",
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            gss_auth=False,
            gss_kex=False,
            x509_trusted_certs=None,
            agent_forwarding=False,
            x11_forwarding=False,
            env=None,
            send_env=None,
            request_pty=False,
            login_timeout=0,
            keepalive_interval=limits.keepalive_interval,
            keepalive_count_max=limits.keepalive_count,
        )


def _import(entries: Sequence[Entry]) -> list[asyncssh.SSHKey]:
    """Keys that asyncssh can handle; others could not be shown to us either."""
    keys = []
    for entry in entries:
        try:
            keys.append(asyncssh.import_public_key(entry.public_line))
        except asyncssh.KeyImportError:
            continue
    return keys


def _host_key_algorithms(
    target: Target, known: Known, trusted: Sequence[asyncssh.SSHKey]
) -> str | list[str] | tuple[()]:
    """Kinds of which we know a key come first, as with ssh, or a host with several keys would look changed.

    The others follow: a host that has lost the known kind must be seen as changed, not as speaking another language.
    """
    if wanted := target.algorithms.get("hostkeyalgorithms"):
        return _allowed(wanted, get_default_certificate_algs() + get_public_key_algs())
    certificates = get_default_certificate_algs() if known.authorities else []
    ours = [algorithm for key in trusted for algorithm in key.sig_algorithms]
    usable = get_default_public_key_algs()
    found = dict.fromkeys(certificates + [a for a in ours if a in get_public_key_algs()] + usable)
    return [algorithm.decode() for algorithm in found]


def _allowed(wanted: str | None, possible: list[bytes]) -> str | tuple[()]:
    """A list of ssh_config without the algorithms that only OpenSSH has. () is asyncssh's own choice."""
    if not wanted:
        return ()
    prefix = wanted[0] if wanted[0] in "+-^" else ""
    names = [alg.decode() for alg in possible]
    known = [p for p in wanted.removeprefix(prefix).split(",") if any(matches(p, name) for name in names)]
    if known:
        return prefix + ",".join(known)
    if prefix:
        return ()
    raise ValueError(f"asyncssh has none of {wanted}")
