"""The form for a run now: a job with its params, or a command on a host.

Rule: what is wrong is said in the form, which stays open with all that was typed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from sshsched.errors import SshschedError
from sshsched.tui.boxes import Box
from sshsched.tui.model import Shape
from sshsched.tui.outside import Job, Outside, Param


class RunForm(Box[list[Shape]]):
    """Gives the runs that it has made."""

    DEFAULT_CSS = """
    RunForm > VerticalScroll { width: 80; }
    RunForm Input { border: none; height: 1; padding: 0; background: $boost; }
    RunForm Input:focus { border: none; background: $panel; }
    RunForm Vertical { height: auto; }
    RunForm #wrong { color: $error; width: 100%; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        ("escape", "leave", "leave"),
        ("down", "app.focus_next", "next field"),
        ("up", "app.focus_previous", "field before"),
    ]

    def __init__(
        self, outside: Outside, jobs: Mapping[str, Job], hosts: Sequence[str], job: str, args: Mapping[str, str]
    ) -> None:
        super().__init__()
        self._outside, self._jobs, self._hosts = outside, jobs, hosts
        self._first, self._args = job, dict(args)
        self._shown: str | None = None

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(Text("Run now", style="bold"))
            yield Static(Text("job (empty: a command)"))
            jobs = SuggestFromList(list(self._jobs), case_sensitive=True)
            yield Input(self._first, id="job", suggester=jobs, compact=True)
            yield Vertical(id="fields")
            yield Static(id="wrong")
            yield Static(Text("Enter: run it    ↑ ↓: fields    →: take what is offered    Esc: leave", style="dim"))

    async def on_mount(self) -> None:
        self.query_one(VerticalScroll).can_focus = False
        await self._lay()
        params = list(self.query("#param0")) if self._shown else []
        (params or [self.query_one("#job")])[0].focus()

    async def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "job":
            await self._lay()

    async def _lay(self) -> None:
        """Ask what the job that is named wants to know; for a command, where and what."""
        job = self._jobs.get(self.query_one("#job", Input).value.strip())
        name = job.id if job else ""
        if name == self._shown:
            return
        self._shown = name
        fields = self.query_one("#fields", Vertical)
        await fields.remove_children()
        hosts = SuggestFromList(list(self._hosts), case_sensitive=True)
        if job is None:
            await fields.mount(
                Static(Text("host")),
                Input("local", id="host", suggester=hosts, compact=True),
                Static(Text("command, for sh -c")),
                Input(id="command", compact=True),
            )
            return
        if job.description:
            await fields.mount(Static(Text(job.description, style="italic")))
        for number, param in enumerate(job.params):
            value = self._args.get(param.name, param.default or "")
            offers = SuggestFromList(list(param.choices), case_sensitive=True) if param.choices else None
            await fields.mount(
                Static(Text(_about(param))), Input(value, id=f"param{number}", suggester=offers, compact=True)
            )
        await fields.mount(Static(Text(f"host (empty: {job.host})")), Input(id="host", suggester=hosts, compact=True))

    async def on_input_submitted(self) -> None:
        try:
            runs = await asyncio.to_thread(self._make, self._draft())
        except SshschedError as error:
            self.query_one("#wrong", Static).update(Text(str(error)))
            return
        self.dismiss(runs)

    def _draft(self) -> Callable[[], Sequence[Shape]]:
        """What makes the drafts, from what has been typed by now."""
        job = self._jobs.get(self.query_one("#job", Input).value.strip())
        name, host = self.query_one("#job", Input).value.strip(), self.query_one("#host", Input).value.strip()
        hosts = [host] if host else []
        if job is None and not name:
            command = self.query_one("#command", Input).value
            return lambda: self._outside.draft_of_command(command, hosts)
        params = job.params if job else ()
        args = {param.name: self.query_one(f"#param{number}", Input).value for number, param in enumerate(params)}
        args = {param.name: args[param.name] for param in params if args[param.name] or param.default is None}
        return lambda: self._outside.draft_of_job(name, args, hosts)

    def _make(self, drafts: Callable[[], Sequence[Shape]]) -> list[Shape]:
        found = drafts()
        made: list[Shape] = self._outside.ask(lambda client: client.submit(found))
        return made


def _about(param: Param) -> str:
    choices = f": {', '.join(param.choices)}" if param.choices else ""
    need = "" if param.default is None else f" [{param.default}]"
    return f"{param.name}{choices}{need}" + (f"  {param.description}" if param.description else "")
