"""When the details of the run under the cursor are read: once the cursor has come to rest, and when something changed.

Rule: what is being read comes to its end before it is read again, for there may be changes without end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer
from textual.worker import Worker

if TYPE_CHECKING:
    from sshsched.tui.app import Watch

SETTLED = 0.08  # seconds that the cursor stays on a run before its details are read


class Looking:
    """Has the details of a screen read."""

    def __init__(self, app: Watch) -> None:
        self._app = app
        self._looked_at: object = None
        self._timer: Timer | None = None
        self._worker: Worker[None] | None = None

    def soon(self) -> None:
        """The cursor stands elsewhere, or details have been opened."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._app.set_timer(SETTLED, self._now)

    def again(self) -> None:
        """Something may have changed."""
        busy = self._timer is not None or (self._worker is not None and not self._worker.is_finished)
        if self._app.detail.display and not busy and self._known() != self._looked_at:
            self.soon()

    def _known(self) -> object:
        """Of the run under the cursor and its workflow: something else whenever one of them has changed."""
        row = self._app.row()
        return row, row and self._app.live.board.moves[row.root or row.id]

    def _now(self) -> None:
        key = self._app.tables["runs"].key
        self._timer, self._looked_at = None, self._known()
        if isinstance(key, int) and key > 0:
            self._worker = self._app.run_worker(self._app.detail.look(key), group="look", exclusive=True)
