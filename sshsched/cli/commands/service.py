"""`service`: the scheduler as a service of this user, which systemd or launchd keeps running."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from sshsched.cli.app import App
from sshsched.cli.streams import note, say
from sshsched.errors import RefusedError, SshschedError

UNIT = "sshsched.service"
LABEL = "sshsched"


@click.group()
def service() -> None:
    """Have the system keep `sshsched serve` running for you: systemd on Linux, launchd on macOS."""


@service.command()
@click.option("--print", "only_print", is_flag=True, help="Print the file that it would write, and do nothing.")
@click.pass_obj
def install(app: App, only_print: bool) -> int:
    """Write the service's file and start it, now and whenever you log in. Says what it does."""
    path, text = _place(), _text(app)
    if only_print:
        say(text.rstrip())
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    say(f"written: {path}")
    for command in _starting(path):
        _do(command)
    if not _on_mac():
        note("to have it run while you are not logged in: sudo loginctl enable-linger $USER")
    return 0


@service.command()
def uninstall() -> int:
    """Stop the service and remove its file. Programs on hosts go on, and nothing is forgotten."""
    path = _place()
    if not path.exists():
        raise RefusedError(f"{path} is not there; nothing to remove")
    for command in _stopping():
        _do(command, may_fail=True)
    path.unlink()
    say(f"removed: {path}")
    if not _on_mac():
        _do(["systemctl", "--user", "daemon-reload"], may_fail=True)
    return 0


def installed() -> bool:
    """Whether `service install` has been done here."""
    return _place().exists()


def _on_mac() -> bool:
    return sys.platform == "darwin"


def _place() -> Path:
    if _on_mac():
        return Path(f"~/Library/LaunchAgents/{LABEL}.plist").expanduser()
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base.startswith("/") else Path("~/.config").expanduser()) / "systemd/user" / UNIT


def _text(app: App) -> str:
    command = [*_ourselves(), "--config-dir", str(app.config_dir), "--state-dir", str(app.state_dir), "serve"]
    return plist(command, app.state_dir) if _on_mac() else unit(command)


def _ourselves() -> list[str]:
    """How to call this very sshsched, also from where PATH is another."""
    script = Path(sys.argv[0])
    if script.name == "sshsched" and os.access(script, os.X_OK):
        return [str(script.absolute())]
    return [sys.executable, "-m", "sshsched"]


def unit(command: Sequence[str]) -> str:
    """A systemd user unit."""
    return f"""\
[Unit]
Description=sshsched, the ssh-driven job runner
After=network.target

[Service]
ExecStart={" ".join(map(_systemd_word, command))}
Restart=on-failure
RestartSec=2
# Programs of the host "local" are children of the scheduler, and outlive it as those of other hosts do.
KillMode=process

[Install]
WantedBy=default.target
"""


def _systemd_word(word: str) -> str:
    """In double quotes, with what systemd would expand taken literally: systemd.service(5), COMMAND LINES."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def plist(command: Sequence[str], state_dir: Path) -> str:
    """A launchd agent."""
    import plistlib

    log = str(state_dir / "serve.log")
    agent = {
        "Label": LABEL,
        "ProgramArguments": list(command),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "AbandonProcessGroup": True,  # local programs outlive the scheduler
        "StandardErrorPath": log,
        "StandardOutPath": log,
    }
    return plistlib.dumps(agent, sort_keys=False).decode()


def _starting(path: Path) -> list[list[str]]:
    if _on_mac():
        return [["launchctl", "bootstrap", f"gui/{os.getuid()}", str(path)]]
    return [["systemctl", "--user", "daemon-reload"], ["systemctl", "--user", "enable", "--now", UNIT]]


def _stopping() -> list[list[str]]:
    if _on_mac():
        return [["launchctl", "bootout", f"gui/{os.getuid()}/{LABEL}"]]
    return [["systemctl", "--user", "disable", "--now", UNIT]]


def _do(command: list[str], *, may_fail: bool = False) -> None:
    """Run a command of the system and say so. Raises SshschedError, unless it may fail."""
    shown = shlex.join(command)
    if shutil.which(command[0]) is None:
        note(f"there is no {command[0]} here; where there is: {shown}")
        return
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    say(f"did: {shown}" if done.returncode == 0 else f"failed: {shown}")
    if done.returncode:
        message = f"{shown}: {done.stderr.strip() or f'exit code {done.returncode}'}"
        if not may_fail:
            raise SshschedError(f"{message}; the file is written, so this command can be repeated by hand")
        note(message)
