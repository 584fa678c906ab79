"""Selecting purposes by id: requirements, purposes and defects, whole or by dotted prefix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from nfvcert.catalogue.model import Catalogue, Purpose
from nfvcert.errors import UsageError

#: Names of whole documents, beside the prefixes that the ids have anyway (REL002, TST001, POL, ELA).
ALIASES = {"REL006": ("REQ", "FLOW", "PREC")}


def select(catalogue: Catalogue, ids: Iterable[str] = ()) -> list[Purpose]:
    """The purposes that the ids name, in the order of the catalogue; all of them without an id.

    An id is a requirement (``REQ.VNF.M.08``), a purpose (``TP.VNF.08.1``), a defect (``DEF.VNF.08.c``: the purposes
    that must catch it), a document (``REL006``), or a dotted prefix of one: ``REQ.VNF`` is all 14 requirements,
    while ``REQ.VN`` is none. Case does not matter.

    Raises:
        UsageError: an id names nothing; the nearest valid id is given.
    """
    wanted = [id.strip() for id in ids]
    if not wanted:
        return list(catalogue.purposes)
    chosen: set[str] = set()
    for id in wanted:
        found = _matches(catalogue, id)
        if not found:
            raise UsageError("no requirement, purpose or defect has this id", found=id, hint=_nearest(catalogue, id))
        chosen |= found
    return [purpose for purpose in catalogue.purposes if purpose.id in chosen]


def is_prefix(prefix: str, id: str) -> bool:
    """Whether ``prefix`` is ``id`` or a dotted prefix of it, in any case."""
    prefix, id = prefix.upper(), id.upper()
    return id == prefix or id.startswith(prefix + ".")


def _matches(catalogue: Catalogue, id: str) -> set[str]:
    prefixes = ALIASES.get(id.upper(), (id,))
    found: set[str] = set()
    for requirement in catalogue.requirements:
        if any(is_prefix(prefix, requirement.id) for prefix in prefixes):
            found |= {purpose.id for purpose in requirement.purposes}
        for prefix in prefixes:
            found |= {purpose.id for purpose in requirement.purposes if is_prefix(prefix, purpose.id)}
            for defect in requirement.defects:
                if is_prefix(prefix, defect.id):
                    found |= set(defect.caught_by)
    return found


def _nearest(catalogue: Catalogue, id: str) -> str:
    valid: set[str] = set(ALIASES)
    for full in [r.id for r in catalogue.requirements] + [p.id for p in catalogue.purposes]:
        parts = full.split(".")
        valid |= {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
    close = difflib.get_close_matches(id.upper(), sorted(valid), n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else "nfvcert list shows all ids"
