"""Answers of hosts: bytes into items, items into reports, whatever a host says."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sshsched.domain.events import Claim
from sshsched.domain.model import Cause
from sshsched.remote.answers import (
    LONGEST_DATA,
    LONGEST_LINE,
    Answer,
    AnswerError,
    Clock,
    Data,
    End,
    Framer,
    Line,
    parse_hello,
    parse_reports,
    started_report,
)

CLOCK = Clock("boot", 1000.0)
STATUS = ["exit 3", "up 20.5", "peak 2048", "", "0m0.00s 0m0.01s", "1m0.50s 0m0.25s", "end"]
TEXT = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=30)
STREAMS = st.sampled_from(["stdout", "stderr"])
ITEMS = st.lists(
    st.one_of(
        st.builds(Line, TEXT, st.just(True)),
        st.builds(Data, STREAMS, st.just("r1-abcd1234"), st.integers(0, 9**9), st.integers(0, 9**9), st.binary()),
        st.builds(End, st.integers(0, 10**9)),
    ),
    max_size=10,
)
# What looks like the protocol is likelier to break it than chance is.
MARKS = st.sampled_from(
    [b"\n", b".", b".1\n", b"=stdout r1-a 0 5 9\n", b"|", b"|name r1-a\n", b"|status end\n", b" ", b"9" * 20]
)
GARBAGE = st.lists(st.one_of(MARKS, st.binary(max_size=20)), max_size=30).map(b"".join)
WORDS = st.sampled_from(
    ["name r1-a", "claim", "claim program", "alive", "status", "stop", "stopped", "refused", "end", "exit", "signal"]
)
NUMBERS = st.sampled_from(
    ["", "0", "3", "²", "٣", "-1", "256", "9" * 5000, "1e9", "nan", "end", "9" * 5000 + "m1s 1m1s"]
)
LINES = st.lists(st.one_of(TEXT, st.builds("{} {}".format, WORDS, NUMBERS), WORDS, st.sampled_from(STATUS)))


def wire(item: Line | Data | End) -> bytes:
    """The item as a host sends it."""
    if isinstance(item, Line):
        return f"|{item.text}\n".encode()
    if isinstance(item, End):
        return f"\n.{item.number}\n".encode()
    return f"={item.stream} {item.name} {item.offset} {len(item.data)} {item.size}\n".encode() + item.data


@given(ITEMS, st.lists(st.integers(0, 2000)))
def test_chunks_do_not_matter(items: list[Line | Data | End], cuts: list[int]) -> None:
    """However a stream is cut into pieces, the same items come out, and they are those that went in."""
    stream = b"".join(map(wire, items))
    framer = Framer()
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]

    assert items == [item for start, end in pairwise(edges) for item in framer.feed(stream[start:end])]


@given(GARBAGE)
@example(b"." + b"9" * 5000 + b"\n")
@example(b".\xb2\n")
def test_garbage_is_at_most_no_answer(garbage: bytes) -> None:
    """Whatever bytes a host sends, they are items or an AnswerError."""
    try:
        items = list(Framer().feed(garbage))
    except AnswerError:
        return

    assert all(isinstance(item, Line | Data | End) for item in items)


@given(LINES)
def test_reports_are_read_from_anything(lines: list[str]) -> None:
    """Whatever lines a report is made of, reading it raises nothing."""
    assert isinstance(parse_reports(["name r1-a", *lines], CLOCK), dict)


@given(LINES)
def test_a_hello_is_read_or_refused(lines: list[str]) -> None:
    """Whatever a host says to hello, it is a hello or an AnswerError."""
    facts = ["spool /s", "boot b", "up 1", "journal 0"]
    assert "b" == parse_hello(Answer(told=facts)).boot
    for told in (lines, [*facts, *lines], [fact.partition(" ")[0] + " " + line for fact in facts for line in lines]):
        try:
            parse_hello(Answer(told=told))
        except AnswerError:
            continue


@given(TEXT, st.lists(st.one_of(NUMBERS, TEXT)))
def test_journal_lines_are_read_from_anything(word: str, more: list[str]) -> None:
    """Whatever a journal line holds, it is a start or a reason to look."""
    assert None is started_report(word, more, CLOCK) or "started" == word
    started_report("started", more, CLOCK)


@pytest.mark.parametrize("endless", [b"x" * (LONGEST_LINE + 2), b"=stdout r1-a 0 %d 0\n" % (LONGEST_DATA + 1)])
def test_memory_has_a_limit(endless: bytes) -> None:
    """A line without end, or more output than anybody asks for, is no answer."""
    with pytest.raises(AnswerError):
        list(Framer().feed(endless))


def test_the_host_problem_is_told_in_its_words() -> None:
    """A host without a usable spool says why."""
    answer = Answer(told=["problem cannot make the spool /x"], said=["mkdir: /x: Read-only file system"])
    with pytest.raises(AnswerError, match="cannot make the spool /x: mkdir: /x: Read-only file system"):
        parse_hello(answer)


def test_a_status_is_read() -> None:
    """A whole status gives the outcome, on the scheduler's clock."""
    report = parse_reports(["name r1-a", "claim program 42 500", *(f"status {line}" for line in STATUS)], CLOCK)["r1-a"]

    assert (Claim.PROGRAM, 42, 1005.0) == (report.claim, report.pid, report.started_at)
    assert report.outcome is not None
    assert (3, None, 1020.5, 60.5, 0.25, 2048 * 1024) == (
        report.outcome.exit_code,
        report.outcome.signal,
        report.outcome.ended_at,
        report.outcome.cpu_user,
        report.outcome.cpu_system,
        report.outcome.max_rss,
    )


@pytest.mark.parametrize("end", range(len(STATUS)))
def test_a_torn_status_says_nothing(end: int) -> None:
    """A status that lacks its end is none."""
    lines = ["name r1-a", "claim program 42 500", *(f"status {line}" for line in STATUS[:end])]

    assert parse_reports(lines, CLOCK)["r1-a"].outcome is None


@pytest.mark.parametrize(
    "how", ["", "exit", "exit -1", "exit 256", "exit ²", "signal 0", "signal 200", "maybe 3", "end 0"]
)
def test_a_status_that_cannot_be_says_nothing(how: str) -> None:
    """Exit codes and signals that do not exist are garbage, and garbage is no outcome."""
    lines = ["name r1-a", "claim program 42 500", *(f"status {line}" for line in [how, *STATUS[1:]])]

    assert parse_reports(lines, CLOCK)["r1-a"].outcome is None


def test_a_torn_cause_still_is_a_stop() -> None:
    """Somebody asked for the stop, whoever it was."""
    report = parse_reports(["name r1-a", "claim program 1 2", "stop time"], CLOCK)["r1-a"]

    assert Cause.STOP is report.stopping
