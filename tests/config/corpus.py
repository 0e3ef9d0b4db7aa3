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


@st.composite
def good_jobs(draw: st.DrawFn) -> dict[str, Any]:
    """A job with some of all keys, in the short or the long form."""
    kind = draw(st.sampled_from(["command", "argv"]))
    program = {kind: draw(words) if kind == "command" else draw(st.lists(texts, min_size=1, max_size=3))}
    program |= draw(st.fixed_dictionaries({}, optional=OPTIONS))
    told = st.fixed_dictionaries({}, optional={"description": texts, "labels": st.lists(words, min_size=1)})
    own = st.fixed_dictionaries(
        {"host": words}, optional={"metadata": told, "params": params, "start_within": durations}
    )
    return {**draw(own), **(program if draw(st.booleans()) else {"program": program})}


WRONG_VALUES: dict[str, list[Any]] = {
    "host": ["-x", "a b", [], {}],
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
    "metadata": [[], {"labels": ["a b"]}, {"nope": 1}],
    "params": ["x", ["1a"], {"a b": "x"}, {"a": {"nope": 1}}],
    "argv": ["x", [], {}],
    "nope": ["x"],
    "schedule": ["@daily"],
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
