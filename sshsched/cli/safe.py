"""Foreign text, made harmless before a terminal sees it.

Rule: what came from a host, a job or a person is printed only through here. Dangerous characters are shown, not
dropped, as `\\x1b` or `\\u202e`: who looks can see that something was there. Text without them stays as it is.
"""

from __future__ import annotations

import codecs
import re

# C0 without tab and newline, DEL, C1 (8-bit CSI and OSC among them), lone surrogates, and what is invisible or turns
# the direction of writing: soft hyphen, bidi marks, embeddings and isolates, zero-width ones, line and paragraph
# separators, invisible operators, byte order mark, interlinear annotations, shorthand and musical controls, tags.
_DANGEROUS = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
_COLOUR = r"\x1b\[[0-9;:]{0,60}m"
# Compiled by re's own cache when first needed: most commands never meet a dangerous character.
_IN_TEXT = f"[{_DANGEROUS}]"
_IN_LINE = f"[{_DANGEROUS}\t\n]"
_IN_COLOURED = f"({_COLOUR})|[{_DANGEROUS}]"
_OBEYED = (
    r"(?:\x1b\]|\x9d)[^\x00-\x06\x08-\x1f\x7f-\x9f]{0,4096}(?:\x07|\x1b\\|\x9c)"  # OSC: titles, links, clipboard
    r"|(?:\x1b\[|\x9b)(?![0-9;:]{0,60}m)[0-?]{0,60}[ -/]{0,4}[@-~]"  # CSI that is no colour
    r"|\x1b[()*+][0-9A-Za-z]|\x1b[=>78cDEHMN]"  # character sets, modes, moves
)
_CUT_COLOUR = r"\x1b(?:\[[0-9;:]{0,60})?\Z"

_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def _show(match: re.Match[str]) -> str:
    char = match[0]
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def safe_text(text: str) -> str:
    """For a message of several lines: newline and tab stay."""
    return re.sub(_IN_TEXT, _show, text)


def safe_line(text: str) -> str:
    """For a field, a cell or a one-line message: newline and tab are shown too."""
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_IN_LINE, _show, text)


def safe_coloured(text: str) -> str:
    """For a line of a program's output that keeps its colours, and nothing else that a terminal would obey.

    What is complete and only moves a cursor, sets a title or makes a link is dropped: shown, it would hide the text.
    """
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_IN_COLOURED, lambda match: match[1] or _show(match), re.sub(_OBEYED, "", text))


class SafeStream:
    """Bytes of a program, in chunks cut anywhere, to text that a terminal may show.

    Newline and tab stay; a carriage return, with a newline after it or without, becomes a newline, so that progress
    bars read as lines; with `colours`, complete SGR sequences stay. What is no UTF-8 is shown as `\\xff`.
    """

    def __init__(self, *, colours: bool) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._colours = colours
        self._coloured = False
        self._held = ""

    def feed(self, data: bytes) -> str:
        """The harmless text of what is complete so far."""
        return self._pass(self._decoder.decode(data))

    def close(self) -> str:
        """The rest, and an end to any colour that the program left on."""
        text = self._pass(self._decoder.decode(b"", final=True), final=True)
        return f"{text}\x1b[0m" if self._coloured else text

    def _pass(self, text: str, *, final: bool = False) -> str:
        text, self._held = self._held + text, ""
        if not final:
            text = self._hold(text)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if not self._colours:
            return re.sub(_IN_TEXT, _show, text)
        return re.sub(_IN_COLOURED, self._show_or_colour, text)

    def _hold(self, text: str) -> str:
        """Keep back what only the next chunk can explain: a carriage return, the begin of a colour."""
        cut = len(text) - 1 if text.endswith("\r") else len(text)
        if self._colours and (begin := re.search(_CUT_COLOUR, text)):
            cut = begin.start()
        self._held = text[cut:]
        return text[:cut]

    def _show_or_colour(self, match: re.Match[str]) -> str:
        if match[1] is None:
            return _show(match)
        self._coloured = True
        return match[1]
