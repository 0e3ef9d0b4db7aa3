"""Where files live. Rule: what is typed wins, then SSHSCHED_* variables, XDG's, the usual folders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from sshsched.errors import UsageError

NAME = "sshsched"


def config_dir(given: str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of config.yaml, hosts.yaml and jobs/, absolute. Raises UsageError if there is no home folder."""
    return _folder(given or environ.get("SSHSCHED_CONFIG_DIR"), environ.get("XDG_CONFIG_HOME"), ".config", environ)


def state_dir(given: str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of the store, the output and the socket, absolute. Raises UsageError if there is no home folder."""
    return _folder(given or environ.get("SSHSCHED_STATE_DIR"), environ.get("XDG_STATE_HOME"), ".local/state", environ)


def _folder(ours: str | None, xdg: str | None, usual: str, environ: Mapping[str, str]) -> Path:
    try:
        if ours:
            return _absolute(ours, environ)
        # The XDG specification: a relative path is invalid and to be ignored.
        base = Path(xdg) if xdg and xdg.startswith("/") else _absolute("~", environ) / usual
    except RuntimeError:
        raise UsageError("there is no home folder; set HOME, or give --config-dir and --state-dir") from None
    return base / NAME


def _absolute(path: str, environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME", "")
    if home.startswith("/") and (path == "~" or path.startswith("~/")):
        return Path(home + path[1:])
    return Path(path).expanduser().absolute()
