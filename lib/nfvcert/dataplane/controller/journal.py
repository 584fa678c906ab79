"""The journal: what a controller that was killed must know again.

One JSON object a line, in the hands of the system before it is acted on: it outlives the controller however that ends.
It is not waited for until it is on disk, which takes up to a second beside processes that poll: the machine, when it
fails, takes switches and instances with it, and their flows.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from nfvcert.dataplane.controller.scalings import Scaling
from nfvcert.dataplane.fabric import Fabric
from nfvcert.dataplane.ranges import IdMap, boundaries


class Journal:
    """An append-only file; a line that was being written at a kill is left out."""

    def __init__(self, path: Path) -> None:
        self.entries = _read(path)
        self._lock = threading.Lock()
        self._file = path.open("ab", buffering=0)
        if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
            self._file.write(b"\n")

    def write(self, kind: str, **data: Any) -> None:
        """Append an entry; numpy arrays become lists."""
        line = orjson.dumps({"kind": kind, **data}, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY)
        with self._lock:
            self._file.write(line)

    def owners(self, owners: IdMap) -> None:
        """Keep the owners of new flows that are about to be told to the servers' switches."""
        starts, ends = boundaries(owners)
        self.write("owners", lengths=ends - starts + 1, places=owners[starts])

    def scaling(self, scaling: Scaling) -> None:
        """Keep a scaling as it stands."""
        self.write("scaling", scaling=scaling.model_dump(mode="json", by_alias=True))

    def restore(self, fabric: Fabric) -> dict[str, Scaling]:
        """The scalings as they stood; the owners go into `fabric`."""
        found: dict[str, Scaling] = {}
        for entry in self.entries:
            if entry["kind"] == "scaling":
                scaling = Scaling.model_validate(entry["scaling"])
                found[scaling.id] = scaling
            elif entry["kind"] == "owners":
                fabric.owners[:] = np.repeat(np.array(entry["places"], np.int8), entry["lengths"])
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    entries = []
    for line in path.read_bytes().splitlines():
        try:
            entry = orjson.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "kind" in entry:
            entries.append(entry)
    return entries
