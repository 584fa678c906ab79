"""Published extension points: the decisions of a component are methods of a class that a file may replace."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TypeVar

from nfvcert.errors import UsageError

B = TypeVar("B")


def load_behaviour(path: str | Path | None, default: type[B]) -> type[B]:
    """The class ``Behaviour`` of the Python file `path`, or `default` if no path is given.

    Raises:
        UsageError: the file cannot be read or run, or has no class ``Behaviour`` derived from `default`.
    """
    if path is None:
        return default
    file = Path(path)
    if not file.is_file():
        raise UsageError("the extension file does not exist", where=str(file))
    spec = importlib.util.spec_from_file_location(f"nfvcert_extension_{abs(hash(file.resolve()))}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError("the extension cannot be loaded", where=str(file), found=repr(error)) from error
    found = getattr(module, "Behaviour", None)
    if not (isinstance(found, type) and issubclass(found, default)):
        raise UsageError(
            f"the extension has no class Behaviour derived from {default.__name__}", where=str(file), found=repr(found)
        )
    return found
