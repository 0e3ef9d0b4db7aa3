"""Puts off `inspect`, which click imports and hardly uses: a tenth of the time that `run --wait` takes.

Rule: whoever asks for more than what click asks of it at every start gets the module itself.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

NAME = "inspect"


class Later(ModuleType):
    """Stands in for the module until somebody needs it, and is the same as that from then on."""

    def cleandoc(self, doc: str) -> str:
        """As inspect's. click calls it for the help of each option, and only several lines need more than this."""
        return doc.expandtabs().lstrip() if "\n" not in doc else str(_loaded().cleandoc(doc))

    def __getattr__(self, name: str) -> Any:
        module = _loaded()
        vars(self).update(vars(module))
        return getattr(module, name)


def put_off() -> None:
    """To be called before click is imported. Where the module is in use already, nothing is gained and nothing done."""
    sys.modules.setdefault(NAME, Later(NAME))


def _loaded() -> ModuleType:
    if isinstance(sys.modules.get(NAME), Later):
        del sys.modules[NAME]
    return import_module(NAME)
