"""The keys of a job that is a workflow, and what its steps take over from it.

Rule: what stands beside `steps` and says how a program runs is for every step that does not say otherwise. The rest,
such as its schedule, conditions and actions, is about the workflow as a whole.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sshsched.config.matrix import VARIABLES
from sshsched.config.nodes import Entry, Mapping, Node, Problems
from sshsched.config.programs import PROGRAM, Entries
from sshsched.config.reading import Key, Schema
from sshsched.config.values import Integer, OneOf
from sshsched.domain.plan import Flow

MOST_STEPS: Final = 10_000


class _Steps:
    """Passed over by the reader of the job: steps take over from their job, and most jobs have none."""

    def read(self, node: Node, problems: Problems) -> None:
        return None

    def schema(self) -> Schema:
        from sshsched.config.step_keys import steps_schema

        return steps_schema()


STEPS: Final = Key("steps", _Steps(), "a workflow: commands by name, and what each one needs", None)
ON_FAILURE: Final = Key(
    "on_failure", OneOf(("hold", "fail"), "way to go on"), "after a failure: hold the workflow, or let it fail", "hold"
)
MAX_FAIL: Final = Key[int | None](
    "max_fail", Integer(0, MOST_STEPS), "after more failures than this no further step begins", None
)
WORKFLOW: Final[tuple[Key[Any], ...]] = (STEPS, VARIABLES, ON_FAILURE, MAX_FAIL)

ONLY_STEPS: Final = ("command", "argv", "program", "stdin", "job", "foreach", "matrix", "needs", "loop", "outputs")
SHARED: Final = frozenset(
    ({key.name for key in PROGRAM.keys} - set(ONLY_STEPS)) | {"host", "retry", "idempotent", "secrets"}
)
"""Keys of the job that are for its steps."""


class Parts(NamedTuple):
    """A job's mapping without what is its steps', the workflow that those make, and lines as `Job.places` has them."""

    node: Mapping
    flow: Flow | None = None
    places: dict[str, int] = {}  # noqa: RUF012 - a default of a tuple, which nobody changes


def check_alone(node: Mapping, problems: Problems) -> None:
    """Note what means something only in a workflow, in a job that is none."""
    for key in WORKFLOW:
        if key.name in node.entries:
            problems.add(node.entries[key.name].key, f"means something only beside 'steps'{_else(key.name)}")


def inherited(own: Entries, job: Entries) -> dict[str, Entry]:
    """The entries of a step with those that its job has for all; `env` is taken over variable by variable."""
    both = ({"timeout", "timeout-minutes"},)
    taken = {name for same in both if own.keys() & same for name in same}
    found = {name: entry for name, entry in job.items() if name in SHARED and name not in taken}
    for name, entry in own.items():
        outer = found.get(name)
        if name == "env" and outer and isinstance(outer.value, Mapping) and isinstance(entry.value, Mapping):
            value = entry.value
            merged = {**outer.value.entries, **value.entries}
            entry = Entry(entry.key, Mapping(value.line, value.column, value.path, merged))
        found[name] = entry
    return found


def _else(name: str) -> str:
    return "; for one job write `action: {type: ..., if: failure}`, or `notify: ...`" if name == "on_failure" else ""
