"""A real OpenSSH server for tests, and throw-away accounts with any login shell.

Rule: everything lives in folders of its own, is ended by pid, and nothing is left. A machine without sshd fails the
test with what to type: it is never skipped.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from sshsched.remote.ssh_config import Paths
from tests.cable import Cable
from tests.support import wait_until

Options = Mapping[str, str | Sequence[str]]
_PLACES = "/usr/sbin:/usr/local/sbin:/sbin:" + os.environ.get("PATH", "")


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def program(name: str, package: str) -> str:
    """The path of a program; fails the test with the way to install it."""
    found = shutil.which(name, path=_PLACES)
    if not found:
        pytest.fail(f"{name} is missing: sudo apt-get install -y {package}", pytrace=False)
    return found


def make_key(path: Path, *, kind: str = "ed25519", passphrase: str = "", comment: str = "test") -> Path:
    """A new key pair in `path` and `path`.pub."""
    keygen = program("ssh-keygen", "openssh-client")
    run = [keygen, "-q", "-t", kind, "-N", passphrase, "-C", comment, "-f", str(path)]
    subprocess.run(run, check=True, stdin=subprocess.DEVNULL)
    return path


@cache
def _penalties() -> dict[str, str]:
    """OpenSSH 9.8 and later shut an address out after failures, and tests have many: switched off where it exists."""
    try_it = [program("sshd", "openssh-server"), "-G", "-o", "PerSourcePenalties=no", "-f", "/dev/null"]
    return (
        {"PerSourcePenalties": "no"} if not subprocess.run(try_it, capture_output=True, check=False).returncode else {}
    )


class Sshd:
    """One sshd on a free loopback port, with its own host key, client key, known_hosts and ssh_config.

    With a cable it is at the far end of it.
    """

    def __init__(
        self,
        folder: Path,
        name: str = "box",
        *,
        user: str = "",
        options: Options | None = None,
        cable: Cable | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.name = folder, name
        self.user = user or pwd.getpwuid(os.getuid()).pw_name
        self._own_home = bool(user)
        self.address = cable.far if cable else "127.0.0.1"
        self._inside = cable.inside if cable else []
        self.port = free_port()
        self.options: dict[str, str | Sequence[str]] = dict(options or {})
        self.host_key = make_key(folder / "host_key", comment=f"host {name}")
        self.key = make_key(folder / "id_test", comment=f"client of {name}")
        self.known_hosts = folder / "known_hosts"
        self.known_hosts.write_text(f"[{self.address}]:{self.port} {self.public(self.host_key)}\n")
        self.config = folder / "ssh_config"
        self.config.write_text(self.block())
        # sshd reads it as the user who logs in, who may not enter pytest's folders.
        self._open_folder = Path(tempfile.mkdtemp(prefix="sshd-test-"))
        self._open_folder.chmod(0o755)
        self.authorized_keys = self._open_folder / "authorized_keys"
        self.authorized_keys.write_text(self.public(self.key) + "\n")
        self.authorized_keys.chmod(0o644)
        self.home = folder / "home"
        """Where programs of our own account believe to be at home: without our rc files, and clean."""
        self.home.mkdir(exist_ok=True)
        self.log = folder / "sshd.log"
        self._log_read = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._sessions: set[tuple[int, str]] = set()

    @staticmethod
    def public(key: Path) -> str:
        """`ssh-ed25519 AAAA...` of a key file."""
        return " ".join(Path(f"{key}.pub").read_text().split()[:2])

    @property
    def paths(self) -> Paths:
        """For SshTransport: this server's ssh_config and nothing of the machine's."""
        return Paths(self.config, None, explicit=True)

    @property
    def pid(self) -> int:
        assert self._process, "not started"
        return self._process.pid

    def block(self, name: str = "", *, port: int = 0, more: str = "") -> str:
        """A `Host` block of ssh_config for this server."""
        lines = [
            f"Host {name or self.name}",
            f"HostName {self.address}",
            f"Port {port or self.port}",
            f"User {self.user}",
            f"IdentityFile {self.key}",
            "IdentitiesOnly yes",
            "IdentityAgent none",
            f"UserKnownHostsFile {self.known_hosts}",
            "GlobalKnownHostsFile none",
            *more.splitlines(),
        ]
        return "\n    ".join(lines) + "\n"

    def behind(self, port: int, *, more: str = "") -> None:
        """Let the client come by way of another port, a proxy's, that shows the same host key."""
        self.config.write_text(self.block(port=port, more=more))
        self.known_hosts.write_text(
            f"[127.0.0.1]:{self.port},[127.0.0.1]:{port} {self.public(self.host_key)}\n",
        )

    def start(self, **options: str | Sequence[str]) -> Sshd:
        """Start it, or start it again on the same port with other options."""
        assert not self._process
        self.options |= options
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own, compiled in
        config = self.folder / "sshd_config"
        config.write_text(self._sshd_config())
        self._log_read = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            command = [*self._inside, program("sshd", "openssh-server"), "-D", "-e", "-f", str(config)]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._listens)
        return self

    def kill(self) -> None:
        """End the listener, as a restart of the service does: connections that are open live on."""
        if self._process:
            self.connections()  # remembered: their parent is about to go
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self, **options: str | Sequence[str]) -> Sshd:
        """New connections meet new options; connections that are open live on."""
        self.kill()
        return self.start(**options)

    def connections(self) -> set[int]:
        """The processes that serve connections, and what they run in the foreground."""
        if self._process:
            self._sessions |= {_identity(pid) for pid in _descendants(self._process.pid)}
        self._sessions = {known for known in self._sessions if known[1] and _identity(known[0]) == known}
        return {pid for pid, _ in self._sessions}

    def drop_connections(self) -> None:
        """End all connections, and what runs in them in the foreground, at once."""
        for pid in self.connections():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End everything that this server runs."""
        self.kill()
        self.drop_connections()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._open_folder, ignore_errors=True)

    def _listens(self) -> bool:
        assert self._process
        assert self._process.poll() is None, f"sshd ended: {self.log.read_text()[-2000:]}"
        # Asked of the log: a connection that only tries the door would count for MaxStartups.
        return f"Server listening on {self.address}".encode() in self.log.read_bytes()[self._log_read :]

    def _sshd_config(self) -> str:
        usual: dict[str, str | Sequence[str]] = {
            "Port": str(self.port),
            "ListenAddress": self.address,
            "HostKey": str(self.host_key),
            "PidFile": "none",
            "AuthorizedKeysFile": str(self.authorized_keys),
            "StrictModes": "no",
            "UsePAM": "no",
            "PermitRootLogin": "yes",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "UseDNS": "no",
            "PrintMotd": "no",
            "LogLevel": "VERBOSE",
            # The rc files of whoever runs the tests are their affair, and some take locks: a killed session keeps them.
            **({} if self._own_home else {"SetEnv": f"HOME={self._open_folder}"}),
            **_penalties(),
        }
        if self.user == pwd.getpwuid(os.getuid()).pw_name:
            usual["SetEnv"] = f"HOME={self.home}"
        lines = []
        for keyword, value in {**usual, **self.options}.items():
            lines += [f"{keyword} {one}" for one in ([value] if isinstance(value, str) else value)]
        return "\n".join(lines) + "\n"


SshdFactory = Callable[..., Sshd]


@pytest.fixture
def make_sshd(tmp_path: Path) -> Iterator[SshdFactory]:
    """Makes and starts servers: `make_sshd("box", user=..., MaxSessions="2")`. They end with the test."""
    made: list[Sshd] = []

    def make(name: str = "box", *, user: str = "", **options: str | Sequence[str]) -> Sshd:
        made.append(server := Sshd(tmp_path / name, name, user=user, options=options))
        return server.start()

    try:
        yield make
    finally:
        for server in made:
            server.remove()


@pytest.fixture
def sshd(make_sshd: SshdFactory) -> Sshd:
    """One stock server, called `box`."""
    return make_sshd()


@dataclass(frozen=True, slots=True)
class Account:
    """A throw-away account."""

    name: str
    uid: int
    home: Path


@contextmanager
def account(shell: str) -> Iterator[Account]:
    """A system user with this login shell and an empty home; its processes, home and entry are gone afterwards."""
    assert os.getuid() == 0, "making accounts needs root"
    name = f"t{secrets.token_hex(5)}"
    home = Path(tempfile.mkdtemp(prefix=f"home-{name}-"))
    add = [program("useradd", "passwd"), "-M", "-d", str(home), "-s", shell, "-p", "*", name]
    _edit_passwd(add)
    try:
        entry = pwd.getpwnam(name)
        os.chown(home, entry.pw_uid, entry.pw_gid)
        home.chmod(0o700)
        yield Account(name, entry.pw_uid, home)
    finally:
        uid = pwd.getpwnam(name).pw_uid
        _edit_passwd([program("userdel", "passwd"), name], before=lambda: _end_all_of(uid))
        shutil.rmtree(home, ignore_errors=True)


def _edit_passwd(command: list[str], before: Callable[[], None] = lambda: None) -> None:
    """Only one may edit /etc/passwd at a time (exit codes 1, 10), and killed processes linger for a moment (8)."""

    def done() -> bool:
        before()
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode in (0, 1, 8, 10), result.stderr
        return result.returncode == 0

    wait_until(done, within=20)


def _end_all_of(uid: int) -> None:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if entry.stat().st_uid == uid:
                    os.kill(int(entry.name), signal.SIGKILL)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name; empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _identity(pid: int) -> tuple[int, str]:
    """Pid and start time: a pid alone may be used again."""
    fields = _stat(pid)
    return pid, fields[19] if fields else ""


def _descendants(pid: int) -> set[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found: set[int] = set()
    ahead = [pid]
    while ahead:
        children = parents.get(ahead.pop(), [])
        found.update(children)
        ahead += children
    return found
