"""Whether the metadata of the candidate fit both packages of a drop (TP.VNF.06.1): pure apart from reading packages."""

from __future__ import annotations

from collections.abc import Iterator

from nfvcert.drop.findings import Finding, fault, finding_of, remark
from nfvcert.drop.metadata import CLAUSE, SoftwareModification, parse_metadata
from nfvcert.drop.package import Package
from nfvcert.drop.vnfd import Vnfd
from nfvcert.drop.yamltree import Node
from nfvcert.errors import DropError

CARRIED = "REL 006 6.3.1.2 REQ.VNF.M.05"


def check_metadata(candidate: Package, in_service: Package) -> list[Finding]:
    """Fields that are missing, wrong, or refer to something that is in neither package."""
    try:
        path = candidate.metadata_path
        new, old = candidate.vnfd, in_service.vnfd
        if path is None or path not in candidate.archive:
            message = "the package has no software modification metadata"
            return [fault("metadata.absent", CARRIED, path or candidate.name, message)]
        model, tree, findings = parse_metadata(candidate.artifact_bytes(path), path, candidate.limits)
        if model is None or tree is None:
            return findings
        check = _Check(model, tree, path, candidate, new, old)
        return [*check.identities(), *check.selector(old), *check.of_type(old)]
    except DropError as error:
        return [finding_of(error)]


def check_own_metadata(package: Package) -> list[Finding]:
    """What can be said of a package's metadata without the package in service; nothing when it has none."""
    try:
        path = package.metadata_path
        if path is None:
            return []
        if path not in package.archive:
            message = "the VNFD names modification metadata that are not in the archive"
            return [fault("metadata.absent", CARRIED, path, message)]
        model, tree, findings = parse_metadata(package.artifact_bytes(path), path, package.limits)
        if model is None or tree is None:
            return findings
        check = _Check(model, tree, path, package, package.vnfd, None)
        return [*check.identities(), *check.dangling_images()]
    except DropError as error:
        return [finding_of(error)]


