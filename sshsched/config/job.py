"""One job of a job file: its keys, and the `Job` that they make.

Rule: what a later version will do is answered by name, so that nobody waits for a schedule that nobody reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from sshsched.config.nodes import Entry, Listing, Mapping, Node, Problems, Text, UnreadableError, shown
from sshsched.config.params import Params, names_in
from sshsched.config.programs import PROGRAM, Entries, check_program, make_program, spread
from sshsched.config.reading import Key, Made, Record, Schema, present, reader
from sshsched.config.retention import RETENTION
from sshsched.config.surroundings import Surroundings
from sshsched.config.templates import faults
from sshsched.config.values import TEXT, Duration, Many, Word
from sshsched.kinds.jobs import HOST_NAME, Job, Param, Scheduled


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


class Timetable:
    """When runs are due. The reader passes it over: its meaning depends on params, zones and calendars, and only a job
    that has one shall pay for importing those."""

    def read(self, node: Node, problems: Problems) -> None:
        return None

    def schema(self) -> Schema:
        from sshsched.config.schedules import schedules_schema

        return schedules_schema()


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
SCHEDULE: Final = Key(
    "schedule", Timetable(), "when runs are due: 30 3 * * *, @daily, every 15m, or in long form", None
)
LONG_PROGRAM: Final = Key("program", Made(PROGRAM, make_program), PROGRAM.help)
OWN: Final = (HOST, SCHEDULE, PARAMS, TOLD, START, RETENTION)

ELSEWHERE: Final = {
    **PROGRAM.elsewhere,
    "args": "the arguments of a program belong in 'argv', the params of a job in 'params'",
    "hosts": "here it is called 'host', and names one",
    **dict.fromkeys(("inputs", "parameters"), "here it is called 'params'"),
    **dict.fromkeys(("description", "labels", "label", "tags"), "it belongs under 'metadata': description, labels"),
    **dict.fromkeys(
        ("cron", "every", "on", "when", "schedules"), "it belongs under 'schedule', as in `schedule: every 15m`"
    ),
    **dict.fromkeys(
        ("catch_up", "max_age", "jitter", "calendar", "enabled", "tz", "timezone", "valid"),
        "it belongs to a schedule in its long form, as in `schedule: {cron: 30 3 * * *, jitter: 5m}`",
    ),
    "defaults": "keys for all jobs of a folder belong in a file _defaults.yaml there",
    **dict.fromkeys(("id", "name"), "a job is named by the path of its file"),
}
_DECISIONS: Final = ("condition", "conditions", "action", "actions", "retry", "retries", "notify", "idempotent", "if")
_FLOWS: Final = ("steps", "matrix", "foreach", "needs", "depends_on", "concurrency", "max_running", "locks", "priority")
LATER: Final = frozenset((*_DECISIONS, *_FLOWS, "secrets"))
FLAT: Final = Record((*OWN, *PROGRAM.keys), "a job", ELSEWHERE, LATER)
"""What is read once the keys under `program:` have been moved to the top."""
DEFAULTS: Final = replace(
    FLAT, keys=(replace(HOST, default=""), *FLAT.keys[1:]), help="what the jobs of a folder share"
)


def read_job(node: Node, job_id: str, problems: Problems, around: Surroundings, defaults: Entries) -> Job:
    """The job that a mapping describes. Raises UnreadableError after all that is wrong has been noted."""
    if not isinstance(node := present(node, problems), Mapping):
        raise problems.refuse(node, f"{node.what} stands where a job should be: `host: ...` and `command: ...`")
    before = len(problems.found)
    entries = with_defaults(spread(node, problems), defaults)
    check_program(node, entries, problems)
    flat = Mapping(node.line, node.column, node.path, entries)
    _check_templates(flat, problems)
    schedules = _schedules(flat, problems, around)
    with reader(flat, FLAT, problems) as take:
        host, program, params = take(HOST), make_program(take), take(PARAMS)
        told, start, retention, _ = take(TOLD), take(START), take(RETENTION), take(SCHEDULE)
    if len(problems.found) > before:
        raise UnreadableError
    description, labels = told
    start = around.settings.start_within if start is None else start
    place = problems.file, node.line
    return Job(job_id, host, program, params, description, labels, start, schedules, retention, *place)


def with_defaults(entries: Entries, defaults: Entries) -> dict[str, Entry]:
    """A job's entries, and those of its folder that it does not have. Its own program counts in either form."""
    programs = {"command", "argv"}
    taken = programs if programs & entries.keys() else set()
    return {**{name: entry for name, entry in defaults.items() if name not in taken}, **entries}


def read_defaults(node: Mapping, problems: Problems) -> Entries:
    """The entries of a folder's defaults. Raises UnreadableError after all that is wrong has been noted."""
    entries = spread(node, problems)
    with reader(Mapping(node.line, node.column, node.path, entries), DEFAULTS, problems) as take:
        for key in DEFAULTS.keys:
            take(key)
    return entries


def job_schema() -> Schema:
    """The JSON Schema of one job, in its short and its long form."""
    schema = Record((*OWN, LONG_PROGRAM, *PROGRAM.keys), "a job").schema()
    del schema["required"]  # any of its keys may come from the defaults of its folder
    return schema


def _schedules(node: Mapping, problems: Problems, around: Surroundings) -> tuple[Scheduled, ...]:
    entry = node.entries.get("schedule")
    if entry is None or (isinstance(entry.value, Text) and entry.value.absent):
        return ()
    from sshsched.config.late import Where
    from sshsched.config.schedules import check_args, read_schedules

    found = list(read_schedules(entry.value, Where(around.tz, lambda: around.calendars, problems)))
    params = node.entries.get("params")
    try:
        # Their own problems are noted by the reader of the job.
        names = Params().read(params.value, Problems("")) if params else ()
    except UnreadableError:
        names = None
    if names is not None:
        check_args(found, names, problems)
    return tuple(scheduled for scheduled, _ in found)


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
