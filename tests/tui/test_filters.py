from __future__ import annotations

import pytest

from sshsched.domain.program import Program
from sshsched.domain.shape import run_shape
from sshsched.tui.filters import added, known, parse
from sshsched.tui.model import row
from tests.store.samples import T0
from tests.tui.kit import run, shape

RUNS = [
    run(
        1,
        "running",
        job_id="reports/build",
        args={"date": "2026-11-22"},
        labels=("nightly",),
        by="ann",
        host="web1",
        root=9,
        step="a",
    ),
    run(
        2,
        "waiting",
        schedule_time=T0 - 500,
        message="waits for nas",
        held="by ann",
        program=Program(argv=("echo", "Two Words")),
    ),
    run(3, "failure", unreachable_since=T0, program=Program(command="make -C /srv")),
    run(4, "running", unreachable_since=T0, host="web2", by="bob"),
]


@pytest.mark.parametrize(
    "text",
    [
        "", "state:running", "!state:running", "is:live", "is:failed", "is:late", "is:unreachable",
        "is:held", "root:r9", "job:reports/*",
        "host:web1,web2", "host:web*", "label:nightly", "arg.date=2026-11-22", "by:ann", "run:r3,r4", "since:2h",
        "until:today", '"two words"', "!make", "srv", "NAS",
    ],
)  # fmt: skip
def test_rows_match_as_runs_do(text: str) -> None:
    """The screen and the store list the same runs for the same text."""
    found = parse(text, T0)

    assert [found.where.matches(each) for each in RUNS] == [found.matches(row(shape)) for shape in map(run_shape, RUNS)]


def test_a_term_is_added_once_and_taken_out_again() -> None:
    """The same key twice leaves the filter as it was, whatever spaces are within quotes."""
    one = added("state:running", 'label:"a b"')

    assert 'state:running label:"a b"' == one
    assert "state:running" == added(one, 'label:"a b"')
    assert 'label:"a b"' == added(one, "state:running")


def test_what_is_known_is_offered() -> None:
    """Values of rows, of hosts without runs and of jobs that never ran."""
    found = known([row(shape(1, job_id="a", args={"x": "1"}, labels=("l",), by="ann"))], ["nas"], ["b"])

    assert ("b", "a") == found.jobs
    assert ("nas", "alpha") == found.hosts
    assert ("l",) == found.labels
    assert ("ann",) == found.authors
    assert {"x": ("1",)} == dict(found.args)
