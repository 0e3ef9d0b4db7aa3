"""What every kind of program is: frozen data that becomes a command.

Rule: pure. A program is made when its run is made, its texts filled in, and stored with it: a run whose kind of program
is gone still runs.

::

    class Restic(ProgramKind):
        repo: Annotated[str, Meta(description="the repository")]
        paths: Annotated[tuple[str, ...], Meta(description="what is saved")]

        def program(self) -> Program:
            return Program(argv=("restic", "--repo", self.repo, "backup", *self.paths))
"""

from __future__ import annotations

from msgspec import Struct

from sshsched.domain.program import Program


class ProgramKind(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of program. What its constructor raises (ValueError) is what is wrong with its options."""

    def program(self) -> Program:
        """What runs on the host."""
        raise NotImplementedError
