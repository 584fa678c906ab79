"""Resolving references to secrets; the values never enter a file, a log or a history."""

from __future__ import annotations

import os
from pathlib import Path

from nfvcert.errors import TestbedError
from nfvcert.testbed.model import Testbed


def resolve(reference: str, *, where: str) -> str:
    """The value behind ``env:NAME`` or ``file:PATH``.

    Raises:
        TestbedError: there is no such variable or file, or it is empty.
    """
    kind, _, name = reference.partition(":")
    if kind == "env":
        value = os.environ.get(name, "")
        if not value:
            raise TestbedError(
                f"the secret {reference} is missing", where=where, hint=f"set the environment variable {name}"
            )
        return value
    if kind == "file":
        try:
            value = Path(name).expanduser().read_text(encoding="utf-8").strip()
        except OSError as error:
            raise TestbedError(
                f"the secret {reference} is missing", where=where, found=error.strerror or "", hint=f"create {name}"
            ) from error
        if not value:
            raise TestbedError(f"the secret {reference} is empty", where=where)
        return value
    raise TestbedError(
        "not a reference to a secret", where=where, found=f"{kind}:...", hint="use env:NAME or file:PATH"
    )


def references(testbed: Testbed) -> list[tuple[str, str]]:
    """All references to secrets in a testbed, each with the place where it stands."""
    stack = testbed.stack
    if stack is None:
        return []
    found = [("stack.vim.password", stack.vim.password.secret)]
    for name, endpoint in (("nfvo", stack.nfvo), ("vnfm", stack.vnfm), ("em", stack.em)):
        if endpoint is not None and endpoint.token is not None:
            found.append((f"stack.{name}.token", endpoint.token.secret))
    return found
