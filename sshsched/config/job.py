"""One job of a job file: its keys, and the `Job` that they make.

Rule: what a later version will do is answered by name, so that nobody waits for a schedule that nobody reads.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

from sshsched.config.decisions import ACTION_KEYS, CONDITION_KEYS, DECISIONS, check_decisions, take_plan
from sshsched.config.decisions import ELSEWHERE as DECIDED_ELSEWHERE
from sshsched.config.flows import WORKFLOW, apart
from sshsched.config.kinded_programs import KINDED
from sshsched.config.nodes import Entry, Mapping, Node, Problems, Text, UnreadableError, texts_in
from sshsched.config.params import Params, names_in
from sshsched.config.placement import Asked, Place
from sshsched.config.programs import PROGRAM, Entries, check_program, make_program, spread
from sshsched.config.reading import Key, Made, Record, Schema, present, reader
from sshsched.config.retention import RETENTION
from sshsched.config.surroundings import Surroundings
from sshsched.config.templates import faults, is_template
from sshsched.config.values import TEXT, Duration, Many, Word
from sshsched.config.workflow import ONLY_STEPS
from sshsched.kinds.jobs import Expect, Job, Param, Scheduled


class Timetable:
    """When runs are due. The reader passes it over: its meaning depends on params, zones and calendars, and only a job
    that has one shall pay for importing those."""

    def read(self, node: Node, problems: Problems) -> None:
        return None

    def schema(self) -> Schema:
        from sshsched.config.schedules import schedules_schema

        return schedules_schema()


class Expected:
    """By when runs must have succeeded; passed over for the same reason."""

    def read(self, node: Node, problems: Problems) -> None:
        return None

    def schema(self) -> Schema:
        from sshsched.config.expects import expects_schema

        return expects_schema()


LABEL: Final = Word(r"[^\s,]+", "label; use no spaces and no commas")
DESCRIPTION: Final = Key("description", TEXT, "what the job is for", "")
LABELS: Final = Key[tuple[str, ...]]("labels", Many(LABEL), "words to find its runs by", ())
METADATA: Final = Record((DESCRIPTION, LABELS), "what is told to people and changes nothing")

HOST: Final = Key[Asked](
    "host", Place(), "where it runs: an alias of ~/.ssh/config, a name or @group from hosts.yaml, or local"
)
PARAMS: Final = Key[tuple[Param, ...]]("params", Params(), "what is to be said anew for each run", ())
TOLD: Final = Key("metadata", Made(METADATA, lambda take: (take(DESCRIPTION), take(LABELS))), METADATA.help, ("", ()))
START: Final = Key[float | None](
    "start_within", Duration(), "a run that could not start for so long ends as not started", None
)
SCHEDULE: Final = Key(
    "schedule", Timetable(), "when runs are due: 30 3 * * *, @daily, every 15m, or in long form", None
)
EXPECT: Final = Key("expect", Expected(), "by when runs must have succeeded, or somebody is told", None)
OWN: Final[tuple[Key[Any], ...]] = (
    HOST,
    SCHEDULE,
    PARAMS,
    TOLD,
    START,
    RETENTION,
    *DECISIONS,
    EXPECT,
    *WORKFLOW,
)

ELSEWHERE: Final = {
    **PROGRAM.elsewhere,
    **DECIDED_ELSEWHERE,
    "args": "the arguments of a program belong in 'argv', the params of a job in 'params'",
    "hosts": "here it is called 'host'; several are a group of hosts.yaml, as in `host: '@web'`",
    "success_by": "it belongs under 'expect'",
    **dict.fromkeys(("inputs", "parameters"), "here it is called 'params'"),
    **dict.fromkeys(("description", "labels", "label", "tags"), "it belongs under 'metadata': description, labels"),
    **dict.fromkeys(
        ("cron", "every", "on", "when", "schedules"), "it belongs under 'schedule', as in `schedule: every 15m`"
    ),
    **dict.fromkeys(
        ("catch_up", "max_age", "jitter", "calendar", "enabled", "tz", "timezone", "valid"),
        "it belongs to a schedule in its long form, as in `schedule: {cron: 30 3 * * *, jitter: 5m}`",
    ),
    **dict.fromkeys(("matrix", "foreach", "loop", "outputs", "step"), "it belongs to a workflow: see 'steps'"),
    "defaults": "keys for all jobs of a folder belong in a file _defaults.yaml there",
    **dict.fromkeys(("id", "name"), "a job is named by the path of its file"),
}
SAME: Final = (
    {"command", "argv", "program"},
    {"timeout", "timeout-minutes"},
    {"locks", "concurrency"},
    {"depends_on", "after"},
)
"""Keys of which one of a job's own takes the place of all of its folder's."""
FILLED: Final = (
    *("host", "command", "argv", "env", "cwd", "stdin", "user", "program", "locks", "concurrency"),
    *CONDITION_KEYS,
)
"""Keys whose texts are filled in when a run is bound."""
PLACED: Final = ("host", "locks", "concurrency", "secrets")
"""Keys whose values name things that other files have."""
FLAT: Final = Record((*OWN, *PROGRAM.keys, KINDED), "a job", ELSEWHERE)
"""What is read once the keys under `program:` have been moved to the top."""
NO_HOST: Final = replace(HOST, default=Asked(""))
ROOT: Final = replace(FLAT, keys=(NO_HOST, *FLAT.keys[1:]), help="a workflow")
"""What is read of a workflow once its steps have been set apart."""
DEFAULTS: Final = replace(
    ROOT,
    keys=tuple(key for key in ROOT.keys if key not in WORKFLOW),
    help="what the jobs of a folder share",
    elsewhere={**ELSEWHERE, **dict.fromkeys((key.name for key in WORKFLOW), "it belongs to one job")},
)


def read_job(node: Node, job_id: str, problems: Problems, around: Surroundings, defaults: Entries) -> Job:
    """The job that a mapping describes. Raises UnreadableError after all that is wrong has been noted."""
    if not isinstance(node := present(node, problems), Mapping):
        raise problems.refuse(node, f"{node.what} stands where a job should be: `host: ...` and `command: ...`")
    before = len(problems.found)
    entries = with_defaults(spread(node, problems), defaults)
    flat, flow, steps = apart(Mapping(node.line, node.column, node.path, entries), problems, around)
    if flow is None:
        check_program(node, entries, problems)
    check_decisions(flat, problems)
    _check_templates(flat, problems)
    schedules, expects = _timed(flat, problems, around)
    record, host = (FLAT, HOST) if flow is None else (ROOT, NO_HOST)
    with reader(flat, record, problems) as take:
        asked, program, params, plan = take(host), make_program(take), take(PARAMS), take_plan(take)
        written = take(KINDED)
        told, start, retention = take(TOLD), take(START), take(RETENTION)
        _ = [take(key) for key in (SCHEDULE, EXPECT, *WORKFLOW)]
    if len(problems.found) > before:
        raise UnreadableError
    settings = around.settings
    found = plan(asked, settings, lambda: around.tz)
    return Job(
        job_id,
        asked.name,
        program,
        params,
        written=written,
        description=told[0],
        labels=told[1],
        start_within=settings.start_within if start is None else start,
        plan=found.plan if flow is None else replace(found.plan, flow=flow),
        schedules=schedules,
        expects=expects,
        retention=retention,
        file=problems.file,
        line=node.line,
        places={
            **steps,
            **found.places,
            **{name: flat.entries[name].key.line for name in PLACED if name in flat.entries},
        },
    )


def _lines(node: Mapping) -> dict[str, int]:
    return {name: node.entries[name].key.line for name in PLACED if name in node.entries}


def with_defaults(entries: Entries, defaults: Entries) -> dict[str, Entry]:
    """A job's entries, and those of its folder that it does not have in any form."""
    taken = {name for same in SAME if entries.keys() & same for name in same}
    taken |= set(ONLY_STEPS if "steps" in entries else ())
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
    schema = Record((*OWN, KINDED, *PROGRAM.keys), "a job").schema()
    del schema["required"]  # any of its keys may come from the defaults of its folder
    return schema


