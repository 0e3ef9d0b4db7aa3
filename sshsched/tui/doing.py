"""What keys do to the world: act on runs, make runs, copy.

Rule: nothing is changed before it has been asked for, and what came of it is said in one line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from sshsched.cli.safe import safe_line
from sshsched.errors import SshschedError
from sshsched.tui import keys
from sshsched.tui.actions import ACTIONS, Action, Wish, question, told
from sshsched.tui.columns import work
from sshsched.tui.model import Row, Shape

if TYPE_CHECKING:
    from sshsched.tui.app import Watch


def act(app: Watch, action: Action, rows: Sequence[Row], choice: str = "") -> None:
    """Ask, then do it."""
    asked = question(action, rows, choice)
    if not asked.names:
        app.say(asked.title, bad=True)
        return
    from sshsched.tui.boxes import Ask, Choice

    def chosen(word: str | None) -> None:
        if word:
            act(app, action, rows, word)

    def answered(yes: bool | None) -> None:
        if yes:
            app.run_worker(_act(app, action, Wish(asked.names, app.live.outside.user, choice)))

    if action.choices and not choice:
        app.push_screen(Choice(f"{action.name} as", [(key, "", word) for key, word in action.choices]), chosen)
    else:
        app.push_screen(Ask(asked.title, asked.lines), answered)


async def _act(app: Watch, action: Action, wish: Wish) -> None:
    live = app.live
    try:
        answer = await asyncio.to_thread(live.outside.ask, lambda client: action.call(client, wish))
    except SshschedError as error:
        app.say(str(error), bad=True)
        return
    live.runs.chosen_ids -= {int(each[1:]) for each in wish.names}
    app.say(told(action, answer))
    app.told()


def run_form(app: Watch, job: str, row: Row | None) -> None:
    """The form for a run now, with what the line under the cursor says filled in."""
    from sshsched.tui.form import RunForm

    args = row.args if row is not None and row.job_id == job else {}

    def made(runs: list[Shape] | None) -> None:
        if runs:
            app.say(f"{', '.join(run['run'] for run in runs)} made")
            app.go_to_run(int(runs[0]["run"][1:]))

    app.push_screen(RunForm(app.live.outside, app.live.jobs.jobs, sorted(app.live.board.hosts), job, args), made)


def show_step(app: Watch, step: str, run: int | None) -> None:
    """Go from a workflow to the run of a step, in the same place; a filter that hides it is cleared."""
    if run is None:
        app.say(f"{safe_line(step)} has not begun", bad=True)
        return
    zoomed = app.detail.has_class("-zoomed")
    if app.live.filter.text and app.live.runs.line(run) is None:
        app.narrow("")
    app.go_to_run(run)
    app.detail.see("summary")
    app.open_detail(zoomed=zoomed)
    app.detail.content.focus()


def copy(app: Watch, row: Row, spool: str | None) -> None:
    """Offer what one may want to paste elsewhere."""
    from sshsched.tui.boxes import Choice

    outside = app.live.outside
    offers = [
        ("r", "run", row.name),
        ("o", "output", str(outside.state_dir / "output" / row.name)),
        ("s", "ssh", outside.ssh_command(row.host, spool)),
        ("w", "what", work(row)),
    ]

    def chosen(text: str | None) -> None:
        if text:
            app.copy_to_clipboard(text)
            app.say(f"copied: {safe_line(text)}")

    app.push_screen(Choice("copy", offers), chosen)


def commands(app: Watch) -> Iterator[SystemCommand]:
    """All that keys do, to search in, and the themes."""
    for action in ACTIONS:
        yield SystemCommand(action.name, f"{action.about} (key {action.key})", partial(app.action_act, action.name))
    for key in (*keys.LOOKING, *keys.DOING):
        yield SystemCommand(key.says, f"key {key.name}", partial(app.call_later, app.run_action, key.action))
    yield SystemCommand("theme", "choose other colours", app.search_themes)
