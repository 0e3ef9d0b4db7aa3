"""The entry: global options, and every end of a command turned into one line and an exit code.

Rule: no traceback reaches a user who did not ask for it, and no error ends with 0.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

import click

from sshsched import __version__
from sshsched.cli.app import App
from sshsched.cli.lazy import ALIASES, COMMANDS, LazyGroup
from sshsched.cli.verdict import FAILED_HERE, INTERRUPTED
from sshsched.errors import SshschedError

BROKEN_PIPE = 141  # what a shell shows for a program that died of SIGPIPE, as `yes | head` does
UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # what only our own standard streams meet unnamed


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config-dir", metavar="DIR", help="Job files and hosts. [~/.config/sshsched]")
@click.option("--state-dir", metavar="DIR", help="Database, output, socket. [~/.local/state/sshsched]")
@click.version_option(__version__, prog_name="sshsched", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, config_dir: str | None, state_dir: str | None) -> None:
    """Run programs on other machines over ssh, and always know how they ended.

    \b
      sshsched run -H nas --output -- make -C /srv/site
      sshsched run backup disk=a --wait
      sshsched runs

    \b
    Exit codes: 0 all well; for one waited run the program's own code, or 128+N for signal N;
    124 timed out; 125 sshsched failed; 255 host unreachable; 69 outcome unknown;
    130 interrupted; 1 several runs and not all succeeded, or refused; 2 usage; 4 no such run or job.
    """
    ctx.obj = App(config_dir, state_dir)


def main() -> NoReturn:
    """The console script. Leaves without Python's slow tidying up: there is nothing left to tidy."""
    _open_streams()
    code = _complete() if "_SSHSCHED_COMPLETE" in os.environ else run(sys.argv[1:])
    os._exit(_flushed(code))


def run(args: list[str]) -> int:
    """One command, whole; its exit code."""
    try:
        with cli.make_context("sshsched", list(args)) as context:
            code = cli.invoke(context)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        return _explain(error, args)
    except SshschedError as error:
        return _complain(str(error), error.exit_code)
    except BrokenPipeError:
        return BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except Exception as error:  # the last resort; it says how to see more
        return _unexpected(error)


def _explain(error: click.ClickException, args: list[str]) -> int:
    """A usage error: one line, then where to read on."""
    context = getattr(error, "ctx", None)
    # An option without its value comes without a context.
    command = next((f" {word}" for word in args if word in COMMANDS or word in ALIASES), "")
    path = context.command_path if context is not None else f"sshsched{command}"
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        return error.exit_code
    message = " ".join(error.format_message().split()).rstrip(".")  # click lists choices in lines of their own
    return _complain(f"{message}; `{path} --help` tells more", error.exit_code)


def _complain(message: str, code: int) -> int:
    from sshsched.cli.safe import safe_text

    with suppress(OSError):  # where nobody can hear it, the exit code still tells
        click.echo(f"sshsched: {safe_text(message)}", err=True)
    return code


def _unexpected(error: Exception) -> int:
    if os.environ.get("SSHSCHED_DEBUG"):
        import traceback

        traceback.print_exception(error)
        return FAILED_HERE
    if isinstance(error, OSError):
        if error.filename:
            return _complain(f"{error.filename}: {error.strerror}; check it, its permissions and its disk", FAILED_HERE)
        if error.errno in UNWRITTEN:
            return _complain(f"the standard output cannot be written: {error.strerror}", FAILED_HERE)
    text = f"{type(error).__name__}: {error}".strip().replace("\n", " ")
    return _complain(f"unexpected: {text} (a mistake of ours; SSHSCHED_DEBUG=1 shows where)", FAILED_HERE)


def _complete() -> int:
    """Answer the shell's completion; see `sshsched completion`."""
    from click.shell_completion import shell_complete

    return shell_complete(cli, {}, "sshsched", "_SSHSCHED_COMPLETE", os.environ["_SSHSCHED_COMPLETE"])


def _open_streams() -> None:
    """A standard stream that somebody closed is /dev/null: no file that is opened later may get its number."""
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number, which is this one
            setattr(sys, name, os.fdopen(fd, "w" if fd else "r", closefd=False))


def _flushed(code: int) -> int:
    """What is still buffered is written now, or the pipe is broken: then nobody wants it."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        return code or BROKEN_PIPE
    except OSError as error:
        return code or _unexpected(error)
    return code


gc.enable()  # see the package
