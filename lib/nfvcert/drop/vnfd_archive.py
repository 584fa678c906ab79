"""The descriptor of a package on its own, as package interfaces hand it out (SOL003 10.4.4, SOL005 9.4.4)."""

from __future__ import annotations

from nfvcert.drop.archive import Archive
from nfvcert.drop.csar import write_zip
from nfvcert.drop.findings import errors
from nfvcert.drop.limits import DEFAULT, Limits
from nfvcert.drop.package import Package
from nfvcert.drop.toscameta import PATH as META_PATH
from nfvcert.drop.vnfd import Vnfd
from nfvcert.drop.vnfd_read import read_vnfd


def pack_vnfd(package: Package) -> bytes:
    """A ZIP archive with the files of the descriptor, TOSCA.meta and the manifest, the same bytes each time.

    Raises:
        DropError: a file cannot be read.
    """
    members = package.definitions()
    for name in (META_PATH, package.meta.manifest):
        if name in package.archive:
            members[name] = package.artifact_bytes(name)
    return write_zip(members)


def unpack_vnfd(data: bytes, limits: Limits = DEFAULT) -> Vnfd:
    """The descriptor from such an archive; files that it refers to are not asked for.

    Raises:
        DropError: no archive, or a descriptor with errors; the first one.
    """
    archive = Archive(data, name="vnfd.zip", limits=limits)
    archive.raise_problems()
    package = Package(archive)

    def exists(name: str) -> bool:
        return name in archive or not name.endswith((".yaml", ".yml"))

    vnfd, findings = read_vnfd(
        lambda name: archive.read(name, limits.document), exists, package.meta.definitions, limits
    )
    if vnfd is None:
        raise errors(findings)[0].error()
    return vnfd
