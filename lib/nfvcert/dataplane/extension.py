"""The published extension point: a file may replace decisions of the controller."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.errors import UsageError


def load_behaviour(file: Path | None) -> ControllerBehaviour:
    """An instance of the class ``Behaviour`` of a Python file; the controller's own decisions without a file.

    Raises:
        UsageError: the file cannot be read or run, or has no such class derived from `ControllerBehaviour`.
    """
    if file is None:
        return ControllerBehaviour()
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
    if not (isinstance(found, type) and issubclass(found, ControllerBehaviour)):
        raise UsageError(
            "the extension has no class Behaviour derived from ControllerBehaviour", where=str(file), found=repr(found)
        )
    return found()
