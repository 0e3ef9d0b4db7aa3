"""Every key of the screen, in one table: the bindings, the footer and the help are made from it.

Rule: keys that change something ask first; see `actions`.
"""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """A key, what it does, and whether the footer has a word for it."""

    key: str
    action: str
    says: str
    footer: str = ""
    shown: str = ""
    """How people call the key, where it has another name."""

    @property
    def name(self) -> str:
        """The key as people know it."""
        return self.shown or self.key.partition(",")[0]


MOVING = (
    Key("up,k", "line(-1)", "one line up", shown="↑ k"),
    Key("down,j", "line(1)", "one line down", shown="↓ j"),
    Key("pageup,ctrl+u", "page(-1)", "one page up", shown="PgUp"),
    Key("pagedown,ctrl+d", "page(1)", "one page down", shown="PgDn"),
    Key("home,g", "edge(-1)", "to the first line", shown="Home g"),
    Key("end,G", "edge(1)", "to the last line that has been read; again for more of the past", shown="End G"),
    Key("left", "sideways(-1)", "choose a cell, to the left", shown="←"),
    Key("right", "sideways(1)", "choose a cell, to the right", shown="→"),
)
LOOKING = (
    Key("n", "to_now", "to the line at now; in the output, the next match, and N the one before"),
    Key(
        "enter",
        "open",
        "details of the run, or what lies below the line; in a graph, the step's run",
        "open",
        shown="Enter",
    ),
    Key("escape", "back", "close, or clear the filter", shown="Esc"),
    Key("z", "zoom", "details on the whole screen, or not"),
    Key("plus,o", "unfold", "show or hide the runs that are folded behind this one", shown="+ o"),
    Key("1", "view('runs')", "runs"),
    Key("2", "view('jobs')", "jobs"),
    Key("3", "view('hosts')", "hosts"),
    Key("slash", "filter", "edit the filter; in the output, search", "filter", shown="/"),
    Key("f", "add_term", "add the chosen cell to the filter, or take it out"),
    Key("F", "add_term(True)", "the same, negated"),
    Key("c", "clear_filter", "clear the filter"),
)
DOING = (
    Key("space", "choose", "choose this run, to act on several", shown="Space"),
    Key("a", "run_form", "run a job or a command now", "run"),
    Key("y", "copy", "copy: the run's id, the path of its output, or the ssh command", "copy"),
    Key("ctrl+p", "command_palette", "all commands, to search in", shown="Ctrl+P"),
    Key("question_mark", "help", "this help", "help", shown="?"),
    Key("q,ctrl+c", "quit", "leave; everything goes on", "quit", shown="q"),
)
TURNING = (
    Key("tab", "app.tab(1)", "next part of the details, or the next list", shown="Tab"),
    Key("shift+tab", "app.tab(-1)", "the one before", shown="Shift+Tab"),
)
"""Bound where the focus is: the screen itself has other plans with Tab."""
GROUPS = (("Move", (*MOVING, *TURNING)), ("Look", LOOKING), ("Act", DOING))
