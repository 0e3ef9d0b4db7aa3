"""Several embedded ssh hosts in a thread of their own, and the files that lead there.

Rule: one reaches them the ordinary way. An ssh_config, a known_hosts file and a hosts.yaml say all, under `folder`:

    folder/config/      hosts.yaml and jobs/, as in ~/.config/sshsched
    folder/state/       for a scheduler's store
    folder/ssh/         config, known_hosts, id_ed25519, authorized_keys
    folder/NAME/        the home folder on the host NAME
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

import asyncssh

from sshsched.demo.server import LOOPBACK, Server

NAMES = ("nas", "web1", "web2")  # as in jobs/
STARTS_WITHIN = 30.0  # seconds; generous, for a busy machine

T = TypeVar("T")


class DemoHosts:
    """The hosts, for the length of a `with` block. Usable from any thread."""

    def __init__(self, folder: Path, names: Sequence[str] = NAMES) -> None:
        self.folder = folder
        self.config_dir = folder / "config"
        self.state_dir = folder / "state"
        self.ssh_config = folder / "ssh" / "config"
        self._servers = {name: Server(name, folder / name, folder / "ssh" / "authorized_keys") for name in names}
        self._opened: Future[asyncio.AbstractEventLoop] = Future()
        self._closing = asyncio.Event()
        self._thread = Thread(target=lambda: asyncio.run(self._serve()), name="demo hosts", daemon=True)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._servers)

    @property
    def env(self) -> dict[str, str]:
        """What a command or a scheduler needs in its environment to see these hosts and no others."""
        return {
            "SSHSCHED_CONFIG_DIR": str(self.config_dir),
            "SSHSCHED_STATE_DIR": str(self.state_dir),
            "SSHSCHED_SSH_CONFIG": str(self.ssh_config),
        }

    def home(self, name: str) -> Path:
        """The home folder on a host."""
        return self._servers[name].home

    def port(self, name: str) -> int:
        """The port on loopback that a host listens on."""
        return self._servers[name].port

    def cut(self, name: str) -> None:
        """Break a host's connections. It takes new ones at once."""
        self._call(_in_loop(self._servers[name].cut))

    def away(self, name: str) -> None:
        """Break a host's connections and refuse new ones. Its programs go on."""
        self._call(self._servers[name].close())

    def back(self, name: str) -> None:
        """Take connections again, where they were taken before."""
        self._call(self._servers[name].open())

    def __enter__(self) -> Self:
        self._write_keys()
        self._thread.start()
        self._opened.result(STARTS_WITHIN)
        self._write_config()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """As when hosts are switched off: links break, and no program is left."""
        self._opened.result().call_soon_threadsafe(self._closing.set)
        self._thread.join()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._opened.result()).result(STARTS_WITHIN)

    async def _serve(self) -> None:
        asyncio.get_running_loop().set_exception_handler(_mishap)
        try:
            for server in self._servers.values():
                await server.open()
        except BaseException as error:
            self._opened.set_exception(error)
            raise
        self._opened.set_result(asyncio.get_running_loop())
        await self._closing.wait()
        for server in self._servers.values():
            await server.switch_off()

    def _write_keys(self) -> None:
        ssh = self.ssh_config.parent
        for folder in (ssh, self.config_dir, *(server.home for server in self._servers.values())):
            folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        key = asyncssh.generate_private_key("ssh-ed25519", comment="sshsched demo")
        key.write_private_key(str(ssh / "id_ed25519"))
        (ssh / "id_ed25519").chmod(0o600)
        key.write_public_key(str(ssh / "authorized_keys"))

    def _write_config(self) -> None:
        ssh = self.ssh_config.parent
        servers = self._servers.values()
        known = [
            f"[{LOOPBACK}]:{server.port} {server.key.export_public_key('openssh').decode().strip()}\n"
            for server in servers
        ]
        (ssh / "known_hosts").write_text("".join(known))
        blocks = [f"Host {server.name}\n    Port {server.port}\n" for server in servers]
        common = (
            f"Host {' '.join(self._servers)}\n    HostName {LOOPBACK}\n    User demo\n    IdentitiesOnly yes\n"
            f"    IdentityFile {ssh / 'id_ed25519'}\n    UserKnownHostsFile {ssh / 'known_hosts'}\n"
        )
        self.ssh_config.write_text("".join([*blocks, common]))
        (self.config_dir / "hosts.yaml").write_text("".join(f"{name}: {{tags: [demo]}}\n" for name in self._servers))
        shutil.copytree(jobs_folder(), self.config_dir / "jobs", dirs_exist_ok=True)


def _mishap(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Output of a command meets a link that was cut: as it should be here, and no traceback on the screen of a demo."""
    if not isinstance(context.get("exception"), ConnectionError):
        loop.default_exception_handler(context)


async def _in_loop(work: Any) -> None:
    work()


def jobs_folder() -> Path:
    """The demo's job files: inside the package once it is installed, at the top of a checkout."""
    inside = Path(__file__).parent / "jobs"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "jobs"
