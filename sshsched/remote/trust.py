"""`sshsched hosts trust`: look at a host's key, and write it down once a person has said yes.

Rule: adds lines, never replaces or removes one. A changed or revoked key is refused with the remedy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sshsched.domain.hosts import Host
from sshsched.errors import HostConfigError, HostError, HostKeyChangedError, HostKeyUnknownError, LoginRejectedError
from sshsched.remote.doors import Doors
from sshsched.remote.known_hosts import Entry, find, fingerprint
from sshsched.remote.ssh import Way
from sshsched.remote.ssh_config import Paths
from sshsched.remote.ssh_login import Client, Limits
from sshsched.remote.target import Target


@dataclass(frozen=True, slots=True)
class Scan:
    """The key that a host shows, and how it stands to what is known."""

    host: str
    kind: str
    fingerprint: str
    line: str
    """What `trust` adds to `file`."""
    file: Path
    known: Entry | None = None
    """The line that already has this very key."""
    problem: HostError | None = None
    """Why the key must not be trusted: another one is known."""


async def scan(
    host: Host, *, hosts: Mapping[str, Host] | None = None, paths: Paths | None = None, limits: Limits | None = None
) -> Scan:
    """Ask a host for its key, through its jump hosts, which must be trusted already. No key of ours is offered.

    Raises HostError if the host cannot be asked, and HostKeyRevokedError.
    """
    way = Way(host, hosts or {}, paths or Paths.default(), limits or Limits(), Doors())
    problem: HostError | None = None
    try:
        (await way.enter(offer_keys=False)).close()
    except (HostKeyChangedError, HostKeyUnknownError, LoginRejectedError) as error:
        if way.client is None:
            raise  # a jump host said so, and nobody has asked the host itself
        problem = error if isinstance(error, HostKeyChangedError) else None
    assert way.found
    return _scanned(way.found.target, way.client, problem)


def _scanned(target: Target, client: Client | None, problem: HostError | None) -> Scan:
    key = client and (client.shown or (client.connection and client.connection.get_server_host_key()))
    if not key:
        raise problem or HostError(target.host, "it showed no plain host key; is it known by a certificate?")
    kind, blob = key.get_algorithm(), key.public_data
    public = key.export_public_key().decode().split()
    known = find(target.known_hosts, target.known_as)
    return Scan(
        host=target.host,
        kind=kind,
        fingerprint=fingerprint(blob),
        line=f"{target.known_as} {public[0]} {public[1]}",
        file=target.user_known_hosts[0],
        known=next((entry for entry in known.keys if entry.blob == blob), None),
        problem=problem,
    )


def trust(scanned: Scan) -> bool:
    """Add the key to the known_hosts file; False if it was there. Raises the scan's problem, and HostConfigError."""
    if scanned.problem:
        raise scanned.problem
    if scanned.known:
        return False
    file = scanned.file
    try:
        _append(file, scanned.line)
    except OSError as error:
        raise HostConfigError(scanned.host, f"cannot write {file}: {error.strerror}") from error
    return True


def _append(file: Path, line: str) -> None:
    if not file.parent.exists():
        file.parent.mkdir(mode=0o700, parents=True)
    if file.exists() and not file.is_file():
        raise FileExistsError(0, "it is no plain file; set UserKnownHostsFile to one")
    handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "r+b", buffering=0) as stream:
        size = stream.seek(0, os.SEEK_END)
        if size:
            stream.seek(size - 1)
        torn = bool(size) and stream.read(1) != b"\n"
        stream.write((b"\n" if torn else b"") + line.encode() + b"\n")
        os.fsync(handle)
