"""`graph`: a workflow as a drawing."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import click

from sshsched.cli.app import App, find_run
from sshsched.cli.complete import complete_jobs
from sshsched.cli.options import json_option
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import COLOURS, STDOUT, say, sgr
from sshsched.domain.model import run_id
from sshsched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sshsched.domain.drawing import Line
    from sshsched.domain.model import Run
    from sshsched.domain.plan import Flow


@click.command()
@click.argument("name", metavar="JOB|RUN", shell_complete=complete_jobs)
@click.option("--mermaid", "as_mermaid", is_flag=True, help="For whatever draws mermaid, such as a README on GitHub.")
@json_option
@click.pass_obj
def graph(app: App, name: str, as_mermaid: bool, as_json: bool) -> None:
    """Draw a workflow: its steps and what each one needs; of a run, also how they stand."""
    from sshsched.domain.drawing import drawing, mermaid
    from sshsched.domain.outline import outline, steps_shape

    flow, runs = _found(app, name)
    if as_json:
        say(json.dumps(steps_shape(flow, runs), indent=2))
    elif as_mermaid:
        say(mermaid(outline(flow, runs)).rstrip("\n"))
    else:
        for text in painted(drawing(outline(flow, runs), shutil.get_terminal_size().columns)):
            say(text)


def painted(lines: Iterable[Line]) -> Iterable[str]:
    """Lines of a drawing, in colour where there are colours."""
    for line in lines:
        yield "".join(sgr(safe_line(text), _code(style), STDOUT) for text, style, _ in line).rstrip()


def _code(style: str) -> str:
    return "2" if style == "dim" else COLOURS.get(style, "")


def _found(app: App, name: str) -> tuple[Flow, list[Run]]:
    """The workflow of a job as it is now, or that of a run, with its runs. Raises UsageError if it is none."""
    if (number := run_id(name)) is not None and name.startswith("r"):
        reader = app.reader()
        run = find_run(reader, number)
        root = run if run.root is None else find_run(reader, run.root)
        if root.plan.flow is None:
            raise UsageError(f"{root.name} is no workflow; `sshsched show {root.name}` tells all of it")
        return root.plan.flow, reader.steps(root.id)
    from sshsched.config.jobs import load_job

    flow = load_job(app.config_dir, name).plan.flow
    if flow is None:
        raise UsageError(f"job '{name}' is no workflow: it has no steps; `sshsched job {name}` shows it")
    return flow, []
