"""Job files made by chance: good ones, ones with one wrong thing in them, and ones that are torn to pieces."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

words = st.text("abcxyz", min_size=1, max_size=6)
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="{\x7f\ufeff"), min_size=1, max_size=20
)
durations = st.sampled_from(["90s", "15m", "2h", "1d", "1h30m", 90, 1.5])
stops = st.fixed_dictionaries({}, optional={"signal": st.sampled_from(["TERM", "SIGINT"]), "grace": durations})
params = st.lists(words, max_size=3, unique=True) | st.dictionaries(
    words, texts | st.fixed_dictionaries({}, optional={"default": texts, "description": texts}), max_size=3
)
OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "env": st.dictionaries(words, texts, max_size=3),
    "cwd": words,
    "stdin": texts,
    "umask": st.sampled_from(["022", "0077"]),
    "user": words,
    "stop": stops,
    "timeout": durations,
    "accept": st.integers(0, 255) | st.lists(st.integers(0, 255), min_size=1, max_size=3),
    "abandon": st.fixed_dictionaries({"after": durations}),
}


common = {
    "enabled": st.booleans(),
    "jitter": st.sampled_from(["0", "30s", "1m"]),
    "catch_up": st.sampled_from(["all", "latest", "none"]),
    "max_age": durations,
    "valid": st.sampled_from([{"from": "2026-01-01"}, {"until": "2027-01-01T12:00Z"}, {}]),
}
zoned = {**common, "tz": st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"])}
stop_rules = st.sampled_from(["1h", 3600, {"duration": "1h"}, {"daytime": "17:00"}, {"daytime": "17:00", "tz": "UTC"}])
daytimes = st.sampled_from(["00:00", "02:30", "09:30:15", "23:59"])
calendars = st.sampled_from(["all", "Mon-Fri", "Fri-Mon", "Mon,Wed-Fri", "all except Sun", "Mon or Tue"])
shifts = {"cal_shift": st.integers(-3, 3), "date_shift": st.integers(-3, 3)}
crons = st.sampled_from(["30 3 * * *", "@daily", "@reboot", "*/5 9-17 * * MON-FRI", "0 0 L * *"])
schedules = st.one_of(
    crons,
    st.sampled_from(["every 15m", "@every 1h", "CRON_TZ=Asia/Kathmandu 0 6 * * *"]),
    st.fixed_dictionaries({"cron": crons}, optional={**zoned, "stop": stop_rules, "type": st.just("cron")}),
    st.fixed_dictionaries({"every": durations}, optional={**common, "stop": stop_rules, "type": st.just("interval")}),
    st.fixed_dictionaries(
        {"type": st.just("daily"), "daytime": daytimes | st.lists(daytimes, min_size=1, unique=True)},
        optional={**zoned, **shifts, "calendar": calendars, "stop": stop_rules},
    ),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["daily_interval", "daily-interval"]),
            "start": st.sampled_from(["08:00", {"daytime": "07:30", "cal_shift": -1}]),
            "stop": st.sampled_from(["16:00", {"daytime": "02:00", "date_shift": 1}]),
            "interval": durations,
        },
        optional={**zoned, "calendar": calendars, "stop_run": stop_rules},
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["once", "explicit"]), "at": st.sampled_from(["2026-12-24", ["2026-12-24T18:00Z"]])},
        optional={**zoned, "stop": stop_rules},
    ),
)


conditions = st.sampled_from(
    [
        {"type": "dependency", "job": "load", "args": {"date": 7}, "states": ["success", "failure"], "exist": True},
        {"type": "dependency", "job": 2024, "states": "success", "within": "1d", "max_wait": "2h", "then": "skip"},
        {"type": "max_running", "count": 2, "args": "any", "enabled": False},
        {"type": "max_running", "count": "{{ job_id }}", "enabled": "{{ job_id }}"},
        {"type": "skip_duplicate"},
        {"type": "file", "path": "/x", "older_than": "10m", "min_size": "10kB", "exists": "true"},
        {"type": "command", "command": "test -e x", "host": "a", "every": 30},
        {"type": "time_window", "from": "22:00", "until": "06:00", "calendar": "Mon-Fri"},
        {"any": [{"type": "host_up", "host": "a"}, {"type": "manual"}], "max_wait": 5},
        {"type": "n_of", "n": 1, "of": [{"type": "const", "value": False}]},
    ]
)
occasions = st.sampled_from(["success", ["failure", "error"], {"states": ["late"]}, {"states": "held"}])
actions = st.one_of(
    st.fixed_dictionaries({"type": st.just("schedule"), "job": words, "if": occasions}),
    st.fixed_dictionaries(
        {"type": st.just("exec"), "command": words, "on": occasions}, optional={"timeout": durations}
    ),
    st.fixed_dictionaries({"type": st.just("notify"), "email": st.just("a@b.example")}, optional={"if": occasions}),
)
locks = st.sampled_from(["db", ["db", "tape"], {"db": 2}, "{{ job_id }}"])
DECISIONS: dict[str, st.SearchStrategy[Any]] = {
    "condition": conditions | st.lists(conditions, min_size=1, max_size=3),
    "depends_on": words | st.lists(words | st.fixed_dictionaries({"job": words}), min_size=1, max_size=2),
    "max_wait": durations,
    "then": st.sampled_from(["error", "skip"]),
    "action": actions | st.lists(actions, min_size=1, max_size=2),
    "notify": st.sampled_from(["a@b.example", "https://b.example", {"on": "failure", "email": ["a@b.example"]}]),
    "successors": words | st.lists(words, min_size=1, max_size=2),
    "retry": st.integers(0, 9)
    | st.fixed_dictionaries(
        {"count": st.integers(0, 9)},
        optional={
            "delay": durations,
            "backoff": st.sampled_from([1, 1.5, "2"]),
            "jitter": st.sampled_from([0, 0.5, 1]),
            "on": st.sampled_from(["failure", ["error", 75, "timeout"]]),
        },
    ),
    "idempotent": st.booleans(),
    "max_running": st.integers(1, 9),
    "skip_duplicate": st.booleans(),
    "priority": st.integers(-9, 9),
    "warn": st.fixed_dictionaries({}, optional={"late": durations, "long": durations}),
    "secrets": st.sampled_from([{"A": "db/main"}, ["TOKEN"]]),
    "expect": st.sampled_from(
        [
            {"success_by": "08:00"},
            [{"success_by": "18:30", "tz": "UTC", "calendar": "Mon-Fri", "notify": "a@b.example"}],
        ]
    ),
}
hosts = words | st.sampled_from(
    ["@web", {"group": "web", "strategy": "sticky"}, {"tags": ["linux", "gpu"]}, {"tags": "a", "canary": 1}]
)


@st.composite
def good_jobs(draw: st.DrawFn) -> dict[str, Any]:
    """A job with some of all keys, in the short or the long form."""
    kind = draw(st.sampled_from(["command", "argv"]))
    program = {kind: draw(words) if kind == "command" else draw(st.lists(texts, min_size=1, max_size=3))}
    program |= draw(st.fixed_dictionaries({}, optional=OPTIONS))
    told = st.fixed_dictionaries({}, optional={"description": texts, "labels": st.lists(words, min_size=1)})
    limits = {"age": durations, "count": st.integers(1, 9), "size": st.sampled_from(["10GB", 5, "1.5 MiB"])}
    kept = st.sets(st.sampled_from(sorted(limits)), min_size=1).flatmap(
        lambda names: st.fixed_dictionaries(
            {name: limits[name] for name in sorted(names)}, optional={"then": st.sampled_from(["archive", "delete"])}
        )
    )
    besides = {"metadata": told, "start_within": durations, "retention": kept, **DECISIONS}
    own = st.fixed_dictionaries({"host": hosts}, optional=besides)
    timed = st.fixed_dictionaries({}, optional={"schedule": schedules | st.lists(schedules, min_size=1, max_size=3)})
    # A param without a default needs an arg from each schedule, so a job here has one or the other.
    more = draw(timed if draw(st.booleans()) else st.fixed_dictionaries({}, optional={"params": params}))
    more |= draw(st.just({}) | st.fixed_dictionaries({"locks": locks}) | st.just({"concurrency": {"group": "db"}}))
    return {**draw(own), **more, **(program if draw(st.booleans()) else {"program": program})}


WRONG_VALUES: dict[str, list[Any]] = {
    "host": ["-x", "a b", [], {}, {"group": "a", "tags": "b"}, {"group": "a", "strategy": "x"}, {"tags": ["a b"]}],
    "condition": [
        "x",
        [],
        {},
        {"type": "nope"},
        {"type": "dependency"},
        {"type": "dependency", "job": "x", "nope": 1},
        {"type": "dependency", "job": "x", "states": "won"},
        {"type": "dependency", "job": "x", "max_wait": "soon"},
        {"type": "max_running", "count": "many"},
        {"type": "max_running", "count": 0},
        {"type": "manual", "enabled": "maybe"},
        {"type": "manual", "then": "stop"},
        {"type": "file", "path": "x", "older_than": "soon"},
        {"any": []},
        {"any": "x"},
        [[]],
    ],
    "depends_on": [[], {}, {"type": "dependency", "job": "x"}, {"job": "x", "nope": 1}],
    "action": [
        "x",
        {},
        {"type": "schedule", "job": "x"},
        {"type": "schedule", "if": "success"},
        {"type": "schedule", "job": "x", "if": "won"},
        {"type": "schedule", "job": "x", "if": "success", "on": "failure"},
        {"type": "exec", "command": "x", "if": "error", "timeout": "soon"},
        {"type": "nope", "if": "error"},
    ],
    "notify": [[], {"on": "won", "email": "a@b.example"}, {"email": "a@b.example", "nope": 1}, {"lines": "x"}],
    "successors": [[], {}, {"args": {"x": "y"}}],
    "retry": [-1, "many", [], {}, {"count": 1, "on": "won"}, {"count": 1, "backoff": 0.5}, {"count": 1, "nope": 2}],
    "idempotent": ["maybe", []],
    "locks": [{"db": 0}, "a b", [], {"a b": 1}],
    "max_running": [0, "many"],
    "max_wait": ["soon", 0],
    "then": ["stop"],
    "priority": [1001, "high"],
    "warn": ["10m", {"lat": "10m"}, {"late": "soon"}],
    "secrets": [{"1A": "x"}, {"A": "x y"}, "A", ["1A"], []],
    "expect": [{}, {"success_by": "noon"}, {"success_by": "08:00", "nope": 1}, "08:00", []],
    "env": [[], "x", {"1a": "x"}, {"a": ["x"]}],
    "cwd": ["~", "", []],
    "stdin": [["x"], {}],
    "umask": ["9", "rwx", []],
    "user": ["-u", [], ""],
    "stop": ["TERM", {"signal": "NOPE"}, {"grace": "soon"}, {"hard": "yes"}],
    "timeout": ["soon", 0, [], {"a": "b"}],
    "accept": [256, -1, [], ["x"], "x"],
    "abandon": ["1h", {}, {"after": "soon"}],
    "start_within": ["soon", 0],
    "retention": [
        "90d",
        {},
        {"then": "delete"},
        {"age": "soon"},
        {"count": 0},
        {"size": "big"},
        {"age": 9, "then": "x"},
    ],
    "metadata": [[], {"labels": ["a b"]}, {"nope": 1}],
    "params": ["x", ["1a"], {"a b": "x"}, {"a": {"nope": 1}}],
    "argv": ["x", [], {}],
    "nope": ["x"],
    "schedule": [
        [],
        {},
        [[]],
        {"type": "dayly"},
        {"type": "daily"},
        {"cron": "@daily", "nope": 1},
        {"every": "soon"},
        {"every": "5m", "enabled": "maybe"},
        {"every": "5m", "catch_up": "last"},
        {"every": "5m", "stop": {}},
        {"every": "5m", "jitter": "soon"},
        {"every": "5m", "valid": {"to": "2026-01-01"}},
        {"type": "daily", "daytime": "noon"},
        {"type": "daily", "daytime": "09:30", "cal_shift": 5000},
        {"type": "daily_interval", "start": "09:30", "stop": "10:00"},
        {"type": "once"},
    ],
}


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """A good job of which one thing is wrong."""
    job = draw(good_jobs())
    key = draw(st.sampled_from(sorted(WRONG_VALUES)))
    inner = job["program"] if "program" in job and (key in OPTIONS or key == "argv") else job
    inner[key] = draw(st.sampled_from(WRONG_VALUES[key]))
    return job


TORN = ["\t", "{", "[", "}", "]", ":", ": ", "- ", "&a ", "*a", "!x ", "|", ">", "'", '"', "\\", "#", "%", "@", "`",
        "\0", "\x85", "\ufeff", "\r", "\n", "\n  ", "---\n", "...\n", "<<: ", "? ", "{{ ", "{% ", "é",
        "\U0001f600"]  # fmt: skip


@st.composite
def torn(draw: st.DrawFn, text: str) -> str:
    """A text with pieces cut out, doubled, or put in where they do not belong."""
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 30)))
        put = draw(st.sampled_from(TORN) | st.just(text[start:end] * 2))
        text = text[:start] + put + text[end:]
    return text


SCHEDULE_KEYS = [
    *(
        "type",
        "cron",
        "every",
        "phase",
        "at",
        "daytime",
        "calendar",
        "cal_shift",
        "date_shift",
        "start",
        "stop",
        "nope",
    ),
    *("stop_run", "interval", "tz", "args", "enabled", "jitter", "catch_up", "max_age", "valid"),
]
SCHEDULE_VALUES = [
    *("daily", "daily_interval", "cron", "every", "once", "interval", "", "x", "true", "none", "all", "-1", "0", "1"),
    *("30 3 * * *", "0 0 31 2 *", "59 23 29 2 *", "* * * * *", "@reboot", "TZ=Mars @daily", "1-0 * * * *"),
    *("0 0 * * MON#5", "0 0 LW 2 *", "*/0 * * * *", "9" * 400, "15m", "0.1", "100y", "36525d", "1e9"),
    *("09:30", "24:00", "9:3", "02:30", "2026-03-29T02:30", "9999-12-31", "0001-01-01"),
    *("Mon-Fri", "Mon except Mon", "all except all or all", "free", "1000", "-1000", "99999", "{{ x }}", None, [], {}),
    *("Europe/Berlin", "../etc/passwd", "Australia/Lord_Howe", [["09:30", "09:30"]], {"duration": "1h"}),
    *({"daytime": "02:30", "cal_shift": 1000}, {"from": "2026-01-01"}, {"x": "1"}),
]
odd_schedules = st.dictionaries(
    st.sampled_from(SCHEDULE_KEYS), st.sampled_from(SCHEDULE_VALUES), max_size=8
) | st.sampled_from(SCHEDULE_VALUES)
"""Keys and values as nobody would put them together; now and then one is good."""
