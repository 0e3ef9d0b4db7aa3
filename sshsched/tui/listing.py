"""Which rows a list shows, in which order: what is to come, a line at now, what lives, what is over.

Rule: pure, and a change costs the same among a hundred rows and a hundred thousand: places are found by bisection, and
whether a row is wanted is asked only when it changes. Runs that repeat one another are folded behind the newest.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

from sshsched.tui.model import COMING, Row

T = TypeVar("T")
Matches = Callable[[Row], bool]
Key = tuple[float, int, int, int]
"""What sorts within a section: the place of the group, 1 for what stands below its head, the place there, the id."""
Place = tuple[int, Key]
"""The section, and the key in it."""

FUTURE, LIVE, PAST = range(3)
NOW = 0
"""The id of the line between what is to come and the rest; no run has it."""


class Listing:
    """The rows of one list. `rows` is looked up, never changed."""

    def __init__(self, rows: dict[int, Row], matches: Matches = lambda _: True) -> None:
        self._rows = rows
        self._matches = matches
        self._places: dict[int, Place] = {}
        self._sections: tuple[list[Key], ...] = ([], [], [])
        self._roots: dict[int, int] = {}
        self._groups: dict[int, list[int]] = {}
        self._open: set[int] = set()
        self._steps: dict[int, set[int]] = {}
        """The steps of each workflow's run; they stand below it, in the order in which they were made."""
        self.params: Counter[tuple[str, ...]] = Counter()
        """How many rows have args of these names."""
        self.jobs: Counter[str | None] = Counter()
        self.states: Counter[str] = Counter()
        """How many rows there are of each job, and in each state, folded ones too."""
        self._counted: dict[int, tuple[tuple[str, ...], str | None, str]] = {}
        self.put(rows.values())

    # Asking

    def __len__(self) -> int:
        return sum(map(len, self._sections)) + 1

    @property
    def now_at(self) -> int:
        """The index of the line at now."""
        return len(self._sections[FUTURE])

    @property
    def coming(self) -> int:
        """How many lines are to come."""
        return len(self._sections[FUTURE])

    def at(self, index: int) -> int:
        """The id of a line, NOW for the line at now. Raises IndexError."""
        future, live, past = self._sections
        if index < len(future):
            return future[index][-1]
        index -= len(future)
        if index == 0:
            return NOW
        index -= 1
        return live[index][-1] if index < len(live) else past[index - len(live)][-1]

    def index(self, id: int) -> int | None:
        """The line of a run, or of the run that it is folded behind; None if it is not shown."""
        if id == NOW:
            return self.now_at
        place = self._places.get(id)
        if place is None:
            members = self._groups.get(self._roots.get(id, id))
            place = self._places.get(members[-1]) if members else None
        if place is None:
            return None
        section, key = place
        before = sum(len(self._sections[each]) for each in range(section)) + (section > FUTURE)
        return before + bisect_left(self._sections[section], key)

    def folded(self, id: int) -> int:
        """How many runs are folded behind this one, or unfolded below it."""
        members = self._groups.get(self._roots.get(id, id), [])
        return len(members) - 1 if members and members[-1] == id else 0

    def original(self, id: int) -> Row | None:
        """The first known run of those that this one repeats."""
        members = self._groups.get(self._roots.get(id, id), [])
        return self._rows.get(members[0]) if len(members) > 1 else None

    def below(self, id: int) -> bool:
        """Whether this line is an earlier run, unfolded below the newest."""
        members = self._groups.get(self._roots.get(id, id), [])
        return bool(members) and members[-1] != id

    def step_below(self, id: int) -> bool:
        """Whether this line is a step that stands below its workflow's run."""
        root = self._rows[id].root
        return root is not None and root in self._counted

    # Changing

    def put(self, rows: Iterable[Row]) -> None:
        """Rows that are new, or have changed."""
        for row in rows:
            if self._matches(row):
                self._join(row)
            else:
                self.drop(row.id)

    def drop(self, id: int) -> None:
        """Show this one no more."""
        if id not in self._counted:
            return
        self._count(id, None)
        self._leave(id)
        root = self._roots.pop(id)
        members = self._groups[root]
        members.remove(id)
        if members:
            self._arrange(root)
        else:
            del self._groups[root]
            self._open.discard(root)
        if (lead := self._rows[id].root) is not None:
            self._steps.get(lead, set()).discard(id)
        self._arrange_steps(id)

    def unfold(self, id: int) -> bool:
        """Show or hide the runs that are folded behind one; False if there are none."""
        root = self._roots.get(id, id)
        if len(self._groups.get(root, [])) < 2:
            return False
        self._open ^= {root}
        self._arrange(root)
        return True

    def _join(self, row: Row) -> None:
        new = row.id not in self._counted
        self._count(row.id, row)
        if new:
            self._enter(row)
        root = self._roots[row.id]
        if len(self._groups[root]) == 1:
            self._place(row.id, self._place_of(row, row))
        else:
            self._arrange(root)
        self._arrange_steps(row.id)

    def _arrange_steps(self, lead: int) -> None:
        """Put the steps of a workflow's run to where that is now."""
        for root in {self._roots[each] for each in self._steps.get(lead, ())}:
            self._arrange(root)

    def _enter(self, row: Row) -> None:
        root = row.id if row.rerun_of is None else self._roots.get(row.rerun_of, row.rerun_of)
        self._roots[row.id] = root
        if row.root is not None:
            self._steps.setdefault(row.root, set()).add(row.id)
        insort(self._groups.setdefault(root, []), row.id)
        if root != row.id and (orphans := self._groups.pop(row.id, None)):  # its own reruns were known before it
            for each in orphans:
                self._roots[each] = root
                insort(self._groups[root], each)

    def _arrange(self, root: int) -> None:
        """Put the newest of a group in its place, and the others below it or nowhere."""
        *others, head = self._groups[root]
        newest = self._rows[head]
        self._place(head, self._place_of(newest, newest))
        for each in others:
            if root in self._open:
                self._place(each, self._place_of(self._rows[each], newest))
            else:
                self._leave(each)

    def _place_of(self, row: Row, head: Row) -> Place:
        """Where a row belongs: by the head of its group, and that by the workflow's run that it is a step of."""
        step = head.root is not None and head.root in self._counted
        lead = self._rows[head.root] if step and head.root is not None else head
        if lead.state == COMING:
            section, order = FUTURE, -lead.due_at
        else:
            section, order = PAST if lead.ended else LIVE, float(-lead.id)
        return section, (order, int(row is not lead), head.id if step else -row.id, row.id)

    def _place(self, id: int, place: Place) -> None:
        if self._places.get(id) != place:
            self._leave(id)
            self._places[id] = place
            insort(self._sections[place[0]], place[1])

    def _leave(self, id: int) -> None:
        if (place := self._places.pop(id, None)) is not None:
            section = self._sections[place[0]]
            del section[bisect_left(section, place[1])]

    def _count(self, id: int, row: Row | None) -> None:
        facts = None if row is None else (tuple(row.args), row.job_id, row.state)
        old = self._counted.pop(id, None)
        if facts is not None:
            self._counted[id] = facts
        if old == facts:
            return
        for known, by in ((old, -1), (facts, 1)):
            if known is not None:
                _add(self.params, known[0], by)
                _add(self.jobs, known[1], by)
                _add(self.states, known[2], by)


def _add(counter: Counter[T], value: T, by: int) -> None:
    """Count, and keep no zeros."""
    counter[value] += by
    if not counter[value]:
        del counter[value]
