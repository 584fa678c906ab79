"""Building a sample drop from its sources: the same bytes each time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nfvcert.drop.csar import Content, write_package
from nfvcert.drop.declaration import (
    FILE,
    Declaration,
    Source,
    SourceVersion,
    dump_declaration,
    package_file,
    read_source,
)
from nfvcert.drop.findings import errors
from nfvcert.drop.metadata_check import check_metadata
from nfvcert.drop.nsd import single_vnf_nsd
from nfvcert.drop.oci import ImageSpec, build_image, stripped
from nfvcert.drop.package import Package, open_package
from nfvcert.drop.package_check import check_package, host_architecture
from nfvcert.drop.signature import Signing
from nfvcert.drop.toscameta import ToscaMeta
from nfvcert.drop.trust import Trust
from nfvcert.drop.yamltree import parse_yaml
from nfvcert.errors import DropError

METADATA_SET = "software_modification"
"""Id of the artifact set of the manifest that holds the modification metadata."""
NSD = "nsd.yaml"
_PLACEHOLDER = re.compile(rb"@\{([a-z][A-Za-z0-9_.-]*)\}")
_TEXT = (".yaml", ".yml", ".txt", ".md", ".json")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    source: str
    target: str


class _Image(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    files: list[_File] = Field(min_length=1)
    entrypoint: list[str] = Field(min_length=1)
    caps: list[str] = Field(default_factory=list)


class _Images(BaseModel):
    model_config = ConfigDict(extra="forbid")
    images: list[_Image]


def build_drop(source: Path, output: Path, *, binaries: Callable[[str], Path], architecture: str | None = None) -> Path:
    """Build both packages, the NSD and ``drop.yaml`` into ``output`` and check the result; answers ``output``.

    ``binaries`` finds a program by the name that the image description gives it.

    Raises:
        DropError: the sources are incomplete, or what they give would be refused by ``inspect``.
    """
    description = read_source(_bytes(source / FILE), str(source / FILE))
    folder = source.resolve()
    signing = Signing.of(folder / description.key, folder / description.certificate)
    wanted = {*description.in_service.images.values(), *description.candidate.images.values()}
    target = architecture or host_architecture()
    images = dict(_images(folder / description.images, wanted, binaries, description.released, target))
    output.mkdir(parents=True, exist_ok=True)
    packages = {}
    for version in (description.in_service, description.candidate):
        content = _content(folder, description, version, images)
        path = output / package_file(description, version)
        path.write_bytes(write_package(content, signing))
        packages[version.software_version] = open_package(path)
    old = packages[description.in_service.software_version]
    new = packages[description.candidate.software_version]
    _check(old, new, Trust((signing.certificate,)), target)
    trusted = []
    for name in description.trusted:
        trusted.append(f"trust/{Path(name).name}")
        (output / "trust").mkdir(exist_ok=True)
        (output / trusted[-1]).write_bytes(_bytes(folder / name))
    (output / NSD).write_bytes(single_vnf_nsd(old.vnfd))
    common = description.model_dump(
        include=set(Declaration.model_fields) - {"in_service", "candidate", "trusted", "nsd"}
    )
    common.update(trusted=trusted, nsd=NSD, in_service=old.path.name, candidate=new.path.name)
    (output / FILE).write_bytes(dump_declaration(Declaration.model_validate(common)))
    return output


def _images(
    description: Path, wanted: set[str], binaries: Callable[[str], Path], created: str, architecture: str
) -> Iterator[tuple[str, bytes]]:
    """Name and archive of each wanted image."""
    raw = parse_yaml(_bytes(description), str(description)).plain()
    try:
        known = {image.name: image for image in _Images.model_validate(raw).images}
    except ValidationError as invalid:
        first = invalid.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DropError(
            "the image description does not fit", where=f"{description}: {place}", found=first["msg"]
        ) from invalid
    for name in sorted(wanted):
        if name not in known:
            raise DropError(
                "the image is not described", where=str(description), found=name, hint=", ".join(sorted(known))
            )
        image = known[name]
        spec = ImageSpec(
            name=name,
            files={file.target: stripped(binaries(file.source)) for file in image.files},
            entrypoint=image.entrypoint,
            capabilities=image.caps,
            version=name.rpartition("-")[2],
            architecture=architecture,
        )
        yield name, build_image(spec, created=created)


def _content(folder: Path, source: Source, version: SourceVersion, images: Mapping[str, bytes]) -> Content:
    """The files of one package: layers laid over each other, templates filled in, images added."""
    values = _values(source, version, images)
    files: dict[str, bytes] = {}
    for layer in version.layers:
        root = folder / layer
        if not root.is_dir():
            raise DropError("a folder of the package's sources is missing", where=str(root))
        for path in sorted(root.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                name = path.relative_to(root).as_posix()
                files[name] = _filled(data, values, str(path)) if path.suffix in _TEXT else data
    for name in version.images.values():
        files[image_path(name)] = images[name]
    certificate = "Files/Certificates/signing.cert.pem"
    files[certificate] = _bytes(folder / source.certificate)
    meta = ToscaMeta(
        definitions=version.definitions,
        manifest=f"{source.id}.mf",
        change_log=version.change_log,
        licenses=version.licenses or "",
        certificate=certificate,
    )
    manifest = {
        "vnfd_id": version.vnfd_id,
        "vnf_product_name": source.product,
        "vnf_provider_id": source.provider,
        "vnf_software_version": version.software_version,
        "vnf_package_version": version.descriptor_version or version.software_version,
        "vnf_release_date_time": source.released,
        "compatible_specification_versions": "3.6.1",
    }
    sets = {METADATA_SET: (version.metadata,)} if version.metadata else {}
    return Content(files, meta, manifest, sets)


def image_path(name: str) -> str:
    """Where an image lies in a package."""
    return f"Files/Images/{name}.tar"


def _values(source: Source, version: SourceVersion, images: Mapping[str, bytes]) -> dict[str, str]:
    """What templates may refer to as ``@{name}``."""
    values: dict[str, Any] = {
        "provider": source.provider,
        "product": source.product,
        "vnfd_id": version.vnfd_id,
        "software_version": version.software_version,
        "descriptor_version": version.descriptor_version or version.software_version,
        "in_service.vnfd_id": source.in_service.vnfd_id,
        "in_service.software_version": source.in_service.software_version,
        "candidate.vnfd_id": source.candidate.vnfd_id,
        "candidate.software_version": source.candidate.software_version,
    }
    for role, name in version.images.items():
        archive = images[name]
        values[f"image.{role}.name"] = name
        values[f"image.{role}.version"] = name.rpartition("-")[2]
        values[f"image.{role}.file"] = image_path(name)
        values[f"image.{role}.size"] = f"{len(archive)} B"
        values[f"image.{role}.sha256"] = hashlib.sha256(archive).hexdigest()
    for side, other in (("in_service", source.in_service), ("candidate", source.candidate)):
        values.update({f"{side}.image.{role}": name for role, name in other.images.items()})
    values.update(version.values)
    return {key: str(value) for key, value in values.items()}


def _filled(data: bytes, values: Mapping[str, str], where: str) -> bytes:
    def value(match: re.Match[bytes]) -> bytes:
        name = match.group(1).decode()
        if name not in values:
            line = data.count(b"\n", 0, match.start()) + 1
            known = ", ".join(sorted(values))
            raise DropError("the template names an unknown value", where=f"{where}:{line}", found=name, hint=known)
        return values[name].encode()

    return _PLACEHOLDER.sub(value, data)


def _check(old: Package, new: Package, trust: Trust, architecture: str) -> None:
    """A sample has to be without fault."""
    found = [(old, f) for f in check_package(old, trust, architecture)]
    found += [(new, f) for f in check_package(new, trust, architecture)]
    found += [(new, f) for f in check_metadata(new, old)]
    wrong = [f"{package.name}: {f.text}" for package, f in found if f in errors([f])]
    if wrong:
        raise DropError("the built drop is not sound", where=str(old.path.parent), found="\n  ".join(wrong))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DropError(
            "a file of the drop cannot be read", where=str(path), found=error.strerror or str(error)
        ) from error
