"""Processes that answer in time beside others that poll."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nfvcert.promptness import AUTOGROUP, mapped_programs

LOCKED = """
import re, sys
from nfvcert.promptness import stay_in_memory
before = bytearray(64 << 20)                     # set aside, and hardly used
locked = stay_in_memory()
status = open("/proc/self/status").read()
kib = int(re.search(r"VmLck:\\s+(\\d+)", status)[1])
smaps = open("/proc/self/smaps").read()
text = [part for part in re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", smaps) if re.match(r"\\S+ r-xp .*python", part)]
resident = [re.search(r"(?m)^Rss:\\s+(\\d+)", part)[1] == re.search(r"(?m)^Size:\\s+(\\d+)", part)[1] for part in text]
print(locked, kib > 0, bool(resident) and all(resident))
"""


def test_programs_and_libraries_are_told_from_other_memory() -> None:
    maps = (
        "55d0c0000000-55d0c0021000 r-xp 00001000 08:01 11  /usr/bin/python3.11\n"
        "55d0c0021000-55d0c0022000 r--p 00022000 08:01 11  /usr/bin/python3.11\n"
        "55d0c0022000-55d0c0024000 rw-p 00023000 08:01 11  /usr/bin/python3.11\n"
        "7f0000000000-7f0040000000 rw-p 00000000 00:00 0 \n"
        "7f0040000000-7f0040001000 ---p 00000000 08:01 12  /usr/lib/libc.so.6\n"
        "7ffd00000000-7ffd00021000 r-xp 00000000 00:00 0  [vdso]\n"
    )
    assert mapped_programs(maps) == [(0x55D0C0000000, 0x21000), (0x55D0C0021000, 0x1000)]


def test_a_process_locks_its_program_and_libraries() -> None:
    told = subprocess.run([sys.executable, "-c", LOCKED], capture_output=True, text=True, check=True).stdout.split()
    if told[0] == "False":
        pytest.skip("this user may not lock memory")
    assert told == ["True", "True", "True"]


@pytest.mark.parametrize("own", [True, False])
def test_only_a_session_of_its_own_weighs_more(own: bool) -> None:
    if not AUTOGROUP.exists():
        pytest.skip("this kernel has no groups for sessions")
    code = "from nfvcert.promptness import *; answer_promptly(); print(AUTOGROUP.read_text())"
    inner = [sys.executable, "-c", code]
    wrapped = f"import subprocess; subprocess.run({inner!r})"  # in the session of its parent
    argv = inner if own else [sys.executable, "-c", wrapped]
    told = subprocess.run(argv, capture_output=True, text=True, check=True, start_new_session=True).stdout.split()
    if own and told[-1] == "0":
        pytest.skip("this user may not favour a session")
    assert told[-1] == ("-10" if own else "0")
