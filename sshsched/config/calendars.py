"""The folder `calendars/`: which dates there are.

Rule: `usa-holidays.cal` is the calendar `usa-holidays`, written down date by date; a `.yaml` file holds any number of
named expressions, which may use each other and the written ones. Files are read again when they have changed.

::

    # calendars/work.yaml
    workdays: Mon-Fri except usa-holidays
    open: workdays or fairs
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from sshsched.config.nodes import Problems, Text, UnreadableError
from sshsched.config.reading import read_value
from sshsched.config.strict import file_text, read_file
from sshsched.config.values import TEXT
from sshsched.errors import Problem
from sshsched.kinds.calendars import Calendar, Dates, bad_name, calendars, dates

FOLDER: Final = "calendars"


class Loaded(NamedTuple):
    """The good calendars by name, and what is wrong in the files."""

    calendars: Mapping[str, Calendar]
    problems: list[Problem]


def load_calendars(config_dir: Path) -> Loaded:
    """All calendars of a folder. A folder that is not there holds none; never raises for what is in a file."""
    folder = config_dir / FOLDER
    try:
        stamps = tuple(sorted(_stamp(entry) for entry in os.scandir(folder) if not entry.name.startswith(".")))
    except OSError:
        stamps = ()
    return _load(folder, stamps)


_Stamp = tuple[str, int, int, int]


def _stamp(entry: os.DirEntry[str]) -> _Stamp:
    """What changes when a file does."""
    try:
        status = entry.stat()
    except OSError:
        return entry.name, 0, 0, 0
    return entry.name, status.st_ino, status.st_size, status.st_mtime_ns


@lru_cache(maxsize=16)
def _load(folder: Path, stamps: tuple[_Stamp, ...]) -> Loaded:
    written: dict[str, Calendar] = {}
    expressions: dict[str, tuple[Text, Problems]] = {}
    files: list[Problems] = []
    for name, *_ in stamps:
        files.append(problems := Problems(f"{FOLDER}/{name}"))
        try:
            if name.endswith(".cal"):
                written[name.removesuffix(".cal")] = _dates(folder / name, problems)
            elif name.endswith(".yaml"):
                _expressions(folder / name, expressions, problems)
            else:
                problems.add_at(1, 1, "", "no calendar; dates belong in NAME.cal, expressions in a .yaml file")
        except (UnreadableError, FileNotFoundError):
            continue  # noted, or gone
    found, wrong = calendars({name: node.text for name, (node, _) in expressions.items()}, written)
    for name, message in wrong.items():
        node, problems = expressions[name]
        problems.add(node, message.removeprefix("calendar: "))
    return Loaded(found, [problem for problems in files for problem in problems.sorted()])


def _dates(path: Path, problems: Problems) -> Dates:
    name = path.name.removesuffix(".cal")
    if message := bad_name(name, {}):
        problems.add_at(1, 1, "", message)
        raise UnreadableError
    text = file_text(path, problems)
    try:
        return dates(name, text)
    except ValueError as error:
        line, _, rest = str(error).removeprefix("line ").partition(": ")
        problems.add_at(*((int(line), 1, "", rest) if line.isdecimal() else (1, 1, "", str(error))))
        raise UnreadableError from None


def _expressions(path: Path, found: dict[str, tuple[Text, Problems]], problems: Problems) -> None:
    root = read_file(path, problems)
    for name, entry in root.entries.items() if root else ():
        try:
            read_value(entry.value, TEXT, problems)
            assert isinstance(entry.value, Text)  # or TEXT had refused it
        except UnreadableError:
            continue
        if name in found:
            problems.add(entry.key, f"is also in {found[name][1].file}; rename one of them")
        else:
            found[name] = entry.value, problems