def _timed(node: Mapping, problems: Problems, around: Surroundings) -> tuple[tuple[Scheduled, ...], tuple[Expect, ...]]:
    """What depends on zones and calendars."""
    timed, expected = (_there(node, name) for name in ("schedule", "expect"))
    if timed is None and expected is None:
        return (), ()
    from sshsched.config.expects import read_expects
    from sshsched.config.late import Where
    from sshsched.config.schedules import check_args, read_schedules

    where = Where(around.tz, lambda: around.calendars, problems)
    found = [] if timed is None else list(read_schedules(timed, where))
    params = node.entries.get("params")
    try:
        # Their own problems are noted by the reader of the job.
        names = Params().read(params.value, Problems("")) if params else ()
    except UnreadableError:
        names = None
    if names is not None:
        check_args(found, names, problems)
    expects = () if expected is None else tuple(read_expects(expected, where))
    return tuple(scheduled for scheduled, _ in found), expects


def _there(node: Mapping, name: str) -> Node | None:
    """The value of a key, if there is one; that it is missing is for the reader to say."""
    entry = node.entries.get(name)
    return None if entry is None or (isinstance(entry.value, Text) and entry.value.absent) else entry.value


def _check_templates(node: Mapping, problems: Problems) -> None:
    params = node.entries.get("params")
    names = names_in(params.value) if params else []
    for key in (*FILLED, *ACTION_KEYS):
        for text in texts_in(node.entries[key].value) if key in node.entries else ():
            if is_template(text.text):
                for fault in faults(text.text, names, _told() if key in ACTION_KEYS else ()):
                    problems.add(text, fault)


def _told() -> Collection[str]:
    from sshsched.kinds.actions.facts import told_names

    return told_names()
