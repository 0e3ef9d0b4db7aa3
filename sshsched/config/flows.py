"""The workflow of a job, taken apart from the rest of it.

Rule: a job without steps costs nothing: how steps are read is imported only for one that has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sshsched.config.nodes import Mapping, Node, Problems
from sshsched.config.reading import Key, Schema
from sshsched.config.workflow import FINISH_WITHIN, MAX_FAIL, MAX_PARALLEL, ON_FAILURE, ONLY_STEPS, SHARED, VARIABLES

if TYPE_CHECKING:
    from sshsched.config.surroundings import Surroundings
    from sshsched.domain.plan import Flow


class _Steps:
    """Passed over by the reader of the job: steps take over from their job, and most jobs have none."""

    def read(self, node: Node, problems: Problems) -> None:
        return None

    def schema(self) -> Schema:
        from sshsched.config.steps import steps_schema

        return steps_schema()


STEPS: Final = Key("steps", _Steps(), "a workflow: commands by name, and what each one needs", None)
WORKFLOW: Final[tuple[Key[Any], ...]] = (STEPS, VARIABLES, ON_FAILURE, MAX_FAIL, FINISH_WITHIN, MAX_PARALLEL)


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


def _else(name: str) -> str:
    return "; for one job write `action: {type: ..., if: failure}`, or `notify: ...`" if name == "on_failure" else ""
