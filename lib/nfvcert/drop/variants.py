"""The broken and changed packages that test purposes need, by name (package_variants of the catalogue's rules)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nfvcert.drop import edits
from nfvcert.drop.derive import Edit, derive
from nfvcert.drop.signature import Signing
from nfvcert.errors import DropError

SignedBy = Literal["vendor", "stranger", "nobody"]


@dataclass(frozen=True, slots=True)
class Variant:
    """How a package is changed; ``own_id`` ones can be onboarded beside the package that they derive from."""

    description: str
    edits: Callable[[], tuple[Edit, ...]]
    signed_by: SignedBy = "vendor"
    own_id: bool = True


VARIANTS: Mapping[str, Variant] = {
    "no_metadata": Variant("metadata removed, manifest recomputed", lambda: (edits.remove_metadata(),)),
    "flipped_metadata": Variant(
        "one byte of the metadata flipped without a new manifest",
        lambda: (edits.stale_manifest(), edits.flip_digit()),
        own_id=False,
    ),
    "unknown_signer": Variant("signed by a key that nobody trusts", tuple, signed_by="stranger"),
    "unsigned": Variant("not signed", tuple, signed_by="nobody"),
    "new_other_base": Variant("metadata do not list the version in service as a source", lambda: (edits.other_base(),)),
    "one_new_vnfc": Variant(
        "as the default policy, with one new VNFC at a time",
        lambda: (
            edits.set_metadata("policies.staged.additional_resources.vnfcs", 1),
            edits.set_metadata("policies.staged.additional_resources.vcpus", 1),
            edits.set_metadata("policies.staged.additional_resources.memory_mib", 64),
            edits.set_metadata("policies.staged.additional_resources.ports", 3),
        ),
    ),
    "two_steps": Variant(
        "as the default policy, with steps 50 and 100",
        lambda: (edits.set_metadata("policies.staged.steps", [50, 100]),),
    ),
    "unlisted_metadata": Variant("the metadata are not in the manifest", lambda: (edits.unlist(),), own_id=False),
    "dangling_image": Variant("a pair of images ends at no image", lambda: (edits.dangling_image(),), own_id=False),
    "declares_update": Variant("declares an update though images differ", lambda: (edits.declare_type("update"),)),
}


def make_variant(
    name: str,
    source: Path,
    output: Path,
    *,
    vendor: Signing | None,
    stranger: Signing | None = None,
    more: tuple[Edit, ...] = (),
) -> Path:
    """Write a variant of ``source`` to ``output``; answers ``output``.

    ``vendor`` is a key that the testbed trusts, ``stranger`` one that it does not.

    Raises:
        DropError: there is no such variant, a key for it is missing, or it cannot be made from this package.
    """
    variant = VARIANTS.get(name)
    if variant is None:
        raise DropError("there is no such variant of a package", found=name, hint=", ".join(VARIANTS))
    signing = {"vendor": vendor, "stranger": stranger, "nobody": None}[variant.signed_by]
    if signing is None and variant.signed_by == "stranger":
        raise DropError("the variant needs the key of a stranger", found=name)
    own = (edits.new_vnfd_id(name),) if variant.own_id else ()
    return derive(source, output, *own, *variant.edits(), *more, signing=signing)
