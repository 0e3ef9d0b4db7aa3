"""One job of a job file: its keys, and the `Job` that they make.

Rule: what a later version will do is answered by name, so that nobody waits for a schedule that nobody reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sshsched.config.nodes import Listing, Mapping, Node, Problems, Text, UnreadableError, shown
from sshsched.config.params import Params, names_in
from sshsched.config.programs import PROGRAM, make_program, spread
from sshsched.config.reading import Key, Made, Record, Schema, present, reader
from sshsched.config.templates import faults
from sshsched.config.values import TEXT, Duration, Many, Word
from sshsched.domain.model import START_WITHIN
from sshsched.kinds.jobs import HOST_NAME, Job, Param


class OneHost:
    """The name of one host; groups and lists of hosts come later."""

    name: Final = Word(HOST_NAME, "host name", templated=True)

    def read(self, node: Node, problems: Problems) -> str:
        if not isinstance(node, Text):
            raise problems.refuse(node, f"{node.what} of hosts is not yet supported by this version; name one host")
        if node.text.startswith("@"):
            raise problems.refuse(
                node, f"groups like {shown(node.text)} are not yet supported by this version; name a host"
            )
        return self.name.read(node, problems)

    def schema(self) -> Schema:
        return self.name.schema()


LABEL: Final = Word(r"[^\s,]+", "label; use no spaces and no commas")
DESCRIPTION: Final = Key("description", TEXT, "what the job is for", "")
LABELS: Final = Key[tuple[str, ...]]("labels", Many(LABEL), "words to find its runs by", ())
METADATA: Final = Record((DESCRIPTION, LABELS), "what is told to people and changes nothing")

HOST: Final = Key("host", OneHost(), "where it runs: an alias of ~/.ssh/config, a name from hosts.yaml, or local")
PARAMS: Final = Key[tuple[Param, ...]]("params", Params(), "what is to be said anew for each run", ())
TOLD: Final = Key("metadata", Made(METADATA, lambda take: (take(DESCRIPTION), take(LABELS))), METADATA.help, ("", ()))
START: Final = Key[float | None](
    "start_within", Duration(), "a run that could not start for so long ends as not started", None
)
LONG_PROGRAM: Final = Key("program", Made(PROGRAM, make_program), PROGRAM.help)
OWN: Final = (HOST, PARAMS, TOLD, START)

ELSEWHERE: Final = {
    **PROGRAM.elsewhere,
    "args": "the arguments of a program belong in 'argv', the params of a job in 'params'",
    "hosts": "here it is called 'host', and names one",
    **dict.fromkeys(("inputs", "parameters"), "here it is called 'params'"),
    **dict.fromkeys(("description", "labels", "label", "tags"), "it belongs under 'metadata': description, labels"),
    **dict.fromkeys(("id", "name"), "a job is named by the path of its file"),
}
_TIME: Final = ("schedule", "cron", "every", "catch_up", "jitter", "calendar", "on", "enabled", "defaults")
_DECISIONS: Final = ("condition", "conditions", "action", "actions", "retry", "retries", "notify", "idempotent", "if")
_FLOWS: Final = ("steps", "matrix", "foreach", "needs", "depends_on", "concurrency", "max_running", "locks", "priority")
LATER: Final = frozenset((*_TIME, *_DECISIONS, *_FLOWS, "secrets"))
FLAT: Final = Record((*OWN, *PROGRAM.keys), "a job", ELSEWHERE, LATER)
"""What is read once the keys under `program:` have been moved to the top."""


def read_job(node: Node, job_id: str, problems: Problems, start_within: float = START_WITHIN) -> Job:
    """The job that a mapping describes. Raises UnreadableError after all that is wrong has been noted."""
    if not isinstance(node := present(node, problems), Mapping):
        raise problems.refuse(node, f"{node.what} stands where a job should be: `host: ...` and `command: ...`")
    before = len(problems.found)
    flat = spread(node, problems)
    _check_templates(flat, problems)
    with reader(flat, FLAT, problems) as take:
        host, program, params = take(HOST), make_program(take), take(PARAMS)
        told, start = take(TOLD), take(START)
    if len(problems.found) > before:
        raise UnreadableError
    description, labels = told
    start = start_within if start is None else start
    return Job(job_id, host, program, params, description, labels, start, file=problems.file, line=node.line)


def job_schema() -> Schema:
    """The JSON Schema of one job, in its short and its long form."""
    schema = Record((*OWN, LONG_PROGRAM, *PROGRAM.keys), "a job").schema()
    schema["required"] = [key.name for key in OWN if key.required]
    return {**schema, "anyOf": [{"required": [name]} for name in ("command", "argv", "program")]}


def _check_templates(node: Mapping, problems: Problems) -> None:
    params = node.entries.get("params")
    names = names_in(params.value) if params else []
    for key in ("host", "command", "argv", "env", "cwd", "stdin", "user"):
        if key in node.entries:
            for text in _texts(node.entries[key].value):
                for fault in faults(text.text, names):
                    problems.add(text, fault)


def _texts(node: Node) -> Iterator[Text]:
    if isinstance(node, Text):
        yield node
    elif isinstance(node, Listing):
        for item in node.items:
            yield from _texts(item)
    elif isinstance(node, Mapping):
        for entry in node.entries.values():
            yield from _texts(entry.value)
