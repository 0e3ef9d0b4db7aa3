"""`hosts trust` looks at a key and writes it down, and never overrules what is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from sshsched.domain.hosts import Host
from sshsched.errors import HostConfigError, HostKeyChangedError, HostKeyRevokedError, HostRefusedError
from sshsched.remote.doors import Doors
from sshsched.remote.known_hosts import find
from sshsched.remote.ssh import SshTransport
from sshsched.remote.trust import scan, trust
from tests.sshd import Sshd, make_key

BOX = Host("box")


async def test_trust_makes_the_host_known(sshd: Sshd) -> None:
    """After trust the login works; the file is private, has the key once, and no key of ours was offered before."""
    sshd.known_hosts.unlink()
    scanned = await scan(BOX, paths=sshd.paths)
    assert "Accepted" not in sshd.log.read_text()

    assert trust(scanned)

    assert f"[127.0.0.1]:{sshd.port} {Sshd.public(sshd.host_key)}\n" == sshd.known_hosts.read_text()
    assert 0o600 == sshd.known_hosts.stat().st_mode & 0o777
    connection = await SshTransport(BOX, Doors(), paths=sshd.paths).connect()
    connection.close()
    await connection.wait_closed()


async def test_the_fingerprint_is_shown(sshd: Sshd, tmp_path: Path) -> None:
    """What a person is asked about is the key's kind and fingerprint."""
    scanned = await scan(BOX, paths=sshd.paths)
    (entry,) = find([sshd.known_hosts], f"[127.0.0.1]:{sshd.port}").keys

    assert ("ssh-ed25519", entry.fingerprint) == (scanned.kind, scanned.fingerprint)


async def test_a_known_key_is_not_written_again(sshd: Sshd) -> None:
    """Trusting twice writes once, and says where the key is."""
    before = sshd.known_hosts.read_text()
    scanned = await scan(BOX, paths=sshd.paths)

    assert not trust(scanned)
    assert f"{sshd.known_hosts}:1" == scanned.known.place
    assert before == sshd.known_hosts.read_text()


async def test_a_changed_key_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    """A host with another key than the known one cannot be trusted by accident."""
    text = f"[127.0.0.1]:{sshd.port} {Sshd.public(make_key(tmp_path / 'old'))}\n"
    sshd.known_hosts.write_text(text)
    scanned = await scan(BOX, paths=sshd.paths)

    with pytest.raises(HostKeyChangedError, match="ssh-keygen -R"):
        trust(scanned)

    assert text == sshd.known_hosts.read_text()


async def test_a_revoked_key_is_refused(sshd: Sshd) -> None:
    """A revoked key is not even offered for trust."""
    sshd.known_hosts.write_text(f"@revoked * {Sshd.public(sshd.host_key)}\n")

    with pytest.raises(HostKeyRevokedError):
        await scan(BOX, paths=sshd.paths)


async def test_a_torn_last_line_stays_its_own(sshd: Sshd) -> None:
    """A file without a newline at its end gets one before the new line."""
    sshd.known_hosts.write_text("other ssh-ed25519 AAAA")

    trust(await scan(BOX, paths=sshd.paths))

    assert ["other ssh-ed25519 AAAA", f"[127.0.0.1]:{sshd.port} {Sshd.public(sshd.host_key)}"] == (
        sshd.known_hosts.read_text().splitlines()
    )


async def test_a_missing_folder_is_made_private(sshd: Sshd, tmp_path: Path) -> None:
    """Somebody without ~/.ssh gets one that only they can enter."""
    folder = tmp_path / "new" / ".ssh"
    sshd.config.write_text(sshd.block().replace(str(sshd.known_hosts), str(folder / "known_hosts")))

    trust(await scan(BOX, paths=sshd.paths))

    assert 0o700 == folder.stat().st_mode & 0o777


async def test_a_place_that_cannot_be_written(sshd: Sshd) -> None:
    """/dev/null as known_hosts file is an error with a remedy, not a key that is written nowhere."""
    sshd.config.write_text(sshd.block().replace(str(sshd.known_hosts), "/dev/null"))
    scanned = await scan(BOX, paths=sshd.paths)

    with pytest.raises(HostConfigError, match="/dev/null: it is no plain file; set UserKnownHostsFile"):
        trust(scanned)


async def test_host_key_alias_is_the_name_that_is_written(sshd: Sshd) -> None:
    """The line carries the name under which the key will be looked for."""
    sshd.known_hosts.write_text("")
    sshd.config.write_text(sshd.block(more="HostKeyAlias the-box"))

    assert (await scan(BOX, paths=sshd.paths)).line.startswith("the-box ssh-ed25519 ")


async def test_a_host_that_does_not_answer(sshd: Sshd) -> None:
    """The errors of connecting are those of a login."""
    sshd.stop()

    with pytest.raises(HostRefusedError):
        await scan(BOX, paths=sshd.paths)
