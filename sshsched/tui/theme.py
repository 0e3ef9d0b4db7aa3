"""What a tone looks like: the colours of a theme, or without colours bold, dim and reverse.

Rule: lists name tones and know no colour. State and outcome are told by words and marks as well, never by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style

from sshsched.tui import columns

_COLOURS = {
    "running": "primary",
    "starting": "primary",
    "stopping": "warning",
    "waiting": "warning",
    "success": "success",
    "failure": "error",
    "error": "error",
    columns.WARNING: "warning",
    "accent": "accent",
}
_BOLD = frozenset({"running", "failure", "error", columns.STRONG, "title"})
_FAINT = frozenset({columns.MUTED, "skipped", "scheduled"})


class Palette:
    """A style for each tone, on the background of whoever draws."""

    def __init__(self, variables: Mapping[str, str], *, colours: bool) -> None:
        def style(tone: str) -> Style:
            bold = tone in _BOLD or None
            if not colours:
                return Style(bold=bold, dim=tone in _FAINT or None)
            name = _COLOURS.get(tone)
            return Style(color=variables.get(name) if name else None, bold=bold, dim=tone in _FAINT or None)

        self._styles = {tone: style(tone) for tone in (*_COLOURS, *_BOLD, *_FAINT)}
        surface, chosen = variables.get("panel"), variables.get("surface-lighten-2") or variables.get("primary-muted")
        self.bar = Style(bgcolor=surface, bold=True) if colours else Style(reverse=True)
        self.header = Style(bgcolor=surface, bold=True) if colours else Style(bold=True, underline=True)
        self.cursor = Style(bgcolor=chosen, bold=True) if colours else Style(reverse=True)
        self.cell = Style(bgcolor=variables.get("accent"), color=variables.get("background"), bold=True)
        self.cell = self.cell if colours else Style(reverse=True, underline=True, bold=True)
        self.chosen = Style(color=variables.get("accent"), bold=True) if colours else Style(underline=True)
        self.alarm = Style(bgcolor=variables.get("error"), color="#ffffff", bold=True)
        self.alarm = self.alarm if colours else Style(reverse=True, bold=True)

    def __getitem__(self, tone: str) -> Style:
        return self._styles.get(tone, _PLAIN)


_PLAIN = Style()
