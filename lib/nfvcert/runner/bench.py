"""Figures of a certification itself: how long it takes, how much memory it needs, how fast it is judged."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from nfvcert.errors import StackError
from nfvcert.report.runfolder import read_results

SAMPLE_S = 0.5


@dataclass(frozen=True, slots=True)
class CertificationFigures:
    """One certification: seconds of wall time, peak of the proportional set sizes of all its processes in MiB, seconds
    to judge it again, packets lost in its upgrade, verdict."""

    certify_s: float
    peak_mib: float
    judge_s: float
    lost_packets: int
    verdict: str


def measure_certification(drop: Path, testbed: Path, profile: str, output: Path, repeats: int) -> dict[str, Any]:
    """Certify and judge ``repeats`` times, each in processes of their own; figures of each and their medians.

    Raises:
        StackError: a certification ended without results.
    """
    figures = [_one(drop, testbed, profile, output) for _ in range(repeats)]
    medians = {name: median(getattr(f, name) for f in figures) for name in ("certify_s", "peak_mib", "judge_s")}
    return {"profile": profile, "runs": [asdict(f) for f in figures], "median": medians}


def _one(drop: Path, testbed: Path, profile: str, output: Path) -> CertificationFigures:
    nfvcert = [sys.executable, "-m", "nfvcert"]
    argv = [*nfvcert, "certify", str(drop), "--testbed", str(testbed), "--profile", profile, "--output", str(output)]
    begin = time.monotonic()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    watch = _MemoryWatch(process.pid)
    watch.start()
    _, errors = process.communicate()
    taken = time.monotonic() - begin
    peak = watch.stop()
    run = (output / "latest").resolve()
    if not (run / "results.json").exists():
        raise StackError("the certification ended without results", found=errors[-300:])
    begin = time.monotonic()
    subprocess.run([*nfvcert, "judge", str(run)], stdout=subprocess.DEVNULL, check=False)
    judged = time.monotonic() - begin
    results = read_results(run)
    lost = [m for p in results.purposes for m in p.measures if p.id == "TP.VNF.01.6" and m.name == "lost_packets"]
    return CertificationFigures(
        certify_s=round(taken, 2),
        peak_mib=round(peak, 1),
        judge_s=round(judged, 2),
        lost_packets=int(lost[0].value or 0) if lost else -1,
        verdict=results.verdict,
    )


class _MemoryWatch(threading.Thread):
    """Samples the memory of a process with all its descendants; pages that several share are counted once."""

    def __init__(self, pid: int) -> None:
        super().__init__(name="memory", daemon=True)
        self._pid = pid
        self._ended = threading.Event()
        self._peak = 0.0

    def run(self) -> None:
        """Sample until stopped."""
        while not self._ended.wait(SAMPLE_S):
            self._peak = max(self._peak, sum(_pss_mib(pid) for pid in _descendants(self._pid)))

    def stop(self) -> float:
        """End; returns the peak in MiB."""
        self._ended.set()
        self.join()
        return self._peak


def _descendants(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += parents.get(pid, [])
    return found


def _pss_mib(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0
