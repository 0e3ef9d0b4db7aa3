"""`_defaults.yaml`: keys for all jobs of its folder, and of the folders below it.

Rule: a key that a job has itself counts whole, then that of the nearest folder; nothing is mixed inside a key. The keys
under `program:` count as if they stood at the top. Where a file of defaults is bad, the jobs that need it do not load.
"""

from __future__ import annotations

from pathlib import Path

from sshsched.config.folder import DEFAULTS, JOBS
from sshsched.config.job import read_defaults, with_defaults
from sshsched.config.nodes import Entry, Listing, Node, Problems, Text, UnreadableError
from sshsched.config.nodes import Mapping as MappingNode
from sshsched.config.programs import Entries
from sshsched.config.strict import read_file
from sshsched.errors import Problem


class Defaults:
    """Of all folders below `jobs/`. Each file is read once, and its problems are kept."""

    def __init__(self, config_dir: Path) -> None:
        self.problems: list[Problem] = []
        self._top = config_dir / JOBS
        self._known: dict[str, Entries | None] = {}

    def of(self, job_id: str) -> Entries:
        """For the jobs beside this one. Raises UnreadableError if a file is bad; its problem is noted."""
        folder = job_id.rpartition("/")[0]
        if folder not in self._known:
            self._known[folder] = self._read(folder)
        found = self._known[folder]
        if found is None:
            raise UnreadableError
        return found

    def _read(self, folder: str) -> Entries | None:
        above: Entries = {}
        problems = Problems("/".join(filter(None, (JOBS, folder, DEFAULTS))))
        try:
            above = self.of(folder) if folder else {}
            root = read_file(self._top / folder / DEFAULTS, problems)
            if root is None:
                return above
            own = read_defaults(root, problems)
        except (FileNotFoundError, NotADirectoryError):
            return above
        except UnreadableError:
            self.problems += problems.sorted()
            return None
        hint = f" (from {problems.file})"
        moved = {name: Entry(_text(entry.key, hint), _moved(entry.value, hint)) for name, entry in own.items()}
        return with_defaults(moved, above)


def _moved(node: Node, hint: str) -> Node:
    """The node as part of a job, whose file has no line for it: a problem says where it comes from."""
    if isinstance(node, Text):
        return _text(node, hint)
    if isinstance(node, Listing):
        return Listing(1, 1, node.path + hint, [_moved(item, hint) for item in node.items])
    assert isinstance(node, MappingNode)
    entries = {name: Entry(_text(entry.key, hint), _moved(entry.value, hint)) for name, entry in node.entries.items()}
    return MappingNode(1, 1, node.path + hint, entries)


def _text(node: Text, hint: str) -> Text:
    return Text(1, 1, node.path + hint, node.text, node.plain)
