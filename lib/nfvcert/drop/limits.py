"""How much of a foreign package is read: bounds on everything an attacker could make large."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one package; sizes in bytes.

    ``ratio`` is the largest allowed expansion of a compressed member, applied above ``ratio_floor`` uncompressed bytes.
    ``nodes`` counts the nodes of a YAML document after every alias is written out.
    """

    archive: int = 4 * GIB
    members: int = 4096
    name: int = 512
    directory: int = 4 * MIB
    member: int = 4 * GIB
    total: int = 4 * GIB
    ratio: int = 200
    ratio_floor: int = 1 * MIB
    document: int = 2 * MIB
    artifact: int = 64 * MIB
    depth: int = 48
    nodes: int = 50_000
    imports: int = 64
    image_files: int = 100_000
    image_bytes: int = 4 * GIB
    image_document: int = 4 * MIB


DEFAULT = Limits()
