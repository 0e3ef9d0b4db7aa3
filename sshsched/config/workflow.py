"""The keys of a job that is a workflow, and what its steps take over from it.

Rule: what stands beside `steps` and says how a program runs is for every step that does not say otherwise. The rest,
such as its schedule, conditions and actions, is about the workflow as a whole.
"""

from __future__ import annotations

from typing import Final

from sshsched.config.nodes import Entry, Mapping
from sshsched.config.programs import PROGRAM, Entries
from sshsched.config.reading import Key
from sshsched.config.values import TEXT, Duration, Integer, OneOf, Pairs
from sshsched.domain.draft import NAME

VARIABLE_WANTED: Final = "name of a variable; use letters, digits and _, no digit first"
MOST_STEPS: Final = 10_000
VARIABLES: Final = Key(
    "variables", Pairs(NAME.pattern, VARIABLE_WANTED, TEXT), "texts for the templates of the steps, by name", {}
)
ON_FAILURE: Final = Key(
    "on_failure", OneOf(("hold", "fail"), "way to go on"), "after a failure: hold the workflow, or let it fail", "hold"
)
MAX_FAIL: Final = Key[int | None](
    "max_fail", Integer(0, MOST_STEPS), "after more failures than this no further step begins", None
)
FINISH_WITHIN: Final = Key[float | None](
    "finish_within", Duration(), "how long the workflow may take as a whole; then it is stopped", None
)
MAX_PARALLEL: Final = Key[int | None](
    "max_parallel", Integer(1, MOST_STEPS), "how many steps run at once; of one step: of its matrix or list", None
)
ONLY_STEPS: Final = ("command", "argv", "program", "stdin", "job", "foreach", "matrix", "needs", "loop", "outputs")
SHARED: Final = frozenset(
    ({key.name for key in PROGRAM.keys} - set(ONLY_STEPS)) | {"host", "retry", "idempotent", "secrets"}
)
"""Keys of the job that are for its steps."""


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
