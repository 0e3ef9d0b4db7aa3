"""What all lists share: columns, order, and the columns that tell runs apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sshsched.cli.lists import Field, chosen, ordered
from sshsched.cli.run_fields import USUAL, arg_names, telling
from sshsched.cli.table import Column
from sshsched.domain.model import Run
from sshsched.domain.program import Program
from sshsched.domain.shape import run_shape
from sshsched.domain.states import State
from sshsched.errors import UsageError

FIELDS: dict[str, Field[tuple[str, int | None]]] = {
    "name": Field(Column("NAME"), lambda item, _: item[0]),
    "size": Field(Column("SIZE"), lambda item, _: f"{item[1]} bytes", lambda item: item[1]),
}
ITEMS: list[tuple[str, int | None]] = [("b", 10), ("a", 9), ("d", None), ("c", 10)]
RUN = Run(id=1, host="nas", program=Program("true"), created_at=0.0, state=State.SUCCESS)


def shape(**fields: Any) -> dict[str, Any]:
    return run_shape(replace(RUN, **fields))


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        (None, "badc"),
        ("name", "abcd"),
        ("-name", "dcba"),
        ("size", "abcd"),
        ("-size", "bcad"),
        ("-size,-name", "cbad"),
    ],
)
def test_lists_are_sorted_by_values(sort: str | None, names: str) -> None:
    """Numbers as numbers, ties as they came or by the next column, and what has no value last."""
    assert names == "".join(name for name, _ in ordered(ITEMS, FIELDS, sort, 0.0))


def test_columns_are_chosen() -> None:
    """The usual ones, those that are named, or these added to the usual ones."""
    assert ["name"] == chosen(FIELDS, ["name"], None)
    assert ["size", "name"] == chosen(FIELDS, ["name"], "size, name")
    assert ["name", "size"] == chosen(FIELDS, ["name"], "+size")


def test_unknown_columns_are_refused() -> None:
    """One line that names the option and the nearest column."""
    with pytest.raises(UsageError, match=r"--columns: unknown 'sice'; did you mean 'size'\?"):
        chosen(FIELDS, [], "name,sice")
    with pytest.raises(UsageError, match=r"--sort: unknown 'sice'; did you mean 'size'\?"):
        ordered(ITEMS, FIELDS, "-sice", 0.0)


def test_args_are_columns_where_they_are_alike() -> None:
    """Of one job, whose name stands above; of jobs with the same params; not where they differ, or are of no job."""
    one = [shape(job_id="a", args={"date": day, "to": "x"}) for day in "12"]
    two = [shape(job_id=job, args={"date": "1"}) for job in "ab"]
    mixed = [shape(job_id="a", args={"date": "1"}), shape(job_id="b", args={"to": "x"})]

    assert (
        ["run", "state", "host", "when", "ago", "took", "arg.date", "arg.to", "result"],
        ["date", "to"],
        "a",
    ) == telling(one)
    assert (["job", "arg.date"], "") == (telling(two)[0][6:8], telling(two)[2])
    assert [list(USUAL)] * 3 == [telling(runs)[0] for runs in (mixed, [shape()], [shape(job_id="a")])]


def test_args_can_be_named() -> None:
    """arg.NAME is a column for --columns and for --sort."""
    assert ["date", "to"] == arg_names("run,arg.date,-arg.to")
