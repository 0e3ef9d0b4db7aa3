from __future__ import annotations

from sshsched.tui.model import Board
from tests.tui.kit import a_row, run, shape


def test_a_snapshot_says_what_is_over() -> None:
    """A run that lived here and is in no snapshot any more has ended; the store knows how."""
    board = Board()
    board.put([a_row(1), a_row(2), a_row(3, "success")])
    rows, over = board.begin({"runs": [shape(2), shape(4)], "hosts": [{"host": "nas"}]})

    assert {1} == over
    assert [2, 4] == [row.id for row in rows]
    assert ["nas"] == list(board.hosts)


def test_the_past_takes_nothing_back() -> None:
    """A page of the past that was read before a change was heard does not undo it."""
    board = Board()
    board.put([a_row(1, "success")])

    assert [2] == [row.id for row in board.add([a_row(1, "running"), a_row(2)])]
    assert "success" == board.rows[1].state


def test_times_follow_from_the_fields() -> None:
    """Elapsed time ticks until the end, lateness until the start."""
    created = run(1).created_at
    waiting = a_row(1, "waiting", schedule_time=created)
    running = a_row(2, "running", schedule_time=created, started_at=created + 3)
    ended = a_row(3, "success", started_at=created, finished_at=created + 5)

    assert 10 == waiting.late(created + 10)
    assert 3 == running.late(created + 10)
    assert 7 == running.took(created + 10)
    assert 5 == ended.took(created + 10)
    assert waiting.took(created + 10) is None
    assert ended.late(created) is None
