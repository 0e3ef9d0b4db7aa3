"""The filter that people write: read, written back, completed."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.domain.states import LIVE, State
from sshsched.errors import UsageError
from sshsched.store.filter import IS, Field, RunFilter, Term
from sshsched.store.filter_complete import Known, complete
from sshsched.store.filter_text import NAMES, filter_text, parse, quoted, term_text
from tests.store.samples import run

NOW = 1_763_812_800.0


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("  \t ", []),
        ("state:running,failure", [Term(Field.STATE, ("running", "failure"))]),
        ("state:failure,running,failure", [Term(Field.STATE, ("running", "failure"))]),
        ("state:failed", [Term(Field.STATE, ("failure", "error"))]),
        ("is:finished", [Term(Field.STATE, ("success", "failure", "error", "skipped"))]),
        ("is:late", [Term(Field.IS, ("late",), at=NOW)]),
        ("is:late,failed", [Term(Field.IS, ("late", "failed"), at=NOW)]),
        ("job:reports/*", [Term(Field.JOB, ("reports/*",))]),
        ("host:web1,web2", [Term(Field.HOST, ("web1", "web2"))]),
        ("!host:web1", [Term(Field.HOST, ("web1",), negated=True)]),
        ('label:"two words","a,b"', [Term(Field.LABEL, ("two words", "a,b"))]),
        ('label:"say \\"hi\\" \\\\"', [Term(Field.LABEL, ('say "hi" \\',))]),
        ("arg.date=2026-11-22", [Term(Field.ARG, ("2026-11-22",), "date")]),
        ('arg.url=http://x:80/a=b,""', [Term(Field.ARG, ("http://x:80/a=b", ""), "url")]),
        ('arg."odd name"=1', [Term(Field.ARG, ("1",), "odd name")]),
        ("since:2h", [Term(Field.SINCE, at=NOW - 7200)]),
        ("until:2026-11-22T00:00:00Z", [Term(Field.UNTIL, at=1_795_305_600.0)]),
        ("run:r12,13,r13", [Term(Field.RUN, ("r12", "r13"))]),
        ("by:ann", [Term(Field.BY, ("ann",))]),
        ("!text more", [Term(Field.TEXT, ("text",), negated=True), Term(Field.TEXT, ("more",))]),
        ('"host:web1" a,b 10:30', [Term(Field.TEXT, (word,)) for word in ("host:web1", "a,b", "10:30")]),
        ('"!a" x"y z"', [Term(Field.TEXT, ("!a",)), Term(Field.TEXT, ("xy z",))]),
    ],
)
def test_what_a_text_means(text: str, terms: list[Term]) -> None:
    """Terms are separated by blanks, alternatives by commas; quotes take everything literally."""
    assert RunFilter(terms) == parse(text, NOW)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x hots:web1", "filter: 'hots:web1' at character 3: unknown 'hots'; did you mean 'host'?"),
        ("state:runing", "at character 1: unknown 'runing'; did you mean 'running'?"),
        ("is:lat", "did you mean 'late'?"),
        ("is:zzz", "known: failed, finished, held, late, live, unreachable"),
        ("host:", "'host:' at character 1: it has no value"),
        ("host:,", "it has no value"),
        ('a label:"b c', "'label:\"b c' at character 3: a quote is not closed"),
        ('"b', "a quote is not closed"),
        ("!", "'!' stands before a term"),
        ("since:soon", "'since:soon' at character 1: 'soon' is no time; write it like 2h"),
        ("since:2h,3h", "one time only"),
        ("run:x1", "'x1' is no run; write r12"),
        ("arg:x=1", "write arg.NAME=VALUE"),
        ("http://x", "a text with a colon goes in quotes"),
        ("host:******", "more than 5 \\*"),
        ("host:\udc80", "it is not valid UTF-8"),
        ("host:" + ",".join(map(str, range(101))), "more than 100 values"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, message: str) -> None:
    """One line that names the term, its place and the remedy."""
    with pytest.raises(UsageError, match=message.replace("?", r"\?")) as caught:
        parse(text, NOW)

    assert "\n" not in str(caught.value)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing that can be typed ends otherwise."""
    with suppress(UsageError):
        parse(text, NOW)