class _Check:
    """The metadata of ``candidate`` against its descriptor ``new`` and, if it is known, the one in service ``old``."""

    def __init__(
        self, model: SoftwareModification, tree: Node, path: str, candidate: Package, new: Vnfd, old: Vnfd | None
    ) -> None:
        self._model = model
        self._tree = tree
        self._path = path
        self._candidate = candidate
        self._new = new
        self._old = old

    def identities(self) -> Iterator[Finding]:
        """Provider, product, ids and versions of both sides."""
        model, new, old = self._model, self._new, self._old
        expected: list[tuple[tuple[str, str], str, str, str]] = [
            (("vnf", "provider"), model.vnf.provider, new.provider, "metadata.identity"),
            (("vnf", "product"), model.vnf.product, new.product_name, "metadata.identity"),
            (("vnf", "vnfd_id"), model.vnf.vnfd_id, new.vnfd_id, "metadata.identity"),
            (("destination", "vnfd_id"), model.destination.vnfd_id, new.vnfd_id, "metadata.identity"),
            (
                ("destination", "software_version"), model.destination.software_version, new.software_version,
                "metadata.identity",
            ),
        ]  # fmt: skip
        if old is not None:
            source = model.source
            expected += [
                (("source", "vnfd_id"), source.vnfd_id, old.vnfd_id, "metadata.source"),
                (("source", "software_version"), source.software_version, old.software_version, "metadata.source"),
            ]
        for location, found, said, rule in expected:
            if found != said:
                side = "package in service" if rule == "metadata.source" else "package"
                yield self._fault(rule, location, f"{'.'.join(location)} is not that of the {side}", found, said)

    def selector(self, old: Vnfd) -> Iterator[Finding]:
        """The VnfPackageChange policy has to describe the same change."""
        change = self._new.change_from(old.vnfd_id)
        if change is None:
            found = ", ".join(s.source_descriptor_id for c in self._new.package_changes for s in c.selectors)
            yield fault(
                "metadata.package_change", "SOL001 6.10.15", self._candidate.meta.definitions,
                "no VnfPackageChange leads from the package in service", found or "no policy", old.vnfd_id,
            )  # fmt: skip
            return
        if change.destination_flavour_id not in {flavour.id for flavour in self._new.flavours}:
            yield fault(
                "metadata.package_change", "SOL001 6.10.15", self._candidate.meta.definitions,
                "the VnfPackageChange names an unknown flavour", change.destination_flavour_id,
            )  # fmt: skip

    def of_type(self, old: Vnfd) -> Iterator[Finding]:
        """What the declared type of modification needs."""
        if self._model.type == "update":
            yield from self._update(old)
        elif self._model.type == "component_upgrade":
            yield from self._component_upgrade(old)
        else:
            yield from self.dangling_images()

    def _update(self, old: Vnfd) -> Iterator[Finding]:
        if not self._model.files and not self._model.images:
            yield self._fault("metadata.missing", ("files",), "an update names changed images, files or scripts")
        listed = self._candidate.manifest.files
        for index, change in enumerate(self._model.files):
            location = ("files", index)
            if change.path not in self._candidate.archive:
                yield self._fault("metadata.dangling_file", location, "the file is not in the package", change.path)
            elif change.path not in listed:
                yield self._fault("metadata.dangling_file", location, "the file has no digest", change.path)
        yield from self.dangling_images()
        for vdu in self._differing(old):
            yield remark(
                "metadata.update_with_image", CLAUSE, self._at(("type",)),
                f"an update does not replace VNFCs, but the image of {vdu} differs",
            )  # fmt: skip

    def _component_upgrade(self, old: Vnfd) -> Iterator[Finding]:
        if not self._model.images:
            yield self._fault("metadata.missing", ("images",), "a component upgrade names pairs of images")
        yield from self.dangling_images()
        paired = {pair.vdu for pair in self._model.images}
        for vdu in self._differing(old):
            if vdu not in paired:
                yield self._fault("metadata.unpaired_image", ("images",), f"the image of {vdu} differs but has no pair")

    def dangling_images(self) -> Iterator[Finding]:
        """Pairs that name an image or a VDU that is not there."""
        for index, pair in enumerate(self._model.images):
            location = ("images", index)
            for name, side, vnfd in (
                (pair.source, "package in service", self._old),
                (pair.destination, "package", self._new),
            ):
                message = ""
                if vnfd is None:
                    continue
                if name not in vnfd.images:
                    message = f"dangling image id: the {side} has no such image"
                elif pair.vdu not in {vdu.name for vdu in vnfd.vdus}:
                    message = f"the {side} has no VDU {pair.vdu}"
                elif vnfd.vdu(pair.vdu).image != name:
                    message = f"the VDU {pair.vdu} of the {side} has another image"
                if message:
                    known = ", ".join(sorted(vnfd.images))
                    yield self._fault("metadata.dangling_image", location, message, name, known)

    def _differing(self, old: Vnfd) -> list[str]:
        """VDUs of both packages whose image content differs."""

        def content(vnfd: Vnfd, vdu: str) -> tuple[str, str] | None:
            image = vnfd.images.get(vnfd.vdu(vdu).image)
            return (image.algorithm, image.checksum) if image is not None else None

        both = {vdu.name for vdu in old.vdus} & {vdu.name for vdu in self._new.vdus}
        return sorted(vdu for vdu in both if content(old, vdu) != content(self._new, vdu))

    def _at(self, location: tuple[int | str, ...]) -> str:
        return f"{self._path}:{self._tree.line_at(location)}"

    def _fault(
        self, rule: str, location: tuple[int | str, ...], message: str, found: str = "", expected: str = ""
    ) -> Finding:
        return fault(rule, CLAUSE, self._at(location), message, found, expected)
