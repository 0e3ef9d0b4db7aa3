"""The keys of one step of a workflow. Rule: as in a job, each is declared once, for the reader and for the schema."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, NamedTuple

from sshsched.config.decisions import DECISIONS
from sshsched.config.decisions import ELSEWHERE as DECIDED_ELSEWHERE
from sshsched.config.folder import JOB_WORD
from sshsched.config.matrix import Matrix
from sshsched.config.nodes import Listing, Mapping, Node, Problems, Text, shown
from sshsched.config.params import NAME as PARAM_NAME
from sshsched.config.params import WANTED as PARAM_WANTED
from sshsched.config.placement import Asked, Place
from sshsched.config.programs import ELSEWHERE as PROGRAM_ELSEWHERE
from sshsched.config.programs import PROGRAM
from sshsched.config.reading import Key, Made, Record, Schema, read_text
from sshsched.config.values import TEXT, Duration, Integer, Many, Pairs, Word
from sshsched.config.workflow import MAX_PARALLEL, VARIABLES
from sshsched.domain.handing import WHOLE
from sshsched.domain.nearest import nearest, suggest
from sshsched.domain.plan import When

STEP_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
MOST_ROUNDS: Final = 1000


class Case:
    """`success`, `failure` or `always`; `failure()` and `${{ failure() }}`, as GitHub Actions has them."""

    words: Final[tuple[When, ...]] = ("success", "failure", "always")

    def read(self, node: Node, problems: Problems) -> When:
        text = read_text(node, problems, "a case")
        word = text.strip().removeprefix("${{").removesuffix("}}").strip().removesuffix("()")
        if word in self.words:
            return word
        hint = "write a `condition` for anything else" if "(" in text or "=" in text else ""
        raise problems.refuse(node, f"{shown(text)} is no case{suggest(word, self.words)}{hint and '; ' + hint}")

    def schema(self) -> Schema:
        return {"type": "string", "pattern": rf"^(?:\$\{{\{{ *)?(?:{'|'.join(self.words)})(?:\(\))?(?: *\}}\}})?$"}


class Items:
    """A template, or a list that is known already."""

    def read(self, node: Node, problems: Problems) -> str:
        return "\n".join(Many(TEXT).read(node, problems)) if isinstance(node, Listing) else read_text(node, problems)

    def schema(self) -> Schema:
        return Many(TEXT).schema()


class Found:
    """How something is found in a standard output."""

    def read(self, node: Node, problems: Problems) -> str:
        text = read_text(node, problems, f"a regular expression, or one of {', '.join(WHOLE)},")
        near = nearest(text, WHOLE) if text.isidentifier() and text not in WHOLE else None
        if near:
            raise problems.refuse(
                node, f"unknown {shown(text)}; did you mean '{near}'? To find the word, write ({text})"
            )
        try:
            re.compile(text)
        except re.error as error:
            raise problems.refuse(node, f"{shown(text)} is no regular expression: {error}") from None
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


class Rounds(NamedTuple):
    """A loop: until a template gives true, so many times at most, with a pause of so many seconds."""

    until: str = ""
    most: int = 1
    pause: float = 0.0


UNTIL: Final = Key("until", TEXT, "a template: the step is repeated until it gives true")
MOST: Final = Key("most", Integer(1, MOST_ROUNDS), "how many times at most")
PAUSE: Final = Key("pause", Duration(zero=True), "how long after the end of one the next begins", 0.0)
LOOP_RECORD: Final = Record(
    (UNTIL, MOST, PAUSE),
    "how often the step is repeated: {until: ..., most: 10}",
    {**dict.fromkeys(("max", "limit", "times", "count"), "here it is called 'most'"), "delay": "here it is 'pause'"},
)
MATRIX: Final = Key[tuple[dict[str, str], ...]]("matrix", Matrix(), "lists of variables: one step for each of all", ())
PARALLEL: Final = replace(MAX_PARALLEL, name="max-parallel")
STRATEGY_RECORD: Final = Record(
    (MATRIX, PARALLEL), "as GitHub Actions has it", {"fail-fast": "write `max_fail: 0` beside 'steps'"}
)


class Strategy(NamedTuple):
    """The items of a matrix, and how many of them run at once."""

    items: tuple[dict[str, str], ...] = ()
    most: int | None = None


NEEDS: Final = Key[tuple[str, ...]]("needs", Many(TEXT), "the steps that it needs", ())
WHEN: Final = Key[When]("when", Case(), "what its needs must have come to: success, failure or always", "success")
IF: Final = Key[When | None]("if", Case(), "the same as 'when', as GitHub Actions has it", None)
STRATEGY: Final = Key(
    "strategy",
    Made(STRATEGY_RECORD, lambda take: Strategy(take(MATRIX), take(PARALLEL))),
    "matrix, as GitHub Actions has it",
    Strategy(),
)
FOREACH: Final = Key(
    "foreach", Items(), "a list, or a template that gives one: the step is repeated for each `item`", ""
)
LOOP: Final = Key(
    "loop", Made(LOOP_RECORD, lambda take: Rounds(take(UNTIL), take(MOST), take(PAUSE))), LOOP_RECORD.help, Rounds()
)
OUTPUTS: Final = Key(
    "outputs",
    Pairs(PARAM_NAME, "name of an output; use letters, digits and _, no digit first", Found()),
    f"what it hands on, and how it is found in its output: a regular expression, or {', '.join(WHOLE)}",
    {},
)
COMMON: Final = (NEEDS, WHEN, IF, MATRIX, STRATEGY, MAX_PARALLEL, FOREACH, LOOP, OUTPUTS, VARIABLES)

RUN: Final = Key[str | None]("run", TEXT, "the same as 'command', as GitHub Actions has it", None)
RUNS_ON: Final = Key[str | None]("runs-on", TEXT, "the same as 'host', as GitHub Actions has it", None)
HOST: Final = Key[Asked]("host", Place(), "where it runs: a host, @group, or {tags: [...]}", Asked(""))
JOB: Final = Key("job", Word(rf"{JOB_WORD}(?:/{JOB_WORD})*", "job id"), "the job that it is a run of")
ARGS: Final = Key("args", Pairs(PARAM_NAME, PARAM_WANTED, TEXT), "the args of that job", {})

_NOT_IN_STEPS: Final = {
    **dict.fromkeys(
        ("depends_on", "after"),
        "between steps it is called 'needs'; for other jobs write `condition: {type: dependency, job: ...}`",
    ),
    **dict.fromkeys(("max_running", "skip_duplicate"), "it belongs beside 'steps': it is about the workflow"),
    "successors": "it belongs beside 'steps', or is a step with `job: ...`",
    "schedule": "it belongs beside 'steps'",
    "params": "it belongs beside 'steps'",
    "continue-on-error": "write `accept: [0, 1]`, or let the next step say `when: always`",
    **dict.fromkeys(("uses", "with"), "actions of GitHub do not run here; write `run: ...`"),
    "until": "it belongs under 'loop'",
    "each": "here it is called 'foreach'",
    **dict.fromkeys(("depends", "dependencies", "requires"), "here it is called 'needs'"),
    **dict.fromkeys(("output", "exports"), "here it is called 'outputs'"),
}
_ELSEWHERE: Final = {
    **PROGRAM_ELSEWHERE,
    **DECIDED_ELSEWHERE,
    "args": "the arguments of a program belong in 'argv'; a step with `job: ...` has 'args'",
    **_NOT_IN_STEPS,
}
_OWN: Final = {key.name for key in (*COMMON, RUN, RUNS_ON)}
_KINDED_ELSEWHERE: Final = "a program with a `type` belongs to a job; the step can run that: `job: NAME`"
STEP: Final = Record(
    (*COMMON, HOST, *PROGRAM.keys, *DECISIONS),
    "a step",
    {word: hint for word, hint in _ELSEWHERE.items() if word not in _OWN} | {"program": _KINDED_ELSEWHERE},
)
JOB_STEP: Final = Record(
    (JOB, ARGS, *COMMON),
    "a step that is a run of a job",
    {
        **_NOT_IN_STEPS,
        **dict.fromkeys(
            (*(key.name for key in (HOST, *PROGRAM.keys, *DECISIONS)), "run", "runs-on"),
            "the job says that; a step with `job: ...` gives only its args",
        ),
    },
)


def step_schema(*, named: bool) -> Schema:
    """The JSON Schema of a step; in a list it has its name in it."""
    plain = Record((*(key for key in STEP.keys if key.name not in _NOT_IN_STEPS), RUN, RUNS_ON), STEP.help).schema()
    job = JOB_STEP.schema()
    if named:
        for schema in (plain, job):
            schema["properties"]["name"] = {
                "description": "what it is called",
                "type": "string",
                "pattern": f"^{STEP_NAME}$",
            }
            schema["required"] = [*schema.get("required", ()), "name"]
    return {"anyOf": [plain, job]}


def renamed(node: Mapping) -> Mapping:
    """The entries of a step with the words of GitHub Actions that only rename ours."""
    names = {"run": "command", "runs-on": "host"}
    entries = dict(node.entries)
    for word, ours in names.items():
        if word in entries and ours not in entries:
            entries[ours] = entries.pop(word)
    return Mapping(node.line, node.column, node.path, entries)


def named_in(node: Node) -> list[Text]:
    """The texts of `needs`, each at its place."""
    if isinstance(node, Listing):
        return [item for item in node.items if isinstance(item, Text)]
    return [node] if isinstance(node, Text) else []
