"""The keys that we offer to a host, in which order, and what we could not use.

Rule: nobody is asked for a passphrase. Keys that were asked for come before the agent's others, so that sshd's
MaxAuthTries (6) is not used up by strangers.
"""

from __future__ import annotations

import asyncio
import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from sshsched.remote.target import Target, default_identities

AGENT_LIMIT = 5.0  # seconds for the agent to list its keys


@dataclass(slots=True)
class Keyring:
    """Key pairs in the order in which they are offered. `notes` say what could not be used, and why."""

    pairs: list[asyncssh.SSHKeyPair] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    names: dict[bytes, str] = field(default_factory=dict)
    """Where each public key comes from."""
    agent: asyncssh.SSHAgentClient | None = None

    def describe(self, pair: asyncssh.SSHKeyPair) -> str:
        """A key for people: its file, or its comment in the agent."""
        return self.names.get(pair.key_public_data) or "a key without a name"

    async def close(self) -> None:
        """Let go of the agent; the pairs that it holds are of no use afterwards."""
        if self.agent:
            self.agent.close()
            await self.agent.wait_closed()


async def gather(target: Target, files: Sequence[KeyFile], ring: Keyring) -> None:
    """Put all keys that may open the target on the ring. A key that cannot be used becomes a note, never an error."""
    held = await _ask_agent(target, ring)
    for file in files:
        ring.names |= {pair.key_public_data: str(file.path) for pair in file.pairs}
    ours = [pair for file in files for pair in _pairs_of(file, held)]
    strangers = [] if target.identities_only else list(held.values())
    pairs = _without_doubles(ours + strangers if target.identities else strangers + ours)
    ring.pairs = [pair for found in pairs for pair in _with_certificates(found, target.certificates)]
    ring.notes += [file.note for file in files if file.note and file.public not in held]


@dataclass(slots=True)
class KeyFile:
    """A private key file. `public` is b"" where only the passphrase would tell it, `note` why the key is of no use."""

    path: Path
    pairs: Sequence[asyncssh.SSHKeyPair] = ()
    public: bytes = b""
    note: str | None = None


def read_keys(target: Target) -> list[KeyFile]:
    """The private keys of the target, or those that ssh tries when nobody names one. Blocks."""
    files = [KeyFile(path) for path in target.identities or default_identities()]
    for file in files:
        file.note = _read(file, asked=bool(target.identities))
    return files


async def _ask_agent(target: Target, ring: Keyring) -> dict[bytes, asyncssh.SSHKeyPair]:
    if not target.agent:
        return {}
    try:
        async with asyncio.timeout(AGENT_LIMIT):
            ring.agent = await asyncssh.connect_agent(target.agent)
            held = {pair.key_public_data: pair for pair in await ring.agent.get_keys()}
    except (OSError, ValueError, TimeoutError) as error:
        ring.notes.append(f"no agent answers at {target.agent} ({error or 'too slow'})")
        return {}
    ring.names = {public: f"{pair.get_comment() or 'a key'} (agent)" for public, pair in held.items()}
    return held


def _read(file: KeyFile, *, asked: bool) -> str | None:
    """Fills `file`; returns a note if its private key cannot be used."""
    path = file.path
    file.public = _public(path)
    try:
        stat = path.stat()
        mode = stat.st_mode
        if mode & 0o077 and stat.st_uid == os.getuid():  # as ssh does
            return f"{path} may be read by others (mode {mode & 0o777:04o}), so it is not used: chmod 600 {path}"
        file.pairs = asyncssh.load_keypairs([str(path)])
    except FileNotFoundError:
        return f"{path} does not exist" if asked else None
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError, ValueError) as error:
        if isinstance(error, asyncssh.KeyEncryptionError) or "assphrase" in str(error):
            return f"{path} is encrypted and no agent holds it: ssh-add {path}"
        return f"{path} is no private key that we can use: {error}"
    return None


def _public(path: Path) -> bytes:
    """The public half, from `path`.pub or from `path` itself, which may be a public key whose agent has the rest."""
    for name in (f"{path}.pub", str(path)):
        try:
            return asyncssh.read_public_key(name).public_data
        except (OSError, ValueError):
            continue
    return b""


def _pairs_of(file: KeyFile, held: dict[bytes, asyncssh.SSHKeyPair]) -> list[asyncssh.SSHKeyPair]:
    """A key that the agent holds is used from there."""
    return [held[file.public]] if file.public in held else list(file.pairs)


def _without_doubles(pairs: list[asyncssh.SSHKeyPair]) -> list[asyncssh.SSHKeyPair]:
    seen: dict[bytes, asyncssh.SSHKeyPair] = {}
    for pair in pairs:
        seen.setdefault(pair.public_data, pair)
    return list(seen.values())


def _with_certificates(pair: asyncssh.SSHKeyPair, files: tuple[Path, ...]) -> list[asyncssh.SSHKeyPair]:
    """The pair, after itself with each certificate of CertificateFile that is made for it."""
    found = []
    for file in files:
        try:
            certificate = asyncssh.read_certificate(str(file))
        except (OSError, ValueError):
            continue
        if certificate.key.public_data == pair.key_public_data and not pair.has_cert:
            certified = copy.copy(pair)
            certified.set_certificate(certificate)
            found.append(certified)
    return [*found, pair]