_values = st.text(st.characters(codec="utf-8", exclude_characters="*"), max_size=6)
_lists = st.lists(_values, min_size=1, max_size=3, unique=True).map(tuple)
_moments = st.integers(0, 4_000_000_000_000).map(lambda n: round(n / 1000, 3))
_states = st.frozensets(st.sampled_from(State), min_size=1).map(
    lambda states: tuple(s.value for s in State if s in states)
)
_plain = st.sampled_from([Field.JOB, Field.HOST, Field.LABEL, Field.BY])
any_term = st.one_of(
    st.builds(Term, st.just(Field.STATE), _states, negated=st.booleans()),
    st.builds(
        Term,
        st.just(Field.IS),
        st.sampled_from([("late",), ("unreachable", "live"), IS]),
        at=st.just(NOW),
        negated=st.booleans(),
    ),
    st.builds(Term, _plain, _lists, negated=st.booleans()),
    st.builds(Term, st.just(Field.TEXT), st.tuples(_values), negated=st.booleans()),
    st.builds(Term, st.just(Field.ARG), _lists, _values.filter(bool), negated=st.booleans()),
    st.builds(Term, st.sampled_from([Field.SINCE, Field.UNTIL]), at=_moments, negated=st.booleans()),
    st.builds(
        Term,
        st.just(Field.RUN),
        st.lists(st.integers(0, 99).map("r{}".format), min_size=1, unique=True, max_size=4).map(tuple),
        negated=st.booleans(),
    ),
)


@given(st.lists(any_term, max_size=5).map(RunFilter))
def test_a_filter_comes_back(where: RunFilter) -> None:
    """What is written of a filter is read as the same filter."""
    assert where == parse(filter_text(where), NOW)


def test_written_as_a_person_would() -> None:
    """No quotes where none are needed, and groups of states by their name."""
    text = "is:live !host:web* job:reports/* arg.date=2026-11-22 hello since:2026-11-22T01:02:03.500Z"

    assert text == filter_text(parse(text, NOW))
    assert "is:live" == filter_text(RunFilter(states=LIVE))
    assert '"host:x"' == term_text(Term(Field.TEXT, ("host:x",)))


def test_late() -> None:
    """A run is late a minute after its time, if it has not begun or began only then."""
    late = parse("is:late", 1000.0)

    assert late.matches(run(1, State.WAITING, created_at=939.0))
    assert not late.matches(run(1, State.WAITING, created_at=940.0))
    assert not late.matches(run(1, State.WAITING, created_at=100.0, schedule_time=2000.0))
    assert late.matches(run(1, State.SUCCESS, created_at=100.0, started_at=161.0))
    assert not late.matches(run(1, State.SUCCESS, created_at=100.0, started_at=159.0))
    assert not late.matches(run(1, State.SKIPPED, created_at=100.0))


KNOWN = Known(
    jobs=["backup", "reports/build", "reports/send"],
    hosts=["web1", "web2", "nas"],
    labels=["nightly", "two words"],
    args={"date": ["2026-11-22"], "region": ["us", "eu"]},
)


def offered(line: str, cursor: int | None = None) -> list[str]:
    """The lines that there would be."""
    at = len(line) if cursor is None else cursor
    return [line[: each.begin] + each.text + line[each.end :] for each in complete(line, at, KNOWN)]


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("ho", ["host:"]),
        ("a !ho", ["a !host:"]),
        ("arg.", ["arg.date=", "arg.region="]),
        ("host:", ["host:web1", "host:web2", "host:nas"]),
        ("host:we", ["host:web1", "host:web2"]),
        ("host:web1,n", ["host:web1,nas"]),
        ("host:b1", ["host:web1"]),
        ("state:ru", ["state:running"]),
        ("is:l", ["is:live", "is:late", "is:failed", "is:unreachable", "is:held"]),
        ("job:re", ["job:reports/*", "job:reports/build", "job:reports/send"]),
        ('label:"two', ['label:"two words"']),
        ("label:two", ['label:"two words"']),
        ("arg.region=e", ["arg.region=eu"]),
        ("nonesuch:", []),
    ],
)
def test_completion(line: str, lines: list[str]) -> None:
    """Names at the begin of a term, values after its colon, both also in the middle of a word."""
    assert lines == offered(line)


def test_completion_at_the_cursor() -> None:
    """What follows the cursor stays."""
    assert ["host:nas state:running"] == offered("host:na state:running", 7)
    assert [f"{name}:" for name in NAMES] == [line for line in offered("") if not line.startswith("arg.")]


@given(st.text(max_size=20), st.data())
def test_completion_never_fails(line: str, data: st.DataObject) -> None:
    """Whatever is typed, and wherever the cursor is."""
    complete(line, data.draw(st.integers(0, len(line))), KNOWN)


@given(_values)
def test_a_quoted_value_is_itself(value: str) -> None:
    """Quotes are put wherever something could be misread."""
    assert (value,) == parse(f"label:{quoted(value)}", NOW).terms[0].values
