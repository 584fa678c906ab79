"""What ran on the hosts, by witness W1: the digest of the executable that a VNFC really runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from nfvcert.checkers.case import Missing
from nfvcert.checkers.declared import Declared
from nfvcert.history import Event, EventKind, History

RUNNING = frozenset({"running", "frozen"})
"""States of a container whose software can act; what is being made or has ended is no VNFC."""

Generation = Literal["old", "new", "both", "unknown"]


@dataclass(frozen=True, slots=True)
class Vnfc:
    """One VNFC as its host saw it at one time.

    ``start`` is its start time (ns), ``ports`` the ids of its virtual ports in order. ``generation`` says which
    package has its executable: ``both`` when the image did not change.
    """

    id: str
    host: str
    vdu: str
    generation: Generation
    digest: str
    pid: int
    start: int
    ports: tuple[str, ...]
    vcpus: float = 0.0
    memory_mib: float = 0.0

    @property
    def identity(self) -> tuple[str, int, int]:
        """What stays the same as long as the VNFC is not touched."""
        return (self.id, self.pid, self.start)


@dataclass(frozen=True, slots=True)
class Sample:
    """All VNFCs of all hosts at one time (ns)."""

    t: int
    event: Event
    vnfcs: tuple[Vnfc, ...]

    def of(self, generation: Generation) -> list[Vnfc]:
        """The VNFCs of one generation."""
        return [vnfc for vnfc in self.vnfcs if vnfc.generation == generation]


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A VNFC with the times (ns) of the first and the last sample that showed it."""

    vnfc: Vnfc
    first: int
    last: int


def samples(history: History, declared: Declared) -> list[Sample]:
    """All inventory samples in order of time.

    Raises:
        Missing: the hosts were never looked at.
    """
    known = _executables(declared)
    key = ("inventory", tuple(sorted(known.items())))
    found = history.derived(key, lambda: [_sample(event, known) for event in history.of(EventKind.INVENTORY)])
    if not found:
        raise Missing("the hosts' inventory was not recorded")
    return found


def sample_at(samples_: list[Sample], t: int) -> Sample:
    """The first sample taken at or after ``t``, or the last one."""
    return next((sample for sample in samples_ if sample.t >= t), samples_[-1])


def sample_before(samples_: list[Sample], t: int) -> Sample:
    """The last sample taken before ``t``, or the first one."""
    earlier = [sample for sample in samples_ if sample.t < t]
    return earlier[-1] if earlier else samples_[0]


def lifetimes(samples_: Iterable[Sample]) -> dict[str, Lifetime]:
    """Every VNFC ever seen, by id.

    A VNFC that is just ending shows no executable any more; it stays what it was.
    """
    seen: dict[str, Lifetime] = {}
    for sample in samples_:
        for vnfc in sample.vnfcs:
            known = seen.get(vnfc.id)
            told = known.vnfc if known is not None and vnfc.generation == "unknown" else vnfc
            seen[vnfc.id] = Lifetime(told, known.first if known else sample.t, sample.t)
    return seen


def peak(samples_: Iterable[Sample], first: int, last: int) -> Sample | None:
    """The sample with the most VNFCs between two times (ns)."""
    within = [sample for sample in samples_ if first <= sample.t <= last]
    return max(within, key=lambda sample: len(sample.vnfcs), default=None)


def _executables(declared: Declared) -> dict[str, tuple[str, Generation]]:
    known: dict[str, tuple[str, Generation]] = {}
    for version, generation in ((declared.in_service, "old"), (declared.candidate, "new")):
        for vdu, digests in version.executables.items():
            for digest in digests:
                both = digest in known
                known[digest] = (vdu, "both" if both else generation)  # type: ignore[assignment]
    return known


def _sample(event: Event, known: dict[str, tuple[str, Generation]]) -> Sample:
    vnfcs = []
    for host in event.data.get("hosts", []):
        for container in host.get("containers", []):
            if container.get("state", "running") not in RUNNING:
                continue
            digest = str(container.get("executable_sha256") or "")
            vdu, generation = known.get(digest, ("", "unknown"))
            limits = container.get("limits") or {}
            vnfcs.append(
                Vnfc(
                    id=str(container["id"]),
                    host=str(host["host"]),
                    vdu=vdu,
                    generation=generation,
                    digest=digest,
                    pid=int(container.get("pid") or 0),
                    start=int(container.get("start_time_ns") or 0),
                    ports=tuple(container.get("ports") or ()),
                    vcpus=float(limits.get("vcpus") or 0),
                    memory_mib=float(limits.get("memory_mib") or 0),
                )
            )
    return Sample(event.t, event, tuple(vnfcs))
