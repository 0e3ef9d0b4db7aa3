"""`demo`: see it work, without any set-up."""

from __future__ import annotations

import click


@click.command()
def demo() -> int:
    """Show everything at once, on embedded ssh hosts on this machine; changes nothing outside its own folder."""
    from sshsched.demo.show import main

    return main()
