"""A package of a third party, installed for the length of a test."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sshsched.kinds import registry, rules
from tests import extension_package

MODULE = "sshsched_tides"


def install(folder: Path, name: str = MODULE) -> None:
    """Put the package into a folder as an installer would: its module, and the metadata with its entry points."""
    source = Path(extension_package.__file__).parent
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / f"{MODULE}.py").write_text((source / f"{MODULE}.py").read_text())
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text((source / "entry_points.txt").read_text())


@pytest.fixture
def tides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in which it is installed."""
    folder = tmp_path / "site-packages"
    install(folder)
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    forget()
    yield folder
    forget()


@pytest.fixture
def own_folder(tmp_path: Path) -> Iterator[Path]:
    """The `kinds/` folder of a config folder, in which the user's own modules are looked for."""
    folder = tmp_path / "kinds"
    folder.mkdir()
    registry.look_in(str(folder))
    known = set(sys.modules)
    yield folder
    registry.look_in(None)
    for name in set(sys.modules) - known:
        if getattr(sys.modules[name], "__file__", None) and str(folder) in str(sys.modules[name].__file__):
            del sys.modules[name]
    forget()


def forget() -> None:
    """What has been found before is looked for again."""
    sys.modules.pop(MODULE, None)
    registry.find.cache_clear()
    rules._made.cache_clear()
