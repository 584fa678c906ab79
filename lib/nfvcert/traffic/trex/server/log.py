"""The server's log: one JSON object a line."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any, TextIO


class Log:
    """Writes to standard error by default."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr

    def say(self, event: str, **fields: Any) -> None:
        """One line."""
        wall = datetime.now(UTC).isoformat(timespec="milliseconds")
        print(json.dumps({"t": wall, "event": event, **fields}, default=str), file=self._stream, flush=True)
