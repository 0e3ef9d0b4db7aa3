"""Which runs are meant: the one filter of the command line, of the API and of the store.

Rule: what a field means is said here once, in Python; `queries` says the same in SQL, and one suite holds both to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sshsched.domain.model import Run
from sshsched.domain.states import State

WORDS_LIMIT = 4000


@dataclass(frozen=True, slots=True)
class RunFilter:
    """A run must match every field that is given; the default matches all runs.

    `job` is an exact id, or `prefix/*` for all jobs below a folder. `since` is inclusive and `until` exclusive, on
    `created_at`, in seconds since 1970. `ids` of None is any run, an empty set is none. `args` must all be equal.
    `text` is looked for, large or small, in job id, host, author, labels, args, command line and message.
    """

    states: frozenset[State] = frozenset()
    job: str | None = None
    host: str | None = None
    label: str | None = None
    since: float | None = None
    until: float | None = None
    ids: frozenset[int] | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None

    @property
    def folder(self) -> str | None:
        """`reports/` if the job is given as `reports/*`."""
        return self.job[:-1] if self.job is not None and self.job.endswith("/*") else None

    def matches(self, run: Run) -> bool:
        return (
            (not self.states or run.state in self.states)
            and (self.job is None or self._matches_job(run.job_id))
            and (self.host is None or run.host == self.host)
            and (self.label is None or self.label in run.labels)
            and (self.since is None or run.created_at >= self.since)
            and (self.until is None or run.created_at < self.until)
            and (self.ids is None or run.id in self.ids)
            and all(run.args.get(name) == value for name, value in self.args.items())
            and (self.text is None or fold(self.text) in words(run))
        )

    def _matches_job(self, job_id: str | None) -> bool:
        if job_id is None:
            return False
        return job_id == self.job if self.folder is None else job_id.startswith(self.folder)


def fold(text: str) -> str:
    """The same text for all ways to write it large or small; what is no Unicode becomes a question mark."""
    return text.casefold().encode(errors="replace").decode()


def words(run: Run) -> str:
    """All that a text is looked for in, one thing per line; a text of many lines may match across them.

    Cut after 4000 characters, or a program with 100 KB of arguments would double its size in the store.
    """
    program = run.program
    parts = [run.job_id or "", run.host, run.message, run.by, *run.labels]
    parts += [f"{name}={value}" for name, value in run.args.items()]
    parts += [program.command or "", " ".join(program.argv)]
    return fold("\n".join(part[:WORDS_LIMIT] for part in parts if part)[:WORDS_LIMIT])
