"""The walls of the house stand: who may import whom, what pure code may touch, and what no file may hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from sshsched import errors
from tests.support import ROOT

PACKAGE = ROOT / "sshsched"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 350

BELOW_ENGINE = {"errors", "domain", "kinds", "config", "store", "remote"}
BELOW_CLI = BELOW_ENGINE | {"engine", "service"}

# Room -> rooms that it may import from, besides itself. Whoever opens a door does it here, in sight.
MAY_IMPORT = {
    "errors": set(),
    "domain": {"errors"},
    "kinds": {"errors", "domain"},
    "config": {"errors", "domain", "kinds"},
    "store": {"errors", "domain", "kinds"},
    "remote": {"errors", "domain", "kinds"},
    "engine": BELOW_ENGINE,
    "service": BELOW_ENGINE | {"engine"},
    "demo": BELOW_CLI,
    "cli": BELOW_CLI | {"demo", "tui"},
    "tui": BELOW_CLI | {"cli"},
    "__main__": {"cli"},
    "__init__": set(),
}

# What the screen may have of the commands: pure modules that make texts.
TEXTS = {f"sshsched.cli.{name}" for name in ("safe", "table", "times", "verdict")}

# What makes a function depend on more than its arguments.
IMPURE = {"asyncio", "logging", "os", "random", "selectors", "socket", "sqlite3", "subprocess", "threading", "time"}
IMPURE_CALLS = {"open", "now", "today", "utcnow", "print", "input"}


def name_of(module: Path) -> str:
    """sshsched/domain/model.py -> sshsched.domain.model"""
    parts = module.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"), str(module))


def imported(tree: ast.AST) -> Iterator[str]:
    """The full names of all that a module imports, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert 0 == node.level, f"line {node.lineno}: import by the full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


class WithoutTypes(ast.NodeTransformer):
    """What is imported for type checkers only is never run."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        is_for_types = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return None if is_for_types else self.generic_visit(node)


def ours(tree: ast.AST) -> set[str]:
    """Those of our modules that a module imports."""
    known = {name_of(other) for other in MODULES}
    found = set()
    for name in imported(tree):
        if name.split(".")[0] == "sshsched":
            found.add(name if name in known else name.rpartition(".")[0])
    return found - {"sshsched"}


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_imports_go_one_way(module: Path) -> None:
    """A room imports only from the rooms below it."""
    room = room_of(name_of(module))

    assert set() == {room_of(name) for name in ours(tree_of(module))} - MAY_IMPORT[room] - {room}


@pytest.mark.parametrize("module", [m for m in MODULES if room_of(name_of(m)) == "tui"], ids=name_of)
def test_the_screen_has_of_the_commands_only_their_words(module: Path) -> None:
    """The screen says things as commands do, with the modules that make texts; what commands do it is handed."""
    assert set() == {name for name in ours(tree_of(module)) if room_of(name) == "cli"} - TEXTS


def test_no_circle_of_imports() -> None:
    """The modules can be put in an order in which each one imports only earlier ones."""
    graph = {name_of(module): ours(WithoutTypes().visit(tree_of(module))) - {name_of(module)} for module in MODULES}

    assert set(graph) == set(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("module", [m for m in MODULES if room_of(name_of(m)) in {"domain", "kinds"}], ids=name_of)
def test_pure_rooms_are_pure(module: Path) -> None:
    """Decisions see no clock, file, socket, task or logger."""
    calls = [node.func for node in ast.walk(tree_of(module)) if isinstance(node, ast.Call)]
    called = {call.id if isinstance(call, ast.Name) else getattr(call, "attr", "") for call in calls}

    assert set() == {name.split(".")[0] for name in imported(tree_of(module))} & IMPURE
    assert set() == called & IMPURE_CALLS


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_every_module_says_what_it_is_for(module: Path) -> None:
    """A module opens with a docstring."""
    assert ast.get_docstring(tree_of(module))


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_modules_are_short(module: Path) -> None:
    """A module fits in a head."""
    assert LONGEST > len(module.read_text(encoding="utf-8").splitlines())


def test_every_test_folder_is_a_package() -> None:
    """Two tests of the same name in two folders do not meet."""
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}

    assert [] == [folder for folder in folders if not (folder / "__init__.py").exists()]


def files() -> list[Path]:
    """All text that is ours."""
    rooms = ["sshsched", "tests", "docs", "jobs", "examples", "bench", ".ci"]
    inside = [path for room in rooms for path in (ROOT / room).rglob("*") if "__pycache__" not in path.parts]
    return [path for path in [*ROOT.iterdir(), *inside] if path.is_file() and path.name != ".git"]


def test_no_path_of_a_machine() -> None:
    """No file names a folder that exists only where it was written, nor a package index."""
    homes = "|".join(["work", "root", "Users", "home(?!/(?:user|you))"])
    here = re.escape(str(ROOT)) if len(ROOT.parts) > 2 else "(?!)"
    private = re.compile(rf"(?<![\w.~}}])/(?:{homes})/\w+|{here}|(?:index|find)-(?:url|links)[ =]")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if private.search(line)
    ]

    assert [] == found


# The error tree ---------------------------------------------------------------------------------------------------

DRAWN = re.compile(r"^    (?P<lead>[│├└─ ]*)(?P<name>\w+Error)\s*(?P<code>\d+)?\s*(?P<permanent>\(permanent\))?")
Drawn = dict[str, tuple[str, int, bool]]


def drawn_tree() -> Drawn:
    """Name -> parent, exit code, permanent: as the docstring draws it. A code holds for those below it too."""
    tree: Drawn = {}
    path: list[str] = ["Exception"]
    for line in (errors.__doc__ or "").splitlines():
        if match := DRAWN.match(line):
            depth = len(match["lead"]) // 4 + 1
            path[depth:] = [match["name"]]
            inherited = tree[path[depth - 1]][1] if depth > 1 else 0
            tree[match["name"]] = (path[depth - 1], int(match["code"] or inherited), bool(match["permanent"]))
    return tree


def real_tree(root: type[errors.SshschedError] = errors.SshschedError) -> Drawn:
    assert root.__base__
    tree = {root.__name__: (root.__base__.__name__, root.exit_code, getattr(root, "permanent", False))}
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            tree |= real_tree(child)
    return tree


def test_the_error_tree_is_drawn_as_it_is() -> None:
    """The tree in the docstring of errors.py names every class, its place, its exit code and its permanence."""
    assert real_tree() == drawn_tree()
