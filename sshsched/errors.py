"""Every error that sshsched raises on purpose.

Rule: a message names the thing, the place and the remedy, in one line, and each class knows the exit code it ends a
command with.

::

    SshschedError                    125
    ├── UsageError                     2   what was typed cannot be meant
    ├── ConfigError                    2   problems in files, all at once, each with its place
    ├── NotFoundError                  4   no such run, job or host
    ├── RefusedError                   1   the run is not in a state for that
    ├── SecretError                  125   a secret cannot be found where it is kept
    ├── SchedulerError               125
    │   ├── NoSchedulerError               nobody listens on the socket
    │   └── SchedulerRunsError             another scheduler holds the store
    ├── StoreError                   125
    │   ├── StoreBusyError                 locked by another program, full or read-only: may pass
    │   ├── StoreNewerError                written by a newer sshsched
    │   └── StoreDamagedError              not a database, or a broken one
    └── HostError                    255   nothing was decided about any program
        ├── HostNameError                  the name does not resolve
        ├── HostRefusedError               nothing listens at that port
        ├── HostTimeoutError               no answer in time
        ├── LinkLostError                  the connection broke
        ├── HostKeyUnknownError      (permanent)
        ├── HostKeyChangedError      (permanent)
        ├── HostKeyRevokedError      (permanent)
        ├── LoginRejectedError       (permanent)
        ├── NoShellError             (permanent)   connected, but no /bin/sh answered
        │   └── SilentShellError                   connected, but nothing answered in time
        ├── UnusableError                          a shell answered, but has no place for a spool: may pass
        └── HostConfigError          (permanent)   ssh_config or hosts.yaml ask for what cannot be done
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple


class SshschedError(Exception):
    """The root of the tree."""

    exit_code: ClassVar[int] = 125


class UsageError(SshschedError):
    """What was typed cannot be meant."""

    exit_code = 2


class Problem(NamedTuple):
    """One thing that is wrong in a file: `jobs/backup.yaml:3:11: schedule: unknown 'dayly'; did you mean 'daily'?`"""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class ConfigError(SshschedError):
    """Problems in files: all of them, not only the first."""

    exit_code = 2

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class NotFoundError(SshschedError):
    """No such run, job or host."""

    exit_code = 4


class RefusedError(SshschedError):
    """The run is not in a state for that."""

    exit_code = 1


class SecretError(SshschedError):
    """A secret cannot be found where it is kept."""


class SchedulerError(SshschedError):
    """Something about the scheduler process itself."""


class NoSchedulerError(SchedulerError):
    """Nobody listens on the socket."""


class SchedulerRunsError(SchedulerError):
    """Another scheduler holds the store."""


class StoreError(SshschedError):
    """Something about the database."""


class StoreBusyError(StoreError):
    """Locked by another program, full or read-only: may pass."""


class StoreNewerError(StoreError):
    """Written by a newer sshsched."""


class StoreDamagedError(StoreError):
    """Not a database, or a broken one."""


class HostError(SshschedError):
    """A host could not be talked to. Says nothing about any program there.

    `code` is the machine-readable word for it, `permanent` tells that trying again without somebody's help is no use,
    and `evidence` holds what the host said, if it said anything.
    """

    exit_code = 255
    code: ClassVar[str] = "unreachable"
    permanent: ClassVar[bool] = False

    def __init__(self, host: str, message: str, evidence: str = "") -> None:
        super().__init__(f"{host}: {message}")
        self.host = host
        self.message = message
        self.evidence = evidence


class HostNameError(HostError):
    """The name does not resolve. Not permanent: a laptop without a network resolves nothing."""

    code = "name-not-resolved"


class HostRefusedError(HostError):
    """Nothing listens at that port."""

    code = "connection-refused"


class HostTimeoutError(HostError):
    """No answer in time: a firewall, a sleeping machine, a slow banner."""

    code = "timeout"


class LinkLostError(HostError):
    """The connection broke."""

    code = "link-lost"


class HostKeyUnknownError(HostError):
    """No known_hosts file has a key of this host."""

    code = "host-key-unknown"
    permanent = True


class HostKeyChangedError(HostError):
    """The host showed another key than known_hosts has: an attack, or a new installation."""

    code = "host-key-changed"
    permanent = True


class HostKeyRevokedError(HostError):
    """The host showed a key that known_hosts marks as revoked."""

    code = "host-key-revoked"
    permanent = True


class LoginRejectedError(HostError):
    """The host let none of our keys in."""

    code = "login-rejected"
    permanent = True


class NoShellError(HostError):
    """Connected, but no /bin/sh answered: a forced command, nologin, an rc file that exits."""

    code = "no-shell"
    permanent = True


class SilentShellError(NoShellError):
    """Connected, but nothing answered in time: an rc file that eats the input, or a host too busy to answer."""

    permanent = False


class UnusableError(HostError):
    """A shell answered, but it has no place for a spool: a full or read-only disk. May pass."""

    code = "unusable"


class HostConfigError(HostError):
    """ssh_config or hosts.yaml ask for what cannot be done."""

    code = "host-config"
    permanent = True
