"""How a simulated engine refuses."""

from __future__ import annotations


class Refusal(Exception):
    """An order that is not carried out."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
