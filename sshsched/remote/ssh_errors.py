"""Turns what goes wrong in a login into one HostError that says what to do.

Rule: network failures are OSError, ssh's own are asyncssh.Error; whoever connects catches `FAILURES`, all of them.
"""

from __future__ import annotations

import asyncssh

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
from sshsched.remote.known_hosts import Entry, Known, fingerprint
from sshsched.remote.ssh_login import Client, Limits
from sshsched.remote.target import Target

FAILURES = (OSError, asyncssh.Error, ValueError, EOFError)


def explain(target: Target, known: Known, client: Client, limits: Limits, error: Exception) -> HostError:
    """The one HostError for an exception of `log_in`."""
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return _host_key(target, known, client, error)
    if isinstance(error, asyncssh.PermissionDenied) or "Too many authentication failures" in str(error):
        return _rejected(target, client, error)
    if isinstance(error, asyncssh.ChannelOpenError):
        return _tunnel(target, error)
    if isinstance(error, TimeoutError):
        stage = "did not finish the handshake and login" if client.greeted else "sent no ssh greeting"
        return HostTimeoutError(target.host, f"connected, but it {stage} within {limits.handshake:g} s", client.banner)
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return HostConfigError(target.host, f"no algorithm in common with the host: {error}")
    if isinstance(error, ValueError):
        return HostConfigError(target.host, f"cannot connect as ssh_config asks for: {error}")
    if isinstance(error, asyncssh.ProtocolNotSupported | asyncssh.ProtocolError):
        return HostError(target.host, f"port {target.port} does not speak ssh as it should: {error}", client.banner)
    return _closed(target, client, error)


def through_jump(host: str, jump: str, error: HostError) -> HostError:
    """The same trouble, told of the host that lies behind the jump host."""
    return type(error)(host, f"its jump host {jump}: {error.message}", error.evidence)


def channel_error(host: str, error: Exception, *, lost: bool) -> HostError:
    """Why no channel could be opened on a connection."""
    if lost:
        return LinkLostError(host, "the connection is gone")
    if isinstance(error, TimeoutError):
        return HostTimeoutError(host, "the host opened no session in time")
    if isinstance(error, asyncssh.ChannelOpenError) and error.code == asyncssh.OPEN_REQUEST_SESSION_FAILED:
        return HostError(host, "the host opened a session, but refused to start a program in it")
    return HostError(
        host, f"the host allows no further session on this connection (MaxSessions in sshd_config): {error}"
    )


def unknown_key(target: Target, blob: bytes, kind: str) -> HostKeyUnknownError:
    return HostKeyUnknownError(
        target.host,
        f"its host key is not known yet: {kind} {fingerprint(blob)}. If that is what its owner says, "
        f"run `sshsched hosts trust {target.host}`",
    )


def changed_key(target: Target, blob: bytes, kind: str, old: Entry) -> HostKeyChangedError:
    return HostKeyChangedError(
        target.host,
        f"its host key has CHANGED: it shows {kind} {fingerprint(blob)}, but {old.place} has {old.kind} "
        f"{old.fingerprint}. Somebody may be listening in. If it was installed anew, run "
        f"`ssh-keygen -R '{_name_in(target, old)}' -f {old.file}`, then `sshsched hosts trust {target.host}`",
    )


def revoked_key(target: Target, revoked: Entry | None) -> HostKeyRevokedError:
    place = f" by {revoked.place}" if revoked else ""
    return HostKeyRevokedError(
        target.host, f"its host key is revoked{place}: do not trust it; the host needs a new key"
    )


def _name_in(target: Target, entry: Entry) -> str:
    return target.known_as if entry.covers(target.known_as) else target.address


def _host_key(target: Target, known: Known, client: Client, error: Exception) -> HostError:
    if "revoked" in str(error):
        return revoked_key(target, known.revoked[0] if len(known.revoked) == 1 else None)
    if client.shown:
        blob, kind = client.shown.public_data, client.shown.get_algorithm()
        return changed_key(target, blob, kind, known.keys[0]) if known.keys else unknown_key(target, blob, kind)
    if client.authority:
        return HostKeyUnknownError(
            target.host,
            f"its host certificate is signed by {fingerprint(client.authority.public_data)}, which is no "
            f"@cert-authority for {target.known_as} in {target.known_hosts[0]}",
        )
    return HostKeyUnknownError(target.host, f"its host certificate is not valid: {error}")


def _rejected(target: Target, client: Client, error: Exception) -> LoginRejectedError:
    tried = f"we have no key for the account {target.user!r}"
    if client.offered:
        tried = f"none of our keys opens the account {target.user!r}: tried {', '.join(client.offered)}; "
        tried += (
            "sshd then allowed no more tries: name the right key with IdentityFile and IdentitiesOnly yes"
            if "Too many" in str(error)
            else f"one of ours must stand in its authorized_keys: ssh-copy-id {target.host}"
        )
    notes = "".join(f"; {note}" for note in client.ring.notes)
    return LoginRejectedError(target.host, f"{tried}{notes}", client.banner)


def _closed(target: Target, client: Client, error: Exception) -> LinkLostError:
    if client.greeted:
        text = "the host closed the connection during the handshake; its sshd logs why (no algorithm in common?)"
    else:
        text = "the host closed the connection at once: sshd is too busy (MaxStartups), or shuts us out for a while"
    return LinkLostError(target.host, f"{text} ({error or type(error).__name__})", client.banner)


def _tunnel(target: Target, error: asyncssh.ChannelOpenError) -> HostError:
    """The jump host let us in, but could not or would not connect further."""
    where, why = f"{target.address} port {target.port}", error.reason
    text = why.lower()
    if "refused" in text:
        return HostRefusedError(target.host, f"{where} refused the connection from its jump host")
    if "not known" in text or "resolve" in text:
        return HostNameError(target.host, f"its jump host does not know the name {target.address!r} ({why})")
    if "timed out" in text:
        return HostTimeoutError(target.host, f"its jump host got no answer from {where}")
    if error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED:
        return HostConfigError(
            target.host, f"its jump host forbids to go on to {where}: it needs AllowTcpForwarding in sshd_config"
        )
    return HostError(target.host, f"its jump host cannot connect to {where}: {why}")
