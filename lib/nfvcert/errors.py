"""The errors that nfvcert raises on purpose, each telling what, where, what was found and what to do.

Every error carries the exit code with which the command line ends when nobody handles it; the codes are listed in
:class:`ExitCode` and nowhere else.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit statuses of the ``nfvcert`` command."""

    PASS = 0
    FAIL = 1
    INCONCLUSIVE = 2
    TESTBED = 3
    USAGE = 4
    INTERNAL = 5
    INTERRUPTED = 130


class NfvcertError(Exception):
    """Base of all errors raised on purpose.

    Args:
        what: one sentence, what went wrong.
        where: the file (with line), URL, component or command concerned.
        found: what was found instead of what was expected.
        hint: what the reader can do about it.
    """

    exit_code: ExitCode = ExitCode.INTERNAL

    def __init__(self, what: str, *, where: str = "", found: str = "", hint: str = "") -> None:
        self.what = what
        self.where = where
        self.found = found
        self.hint = hint
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The whole message on one line, parts that are empty left out."""
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.found:
            parts.append(f"found: {self.found}")
        if self.hint:
            parts.append(f"do: {self.hint}")
        return "; ".join(parts)


class UsageError(NfvcertError):
    """The command line or a configuration file is wrong."""

    exit_code = ExitCode.USAGE


class DropError(NfvcertError):
    """A vendor drop cannot be read or must not be used."""

    exit_code = ExitCode.USAGE


class TestbedError(NfvcertError):
    """The testbed cannot be used as it is."""

    __test__ = False
    exit_code = ExitCode.TESTBED


class StackError(TestbedError):
    """A component of the stack under test does not answer, answers rubbish or died."""


class InternalError(NfvcertError):
    """nfvcert itself is at fault."""

    exit_code = ExitCode.INTERNAL
