"""The keys of a job that is a workflow, and what its steps take over from it.

Rule: what stands beside `steps` and says how a program runs is for every step that does not say otherwise. The rest,
such as its schedule, conditions and actions, is about the workflow as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sshsched.config.nodes import Entry, Mapping, Node, Problems
from sshsched.config.programs import PROGRAM, Entries
from sshsched.config.reading import Key, Schema
from sshsched.config.values import TEXT, Integer, OneOf, Pairs
from sshsched.domain.draft import NAME
from sshsched.domain.plan import Flow

if TYPE_CHECKING:
    from sshsched.config.surroundings import Surroundings

VARIABLE_WANTED: Final = "name of a variable; use letters, digits and _, no digit first"
MOST_STEPS: Final = 10_000


class _Steps:
    """Passed over by the reader of the job: steps take over from their job, and most jobs have none."""

    def read(self, node: Node, problems: Problems) -> None:
        return None

    def schema(self) -> Schema:
        from sshsched.config.steps import steps_schema

        return steps_schema()


STEPS: Final = Key("steps", _Steps(), "a workflow: commands by name, and what each one needs", None)
VARIABLES: Final = Key(
    "variables", Pairs(NAME.pattern, VARIABLE_WANTED, TEXT), "texts for the templates of the steps, by name", {}
)
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


def apart(node: Mapping, problems: Problems, around: Surroundings) -> Parts:
    """Read the workflow of a job, if it is one. Notes problems, never raises for them."""
    if STEPS.name not in node.entries:
        for key in WORKFLOW:
            if key.name in node.entries:
                problems.add(node.entries[key.name].key, f"means something only beside 'steps'{_else(key.name)}")
        return Parts(node)
    for name in ONLY_STEPS:
        if name in node.entries:
            problems.add(node.entries[name].key, "belongs to one of the steps, not beside 'steps'")
    from sshsched.config.steps import read_flow

    taken = (*SHARED, *ONLY_STEPS, *(key.name for key in WORKFLOW))
    rest = {name: entry for name, entry in node.entries.items() if name not in taken}
    flow, places = read_flow(node, problems, around)
    return Parts(Mapping(node.line, node.column, node.path, rest), flow, places)


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
