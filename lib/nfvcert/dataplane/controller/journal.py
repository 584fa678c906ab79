"""The journal: what a controller that was killed must know again.

One JSON object a line, on disk before it is acted on.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from nfvcert.dataplane.controller.scalings import Scaling
from nfvcert.dataplane.fabric import Fabric
from nfvcert.dataplane.ranges import IdMap, boundaries


class Journal:
    """An append-only file; a line that was being written at a kill is left out."""

    def __init__(self, path: Path) -> None:
        self.entries = _read(path)
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")
        if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
            self._file.write("\n")

    def write(self, kind: str, **data: Any) -> None:
        """Append an entry and wait until it is on disk."""
        line = json.dumps({"kind": kind, **data}, separators=(",", ":"))
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def owners(self, owners: IdMap) -> None:
        """Keep the owners of new flows that are about to be told to the servers' switches."""
        starts, ends = boundaries(owners)
        self.write("owners", runs=[list(t) for t in zip(ends.tolist(), owners[starts].tolist(), strict=True)])

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
                start = 0
                for end, place in entry["runs"]:
                    fabric.owners[start : end + 1] = place
                    start = end + 1
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "kind" in entry:
            entries.append(entry)
    return entries
