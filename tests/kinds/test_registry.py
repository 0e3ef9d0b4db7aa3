"""Kinds are found by family and name: ours, those of installed packages, and a user's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from sshsched.kinds.registry import FAMILIES, Family, KindError, NoKindError, find, names
from sshsched.kinds.written import fields_of, make
from tests.kinds.conftest import install


@pytest.mark.parametrize("family", FAMILIES)
def test_all_that_is_ours_is_there(family: Family) -> None:
    """Every name of ours leads to a class of its family, and every option says what it is for."""
    for name in names(family):
        kind = find(family, name)

        assert (kind.__doc__ or "").strip()
        for option, field in fields_of(kind).items() if family != "schedule" else ():
            schema = getattr(field.type, "extra_json_schema", None) or {}
            assert schema.get("description"), f"{name}: {option}"


def test_families() -> None:
    """The families that are named are those that there are."""
    assert FAMILIES == get_args(Family)


@pytest.mark.parametrize(
    ("family", "name", "message"),
    [
        ("condition", "dependancy", "unknown 'dependancy'; did you mean 'dependency'?"),
        ("condition", "zzz", "unknown 'zzz'; known: all, any, command, "),
        ("schedule", "dayly", "unknown 'dayly'; did you mean 'daily'?"),
        (
            "condition",
            "no_such_module.Kind",
            "'no_such_module.Kind' cannot be loaded from no_such_module:Kind: No module",
        ),
    ],
)
def test_no_such_kind(family: Family, name: str, message: str) -> None:
    """A name that nobody knows is answered with the nearest one."""
    with pytest.raises(NoKindError) as caught:
        find(family, name)

    assert str(caught.value).startswith(message)


def test_a_kind_of_another_family() -> None:
    """A class that is no kind of the family is not taken for one."""
    with pytest.raises(KindError, match=r"'sshsched.kinds.schedules.every.Every' is no condition"):
        find("condition", "sshsched.kinds.schedules.every.Every")


def test_only_what_is_asked_for_is_imported() -> None:
    """Whoever asks for one of our kinds pays for no other, and for no package's."""
    code = (
        "import sys; from sshsched.kinds.registry import find; find('condition', 'const');"
        "print([name for name in ('sshsched.kinds.conditions.file', 'sshsched.kinds.zones') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]\n" == done.stdout


# Installed packages -------------------------------------------------------------------------------------------------


def test_entry_points(tides: Path) -> None:
    """An installed package's kinds are known by the names of its entry points, and listed among ours."""
    assert "sshsched_tides" == find("condition", "tide").__module__
    assert "sshsched_tides" == find("action", "bell").__module__
    assert "sshsched_tides" == find("schedule", "tides").__module__
    assert "sshsched_tides" == find("program", "row").__module__
    assert {"tide", "dependency"} < set(names("condition"))


def test_a_package_is_loaded_when_it_is_asked_for(tides: Path) -> None:
    """Listing names imports nothing of a package."""
    names("condition")

    assert "sshsched_tides" not in sys.modules


def test_near_names_of_packages_are_suggested(tides: Path) -> None:
    """A slip of the finger is answered with a package's name, too."""
    with pytest.raises(NoKindError, match=r"did you mean 'tides'\?"):
        find("schedule", "tidess")


def test_an_entry_point_that_leads_nowhere(tides: Path) -> None:
    """A package whose entry point is wrong says so, and its other kinds work."""
    with pytest.raises(KindError, match="'lost' cannot be loaded from sshsched_tides:NoSuchKind: AttributeError"):
        find("condition", "lost")
    with pytest.raises(KindError, match="'bell' is no condition: sshsched_tides:Bell is not a subclass of"):
        find("condition", "bell")

    assert "Tide" == find("condition", "tide").__name__


def test_two_packages_of_one_name(tides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two packages that have a kind of one name neither is taken; its place tells them apart."""
    install(tmp_path / "more", "other_tides")
    points = tmp_path / "more" / "other_tides-1.0.dist-info" / "entry_points.txt"
    points.write_text("[sshsched.conditions]\ntide = other:Tide\n")
    monkeypatch.syspath_prepend(tmp_path / "more")
    with pytest.raises(KindError, match=r"'tide' is a condition of other-tides and sshsched-tides; remove one"):
        find("condition", "tide")

    assert "Tide" == find("condition", "sshsched_tides.Tide").__name__


# A user's own -------------------------------------------------------------------------------------------------------

MOON = """
from sshsched.domain.view import Answer, Ready, Wait
from sshsched.kinds.conditions.base import Condition


class Moon(Condition, frozen=True, kw_only=True):
    phase: str = "full"

    def ask(self, run, view, at) -> Answer:
        return Ready() if self.phase == "full" else Wait(f"a {self.phase} moon")
"""


def test_a_module_in_the_config_folder(own_folder: Path) -> None:
    """A dotted name leads into the kinds/ folder, which is on the path only once one has been asked for."""
    (own_folder / "my_moon.py").write_text(MOON)
    find("condition", "const")
    before = str(own_folder) in sys.path
    kind = find("condition", "my_moon.Moon")

    assert not before
    assert "new" == make(kind, {"phase": "new"}).phase


def test_a_module_of_the_user_hides_none_of_python(own_folder: Path) -> None:
    """A file that is called like a module of Python's does not take its place."""
    (own_folder / "json.py").write_text("raise RuntimeError")
    with pytest.raises(KindError, match=r"'json\.JSONDecoder' is no condition"):
        find("condition", "json.JSONDecoder")


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("import no_such_thing", KindError, "No module named 'no_such_thing'"),
        ("1 / 0", KindError, "ZeroDivisionError: division by zero"),
        ("class Moon: pass", KindError, "is no condition: my_moon:Moon is not a subclass of"),
        ("def (", KindError, "SyntaxError"),
        ("", KindError, "AttributeError: module 'my_moon' has no attribute 'Moon'"),
    ],
)
def test_a_module_with_a_mistake(own_folder: Path, text: str, kind: type, message: str) -> None:
    """What is wrong in a user's module is one line that names the kind and the mistake."""
    (own_folder / "my_moon.py").write_text(text)
    with pytest.raises(KindError) as caught:
        find("condition", "my_moon.Moon")

    assert kind is type(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
