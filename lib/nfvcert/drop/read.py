"""Reading a vendor drop: a folder with ``drop.yaml``, or a ZIP archive of one."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nfvcert.drop.archive import Archive
from nfvcert.drop.declaration import FILE, Declaration, Traffic, read_declaration
from nfvcert.drop.findings import fault
from nfvcert.drop.limits import DEFAULT, Limits
from nfvcert.drop.package import Package, open_package
from nfvcert.drop.trust import Trust
from nfvcert.errors import DropError


@dataclass(frozen=True)
class Drop:
    """A vendor drop: both packages and what is declared about them.

    ``path`` is the folder with ``drop.yaml``; of a ZIP archive it is a temporary one that lives as long as the drop.
    """

    path: Path
    declaration: Declaration
    in_service: Package
    candidate: Package
    _keep: object = field(default=None, repr=False, compare=False)

    @property
    def id(self) -> str:
        return self.declaration.id

    @property
    def vendor(self) -> str:
        return self.declaration.vendor

    @property
    def product(self) -> str:
        return self.declaration.product

    @property
    def workload(self) -> str:
        return self.declaration.workload

    @property
    def features(self) -> tuple[str, ...]:
        return self.declaration.features

    @property
    def policy_parameters(self) -> dict[str, object]:
        return self.declaration.policy_parameters

    @property
    def traffic(self) -> Traffic | None:
        return self.declaration.traffic

    @property
    def nsd(self) -> Path | None:
        """The drop's own network service descriptor."""
        return self.path / self.declaration.nsd if self.declaration.nsd else None

    @cached_property
    def trust(self) -> Trust:
        """Trust in the certificates that the drop names; the operator's own trust comes before it.

        Raises:
            DropError: a certificate cannot be read.
        """
        return Trust.of(self.path / name for name in self.declaration.trusted)

    @cached_property
    def sha256(self) -> str:
        """Digest over ``drop.yaml`` and both packages, in hex."""
        digest = hashlib.sha256((self.path / FILE).read_bytes())
        for package in (self.in_service, self.candidate):
            digest.update(package.sha256.encode())
        return digest.hexdigest()


def read_drop(path: Path, *, limits: Limits = DEFAULT) -> Drop:
    """Read a drop. Packages are opened, not yet verified: see :mod:`nfvcert.drop.inspect`.

    Args:
        path: the folder, its ``drop.yaml``, or a ZIP archive with ``drop.yaml`` at its root.

    Raises:
        DropError: it is no drop, or a package in it is hostile or broken.
    """
    folder, keep = locate(path, limits)
    declaration = read_declaration(_read(folder / FILE, limits), str(folder / FILE), limits)
    packages = [
        open_package(member(folder, name), limits=limits) for name in (declaration.in_service, declaration.candidate)
    ]
    return Drop(folder, declaration, packages[0], packages[1], keep)


def locate(path: Path, limits: Limits = DEFAULT) -> tuple[Path, object]:
    """The folder of a drop, and something to be kept as long as the folder is used.

    Raises:
        DropError: there is no drop at ``path``.
    """
    if path.is_dir():
        if not (path / FILE).is_file():
            raise DropError(
                f"there is no {FILE} in the folder", where=str(path), hint="name the folder of a built drop"
            )
        return path, None
    if not path.is_file():
        raise DropError("there is no such drop", where=str(path))
    if path.name.endswith((".yaml", ".yml")):
        return path.parent, None
    archive = Archive(path, limits=limits)
    archive.raise_problems()
    if FILE not in archive:
        raise DropError(
            f"the archive has no {FILE} at its root", where=str(path), hint="name a drop, not one of its packages"
        )
    keep = tempfile.TemporaryDirectory(prefix="nfvcert-drop-")
    folder = Path(keep.name)
    try:
        for name in archive.names:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                for piece in archive.chunks(name):
                    file.write(piece)
    except OSError as error:
        keep.cleanup()
        raise DropError(
            "the archive cannot be unpacked", where=str(path), found=error.strerror or str(error)
        ) from error
    except DropError:
        keep.cleanup()
        raise
    return folder, keep


def member(folder: Path, name: str) -> Path:
    """A file of a drop; links that lead out of its folder are refused."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise fault("drop.path", "nfvcert drop.yaml", name, "the path leaves the drop").error()
    return path


def _read(path: Path, limits: Limits) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limits.document + 1)
    except OSError as error:
        raise DropError("the drop cannot be read", where=str(path), found=error.strerror or str(error)) from error
