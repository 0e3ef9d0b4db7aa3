"""Where files live.

Rules: what is typed wins, then SSHSCHED_* variables, XDG's, the usual folders. Texts, not Paths: a command that has
no other use for pathlib does not import it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from sshsched.errors import UsageError

NAME = "sshsched"


def config_dir(given: str | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """The folder of config.yaml, hosts.yaml and jobs/, absolute. Raises UsageError if there is no home folder."""
    return _folder(given or environ.get("SSHSCHED_CONFIG_DIR"), environ.get("XDG_CONFIG_HOME"), ".config", environ)


def state_dir(given: str | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """The folder of the store, the output and the socket, absolute. Raises UsageError if there is no home folder."""
    return _folder(given or environ.get("SSHSCHED_STATE_DIR"), environ.get("XDG_STATE_HOME"), ".local/state", environ)


def _folder(ours: str | None, xdg: str | None, usual: str, environ: Mapping[str, str]) -> str:
    if ours:
        return _absolute(ours, environ)
    # The XDG specification: a relative path is invalid and to be ignored.
    base = xdg if xdg and xdg.startswith("/") else _absolute(f"~/{usual}", environ)
    return f"{base}/{NAME}"


def _absolute(path: str, environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    if home.startswith("/") and (path == "~" or path.startswith("~/")):
        return home + path[1:]
    found = os.path.expanduser(path)  # noqa: PTH111  see the rule
    if found.startswith("~"):
        raise UsageError("there is no home folder; set HOME, or give --config-dir and --state-dir")
    return os.path.abspath(found)  # noqa: PTH100
