"""What typing does: the filter narrows the list at each letter, and a search waits for Enter."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sshsched.errors import SshschedError
from sshsched.tui.filters import added, parse

if TYPE_CHECKING:
    from sshsched.tui.app import Watch


def begin(app: Watch) -> None:
    """Open the line: for a search where output has the focus, else for the filter."""
    searched = app.detail.output() if app.detail.display and app.detail.content.has_focus else None
    app.line.open(app.live.filter.text if searched is None else searched.needle, searches=searched is not None)
    app.line.before = app.live.filter


def typed(app: Watch, text: str) -> None:
    """List what this asks for, as far as it can be read."""
    if not app.line.searches:
        with suppress(SshschedError):  # half a term: the list stays as it is until there is more of it
            app.live.narrow(parse(text, app.live.now()))


def keep(app: Watch, text: str) -> None:
    """Close the line: filter or search by what stands in it."""
    app.line.close()
    output = app.detail.output()
    if app.line.searches and output is not None:
        output.focus()
        output.search(text)
    else:
        narrow(app, text)
        app.table.focus()


def leave(app: Watch) -> None:
    """Close the line, and list what was listed before it was opened."""
    app.line.close()
    if app.line.searches:
        app.detail.content.focus()
    else:
        app.live.narrow(app.line.before)
        app.table.focus()


def narrow(app: Watch, text: str) -> None:
    """List only what a filter asks for; say what is wrong with one that cannot be read."""
    try:
        app.live.narrow(parse(text, app.live.now()))
    except SshschedError as error:
        app.say(str(error), bad=True)


def add(app: Watch, term: str) -> None:
    """Put a term into the filter, or take it out."""
    narrow(app, added(app.live.filter.text, term))
