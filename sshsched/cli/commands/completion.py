"""`completion`: what makes the shell complete our words."""

from __future__ import annotations

import os
from pathlib import Path

import click

from sshsched.cli.streams import note, say


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.option("--install", is_flag=True, help="Write it to where the shell looks for it.")
def completion(shell: str, install: bool) -> int:
    """Print the completion script of a shell.

    \b
      eval "$(sshsched completion bash)"      # in ~/.bashrc, or:
      sshsched completion bash --install
    """
    from sshsched.cli.shells import SCRIPTS

    script = SCRIPTS[shell].strip()
    if not install:
        say(script)
        return 0
    path = _place(shell)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{script}\n")
    note(f"written to {path}{_hint(shell, path)}; new shells know it")
    return 0


def _place(shell: str) -> Path:
    data = Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser()
    config = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    return {
        "bash": data / "bash-completion/completions/sshsched",
        "zsh": data / "zsh/site-functions/_sshsched",
        "fish": config / "fish/completions/sshsched.fish",
    }[shell]


def _hint(shell: str, path: Path) -> str:
    return f" (in ~/.zshrc, before compinit: fpath+=({path.parent}))" if shell == "zsh" else ""
