"""Errors tell what, where, what was found and what to do; exit codes are listed once."""

from __future__ import annotations

import pickle

import pytest

from nfvcert import errors
from nfvcert.errors import DropError, ExitCode, InternalError, NfvcertError, StackError, TestbedError, UsageError


def test_all_parts_are_in_the_message() -> None:
    error = UsageError("it is wrong", where="a.yaml:3", found="b", hint="write c")
    assert error.message == str(error) == "a.yaml:3: it is wrong; found: b; do: write c"


@pytest.mark.parametrize(
    ("parts", "message"),
    [({}, "what"), ({"where": "x"}, "x: what"), ({"found": "y"}, "what; found: y"), ({"hint": "z"}, "what; do: z")],
)
def test_empty_parts_are_left_out(parts: dict[str, str], message: str) -> None:
    assert NfvcertError("what", **parts).message == message


def test_exit_codes() -> None:
    codes = {
        UsageError: 4,
        DropError: 4,
        TestbedError: 3,
        StackError: 3,
        InternalError: 5,
        NfvcertError: 5,
    }
    assert {kind: kind("x").exit_code for kind in codes} == codes
    assert [code.value for code in ExitCode] == [0, 1, 2, 3, 4, 5, 130]


def test_every_error_is_one_of_ours() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) == 6
    assert all(issubclass(kind, NfvcertError) for kind in kinds)


@pytest.mark.parametrize("kind", [UsageError, DropError, TestbedError, StackError, InternalError])
def test_errors_survive_the_way_between_processes(kind: type[NfvcertError]) -> None:
    """Parts of a run are processes of their own; what they raise may be handed over."""
    error = kind("it is wrong", where="a", found="b", hint="c")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert again.message == error.message
