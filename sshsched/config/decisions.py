"""What a job file decides about its runs besides time and place: what they wait for, what follows, how often.

Rule: short keys are a way to write long ones, and come to the same `Plan`: `depends_on: load` is a condition,
`notify: me@example.com` an action. Texts stay as they are until a run is bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as AbstractMapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

from sshsched.config.nodes import Listing, Mapping, Node, Problems, Text, shown
from sshsched.config.placement import Asked
from sshsched.config.programs import ENV_NAME, ENV_WANTED
from sshsched.config.reading import Key, Made, Record, Schema, Take, read_text, reader
from sshsched.config.values import Duration, Integer, Many, Number, OneOf, Pairs, Truth, Word
from sshsched.domain import secrets
from sshsched.domain.nearest import suggest
from sshsched.domain.plan import NO_FAN, NO_PLAN, Deed, Plan, Retry, Rule, Then
from sshsched.domain.sound import MOST, OUTCOMES

if TYPE_CHECKING:
    from sshsched.config.settings import Settings

USUAL: Final = Retry()

# Retries ---------------------------------------------------------------------------------------------------------


class Outcome:
    """What a run may be tried again after: a word, or an exit code."""

    def read(self, node: Node, problems: Problems) -> str:
        text = read_text(node, problems, "an outcome")
        if text in OUTCOMES or (re.fullmatch(r"0|[1-9][0-9]{0,2}", text) and int(text) <= 255):
            return text
        known = suggest(text, (*OUTCOMES, "an exit code"))
        raise problems.refuse(node, f"{shown(text)} is no outcome to try again after{known}")

    def schema(self) -> Schema:
        code: Schema = Integer(0, 255).schema()
        return {"anyOf": [{"enum": list(OUTCOMES)}, code]}


TRIES: Final = Integer(0, 1000)
COUNT: Final = Key("count", TRIES, "how often it is tried again")
DELAY: Final = Key("delay", Duration(zero=True), "the pause before the next try", USUAL.delay)
BACKOFF: Final = Key("backoff", Number(1, 1000), "each pause is so many times the one before", USUAL.factor)
MAX_DELAY: Final = Key("max_delay", Duration(), "no pause is longer", USUAL.longest)
JITTER: Final = Key("jitter", Number(0, 1), "the share by which a pause may be longer, by chance", USUAL.jitter)
ON: Final = Key[tuple[str, ...]]("on", Many(Outcome()), "after which outcomes: words, or exit codes", USUAL.on)
RETRY_RECORD: Final = Record(
    (COUNT, DELAY, BACKOFF, MAX_DELAY, JITTER, ON),
    "how often and when it is tried again",
    {
        **dict.fromkeys(("retries", "times", "limit", "max", "attempts"), "here it is called 'count'"),
        **dict.fromkeys(("factor", "multiplier", "exponential"), "here it is called 'backoff'"),
        **dict.fromkeys(("interval", "wait", "pause", "retry_delay"), "here it is called 'delay'"),
    },
)


class Retries:
    """`3`, or `{count: 3, delay: 10s, backoff: 2}`."""

    def read(self, node: Node, problems: Problems) -> Retry:
        if isinstance(node, Text):
            return Retry(TRIES.read(node, problems))
        with reader(node, RETRY_RECORD, problems) as take:
            return Retry(take(COUNT), take(DELAY), take(BACKOFF), take(MAX_DELAY), take(JITTER), take(ON))

    def schema(self) -> Schema:
        return {"anyOf": [TRIES.schema(), RETRY_RECORD.schema()]}


# Locks and secrets -----------------------------------------------------------------------------------------------

LOCK: Final = Word(r"[^\s,{}]+", "lock; use no spaces, commas or braces", templated=True)
LOCK_NAME: Final = r"[^\s,{}]+|[^{]*\{[{%][\s\S]*"
LOCK_COUNTS: Final = Pairs(LOCK_NAME, "name of a lock; use no spaces, commas or braces", Integer(1, MOST))
NAMED_LOCK: Final = Key("group", LOCK, "the name of the lock")
CONCURRENCY_RECORD: Final = Record(
    (NAMED_LOCK,), "a lock", {"cancel-in-progress": "runs wait for each other here; take it out"}
)

Locks = AbstractMapping[str, int]


class NamedLocks:
    """`db`, `[db, tape]`, or `{db: 2}`: how much of each named lock a run holds."""

    def read(self, node: Node, problems: Problems) -> Locks:
        if isinstance(node, Mapping):
            return LOCK_COUNTS.read(node, problems)
        return dict.fromkeys(Many(LOCK).read(node, problems), 1)

    def schema(self) -> Schema:
        return {"anyOf": [Many(LOCK).schema(), LOCK_COUNTS.schema()]}


class Concurrency:
    """`name` or `{group: name}`, as GitHub Actions has it: one lock."""

    def read(self, node: Node, problems: Problems) -> Locks:
        if isinstance(node, Text):
            return {LOCK.read(node, problems): 1}
        with reader(node, CONCURRENCY_RECORD, problems) as take:
            return {take(NAMED_LOCK): 1}

    def schema(self) -> Schema:
        return {"anyOf": [LOCK.schema(), CONCURRENCY_RECORD.schema()]}


VARIABLES: Final = Pairs(ENV_NAME, ENV_WANTED, Word(secrets.NAME, secrets.WANTED))
SAME_NAMES: Final = Many(Word(ENV_NAME, ENV_WANTED), alone=False)


class Secrets:
    """`{VARIABLE: secret}`; or a list of secrets, each in a variable of its name."""

    def read(self, node: Node, problems: Problems) -> AbstractMapping[str, str]:
        if isinstance(node, Listing):
            return {name: name for name in SAME_NAMES.read(node, problems)}
        return VARIABLES.read(node, problems)

    def schema(self) -> Schema:
        return {"anyOf": [SAME_NAMES.schema(), VARIABLES.schema()]}


# Conditions and actions: their kinds are imported when somebody has one -----------------------------------------------

Placed = tuple[Rule, int]
"""A condition and its line."""
PlacedDeed = tuple[Deed, int]


class Conditions:
    """One condition or a list of them; all of one kind, if the key means that."""

    def __init__(self, kind: str = "") -> None:
        self.kind = kind

    def read(self, node: Node, problems: Problems) -> tuple[Placed, ...]:
        from sshsched.config.kinded import read_all, rule

        return tuple((rule(each), each.line) for each in read_all(node, "condition", problems, self.kind))

    def schema(self) -> Schema:
        from sshsched.config.kinded_schema import schema_of

        return schema_of("condition", self.kind)


class Actions:
    """The same for actions; `on` is when those follow that do not say."""

    def __init__(self, kind: str = "", on: tuple[str, ...] = ()) -> None:
        self.kind, self.on = kind, on

    def read(self, node: Node, problems: Problems) -> tuple[PlacedDeed, ...]:
        from sshsched.config.kinded import deed, read_all

        return tuple((deed(each), each.line) for each in read_all(node, "action", problems, self.kind, self.on))

    def schema(self) -> Schema:
        from sshsched.config.kinded_schema import schema_of

        return schema_of("action", self.kind)


# The keys ----------------------------------------------------------------------------------------------------------

THEN_WORDS: Final[tuple[Then, ...]] = get_args(Then)

CONDITION: Final = Key[tuple[Placed, ...]]("condition", Conditions(), "what a run waits for, besides its time", ())
DEPENDS_ON: Final = Key[tuple[Placed, ...]]("depends_on", Conditions("dependency"), "jobs that must have succeeded", ())
AFTER: Final = Key[tuple[Placed, ...]]("after", Conditions("dependency"), "the same as 'depends_on'", ())
MAX_WAIT: Final = Key[float | None](
    "max_wait", Duration(), "how long conditions may hold a run before it ends, as 'then' says", None
)
THEN: Final = Key[str]("then", OneOf(THEN_WORDS, "end"), "what max_wait ends a run with: error or skip", "")
ACTION: Final = Key[tuple[PlacedDeed, ...]]("action", Actions(), "what follows on an occasion of a run", ())
NOTIFY: Final = Key[tuple[PlacedDeed, ...]](
    "notify", Actions("notify"), "who is told: an address, or email, webhook, apprise and when", ()
)
SUCCESSORS: Final = Key[tuple[PlacedDeed, ...]](
    "successors", Actions("schedule", ("success",)), "jobs of which a run follows each success", ()
)
RETRY: Final = Key("retry", Retries(), "how often and when a run that failed is tried again", USUAL)
IDEMPOTENT: Final = Key(
    "idempotent", Truth(), "true: it is tried again also where nobody knows whether its program ended", False
)
LOCKS: Final = Key[Locks]("locks", NamedLocks(), "named locks that a run holds while it runs, as {db: 2}", {})
CONCURRENCY: Final = Key[Locks]("concurrency", Concurrency(), "one lock, as GitHub Actions has it", {})
MAX_RUNNING: Final = Key[int | None](
    "max_running", Integer(1, MOST), "how many runs with the same args run at once: a condition", None
)
SKIP_DUPLICATE: Final = Key(
    "skip_duplicate", Truth(), "true: a run is skipped while another with the same args waits or runs", False
)
PRIORITY: Final = Key("priority", Integer(-1000, 1000), "runs with a higher one start first", 0)
LATE: Final = Key[float | None]("late", Duration(), "when a run has not started for so long", None)
LONG: Final = Key[float | None]("long", Duration(), "when a program runs for longer", None)
WARN_RECORD: Final = Record((LATE, LONG), "when an occasion 'late' or 'long' comes")
WARN: Final = Key[tuple[float | None, float | None]](
    "warn", Made(WARN_RECORD, lambda take: (take(LATE), take(LONG))), WARN_RECORD.help, (None, None)
)
SECRETS: Final = Key[AbstractMapping[str, str]](
    "secrets", Secrets(), "environment variables of the program, and the secret that each holds", {}
)

DECISIONS: Final[tuple[Key[Any], ...]] = (
    *(CONDITION, DEPENDS_ON, AFTER, MAX_WAIT, THEN, ACTION, NOTIFY, SUCCESSORS, RETRY, IDEMPOTENT, LOCKS, CONCURRENCY),
    *(MAX_RUNNING, SKIP_DUPLICATE, PRIORITY, WARN, SECRETS),
)
NAMES: Final = frozenset(key.name for key in DECISIONS)
ELSEWHERE: Final = {
    "conditions": "here it is called 'condition'",
    "actions": "here it is called 'action'",
    **dict.fromkeys(("retries", "max_retries"), "here it is called 'retry'"),
    **dict.fromkeys(("lock", "resources", "resource_tags"), "here it is called 'locks'"),
    **dict.fromkeys(("max_concurrent", "max_instances"), "here it is called 'max_running'"),
    **dict.fromkeys(("needs", "dependencies", "dependency", "requires"), "here it is called 'depends_on'"),
    **dict.fromkeys(("late", "long"), "it belongs under 'warn'"),
    **dict.fromkeys(("email", "webhook"), "it belongs under 'notify'"),
    **dict.fromkeys(("on_success", "if"), "write `action: {type: ..., if: failure}`, or `notify: ...`"),
    **dict.fromkeys(("group", "strategy"), "it belongs under 'host', as in `host: {group: web, strategy: sticky}`"),
}
CONDITION_KEYS: Final = ("condition", "depends_on", "after")
ACTION_KEYS: Final = ("action", "notify", "successors")


class Found(NamedTuple):
    """The plan that the keys make, and the lines of `condition[0]`, `action[0]` and so on."""

    plan: Plan
    places: dict[str, int]


def take_plan(take: Take) -> Callable[[Asked, Settings, Callable[[], str]], Found]:
    """Takes the keys; what comes back makes the plan of them, once all have been read."""
    if take.node.entries.keys().isdisjoint(NAMES):  # as in most of ten thousand jobs
        take.taken |= NAMES
        return _without_keys
    values = {key.name: take(key) for key in DECISIONS}

    def make(asked: Asked, settings: Settings, tz: Callable[[], str]) -> Found:
        conditions: list[Placed] = [each for name in CONDITION_KEYS for each in values[name]]
        actions: list[PlacedDeed] = [each for name in ACTION_KEYS for each in values[name]]
        places = {f"condition[{index}]": line for index, (_, line) in enumerate(conditions)}
        places |= {f"action[{index}]": line for index, (_, line) in enumerate(actions)}
        late, long = values["warn"]
        own = values["max_wait"]
        plan = Plan(
            conditions=(*(_zoned(rule, tz) for rule, _ in conditions), *_short_conditions(values)),
            max_wait=settings.max_wait if own is None else own,
            then=values["then"] or ("error" if own is not None else settings.then),
            actions=tuple(deed for deed, _ in actions),
            retry=values["retry"],
            idempotent=values["idempotent"],
            locks={**values["concurrency"], **values["locks"]},
            priority=values["priority"],
            strategy=asked.strategy,
            fan=asked.fan,
            late_after=late,
            long_after=long,
            secrets=values["secrets"],
        )
        return Found(plan, places)

    return make


def _without_keys(asked: Asked, settings: Settings, tz: Callable[[], str]) -> Found:
    """Where nothing is said but perhaps how a host is chosen."""
    plan = NO_PLAN
    if settings.max_wait is not None or asked.strategy or asked.fan is not NO_FAN:
        plan = Plan(max_wait=settings.max_wait, then=settings.then, strategy=asked.strategy, fan=asked.fan)
    return Found(plan, {})


def _zoned(rule: Rule, tz: Callable[[], str]) -> Rule:
    from sshsched.config.kinded import zoned

    return replace(rule, options=zoned(rule.kind, rule.options, tz))


def _short_conditions(values: dict[str, Any]) -> Iterator[Rule]:
    """They come last: which of several runs goes on is best decided among those that could."""
    if values["max_running"] is not None:
        yield Rule("max_running", {"count": values["max_running"]})
    if values["skip_duplicate"]:
        yield Rule("skip_duplicate")


def check_decisions(node: Mapping, problems: Problems) -> None:
    """Note what does not go together."""
    if "locks" in node.entries and "concurrency" in node.entries:
        problems.add(node.entries["concurrency"].key, "means a lock, and 'locks' stands here too; keep one")
