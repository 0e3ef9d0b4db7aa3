from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sshsched.tui.listing import NOW, Listing
from sshsched.tui.model import ENDED, Row
from tests.tui.kit import a_row

STATES = ("scheduled", "waiting", "running", "success", "failure")


@st.composite
def histories(draw: st.DrawFn) -> list[Row]:
    """Runs in any order, each told several times, some repeating an earlier one."""
    rows = []
    for id in draw(st.lists(st.integers(1, 12), max_size=40)):
        before = id % 3 == 0 and id > 3
        rows.append(a_row(id, draw(st.sampled_from(STATES)), rerun_of=id - 3 if before else None))
    return rows


def section(row: Row) -> int:
    return 0 if row.state == "scheduled" else 2 if row.ended else 1


@given(histories())
def test_a_listing_is_what_sorting_all_would_give(told: list[Row]) -> None:
    """To come, now, living, over; the newest first in each; and runs that repeat one another are one line."""
    rows: dict[int, Row] = {}
    listing = Listing(rows)
    for row in told:
        rows[row.id] = row
        listing.put([row])
    groups: dict[int, int] = {}
    for id in sorted(rows):
        first = id
        while (before := rows[first].rerun_of) is not None and before in rows:
            first = before
        groups[rows[first].rerun_of or first] = id
    heads = sorted((rows[id] for id in groups.values()), key=lambda row: (section(row), -row.due_at, -row.id))
    future = [row.id for row in heads if section(row) == 0]
    rest = [row.id for row in heads if section(row) > 0]

    assert [*future, NOW, *rest] == [listing.at(line) for line in range(len(listing))]


@given(histories())
def test_every_line_is_found_by_its_id(told: list[Row]) -> None:
    """The line of what stands on a line is that line."""
    rows = {row.id: row for row in told}
    listing = Listing(rows)

    assert list(range(len(listing))) == [listing.index(listing.at(line)) for line in range(len(listing))]


@given(histories(), st.sampled_from(STATES))
def test_only_what_matches_is_listed(told: list[Row], wanted: str) -> None:
    """A run that matches no more goes, and one that matches again comes back."""
    rows: dict[int, Row] = {}
    listing = Listing(rows, lambda row: row.state == wanted)
    for row in told:
        rows[row.id] = row
        listing.put([row])
    listed = {listing.at(line) for line in range(len(listing))} - {NOW}

    assert all(rows[id].state == wanted for id in listed)
    assert sum(row.state == wanted for row in rows.values()) == listing.states[wanted]
    assert set(listing.states) <= {wanted}


def test_repeated_runs_unfold_below_the_newest() -> None:
    """Folded, the newest tells how many are behind it; unfolded, they stand below it with their own times."""
    rows = {
        row.id: row for row in (a_row(1, "failure"), a_row(2, "failure", rerun_of=1), a_row(3, "running", rerun_of=2))
    }
    rows[4] = a_row(4, "success")
    listing = Listing(rows)

    assert [NOW, 3, 4] == [listing.at(line) for line in range(len(listing))]
    assert 2 == listing.folded(3)
    assert rows[1] is listing.original(3)
    assert 1 == listing.index(1)
    assert listing.unfold(3)
    assert [NOW, 3, 2, 1, 4] == [listing.at(line) for line in range(len(listing))]
    assert listing.below(1)
    assert not listing.unfold(4)


@given(histories(), st.randoms())
def test_steps_stand_below_their_workflow(told: list[Row], luck: Random) -> None:
    """Wherever the run of a workflow goes, its steps go with it, in their order; without it they stand alone."""
    steps = [a_row(20 + id, luck.choice(STATES), root=1, step=str(id)) for id in range(3)]
    rows: dict[int, Row] = {}
    listing = Listing(rows)
    for row in luck.sample([*told, *steps], len(told) + 3):
        rows[row.id] = row
        listing.put([row])
    lines = [listing.at(line) for line in range(len(listing))]

    assert list(range(len(listing))) == [listing.index(id) for id in lines]
    if 1 in rows and 1 in lines:
        assert [1, 20, 21, 22] == lines[lines.index(1) : lines.index(1) + 4]
    if 1 in rows:
        listing.drop(1)
    assert {20, 21, 22} <= {listing.at(line) for line in range(len(listing))}


def test_a_run_that_ends_moves_down() -> None:
    """What is over stands below all that lives, and what lives is counted."""
    rows = {id: a_row(id) for id in (1, 2)}
    listing = Listing(rows)
    rows[2] = a_row(2, "success")
    listing.put([rows[2]])

    assert [NOW, 1, 2] == [listing.at(line) for line in range(len(listing))]
    assert rows[2].state in ENDED
    assert {"running": 1, "success": 1} == listing.states
