"""Edits for :func:`nfvcert.drop.derive.derive`: what can be changed in a package, one function for each."""

from __future__ import annotations

import io
import re
import uuid
from typing import Any

from ruamel.yaml import YAML

from nfvcert.drop.derive import Draft, Edit, digest
from nfvcert.drop.metadata import ROOT
from nfvcert.drop.oci import CAPABILITIES, ImageSpec, build_image
from nfvcert.drop.oci_read import read_image
from nfvcert.drop.vnfd_read import METADATA_KEY
from nfvcert.errors import DropError

_NAMESPACE = uuid.UUID("2b0f7c58-7f0e-5c0b-8a55-0f6d1c9a4e21")
PACKAGE_CHANGE = "tosca.policies.nfv.VnfPackageChange"


def derived_id(vnfd_id: str, label: str) -> str:
    """A vnfdId for a variant, always the same for the same label."""
    return str(uuid.uuid5(_NAMESPACE, f"{vnfd_id}/{label}"))


def stale_manifest() -> Edit:
    """Leave manifest and signature as they were, whatever else changes."""

    def edit(draft: Draft) -> None:
        draft.stale = True

    return edit


def put(name: str, data: bytes) -> Edit:
    """Add or replace a file."""

    def edit(draft: Draft) -> None:
        draft.files[name] = data

    return edit


def remove(name: str) -> Edit:
    """Take a file away."""

    def edit(draft: Draft) -> None:
        draft.require(name)
        del draft.files[name]

    return edit


def replace_text(name: str, old: str, new: str) -> Edit:
    """Replace a text wherever it occurs in a file; it has to occur."""

    def edit(draft: Draft) -> None:
        data = draft.require(name)
        if old.encode() not in data:
            raise DropError("the text to replace is not in the file", where=name, found=old)
        draft.files[name] = data.replace(old.encode(), new.encode())

    return edit


def unlist(name: str | None = None) -> Edit:
    """Leave a file (the modification metadata) out of the manifest."""

    def edit(draft: Draft) -> None:
        chosen = draft.metadata_file if name is None else name
        draft.require(chosen)
        draft.unlisted.add(chosen)

    return edit


def flip_digit(name: str | None = None) -> Edit:
    """Flip the lowest bit of the last digit in a file (the modification metadata): other bytes, still a valid file."""

    def edit(draft: Draft) -> None:
        chosen = draft.metadata_file if name is None else name
        data = bytearray(draft.require(chosen))
        digits = [index for index, byte in enumerate(data) if 0x30 <= byte <= 0x39]
        if not digits:
            raise DropError("there is no digit to flip", where=chosen)
        data[digits[-1]] ^= 1
        draft.files[chosen] = bytes(data)

    return edit


def remove_metadata() -> Edit:
    """Take the modification metadata away: the file, what refers to it, and the VnfPackageChange policies."""

    def edit(draft: Draft) -> None:
        path = draft.metadata_file
        draft.files.pop(path, None)
        sets = {key: tuple(s for s in sources if s != path) for key, sources in draft.artifact_sets.items()}
        draft.artifact_sets = {key: sources for key, sources in sets.items() if sources}
        draft.metadata_path = None
        _edit_yaml(draft, draft.meta.definitions, _without_modification)

    return edit


def set_metadata(location: str, value: Any) -> Edit:
    """Set a field of the modification metadata; ``location`` is a dotted path, numbers index lists."""

    def edit(draft: Draft) -> None:
        def change(document: Any) -> None:
            _set(document[ROOT], location, value, draft.metadata_file)

        _edit_yaml(draft, draft.metadata_file, change)

    return edit


def drop_metadata(location: str) -> Edit:
    """Remove a field of the modification metadata."""

    def edit(draft: Draft) -> None:
        def change(document: Any) -> None:
            parent, step = _parent(document[ROOT], location, draft.metadata_file)
            del parent[step]

        _edit_yaml(draft, draft.metadata_file, change)

    return edit


def declare_type(kind: str) -> Edit:
    """Declare another type of modification."""
    return set_metadata("type", kind)


def dangling_image() -> Edit:
    """Let the first pair of images end at an image that the package does not have."""

    def edit(draft: Draft) -> None:
        def change(document: Any) -> None:
            pair = document[ROOT]["images"][0]
            pair["destination"] = f"{pair['destination']}-missing"

        _edit_yaml(draft, draft.metadata_file, change)

    return edit


def new_vnfd_id(label: str) -> Edit:
    """Give the package a vnfdId of its own, everywhere, so that it can be onboarded beside the one it derives from."""

    def edit(draft: Draft) -> None:
        old, new = draft.vnfd_id, derived_id(draft.vnfd_id, label)
        names = draft.definitions() + ([draft.metadata_path] if draft.metadata_path in draft.files else [])
        for name in names:
            assert name is not None
            draft.files[name] = draft.files[name].replace(old.encode(), new.encode())
        draft.manifest_metadata["vnfd_id"] = new
        draft.vnfd_id = new

    return edit


def other_base(label: str = "another base") -> Edit:
    """Let metadata and VnfPackageChange name a source that is not in service (variant ``new_other_base``)."""

    def edit(draft: Draft) -> None:
        def source(document: Any) -> None:
            document[ROOT]["source"]["vnfd_id"] = new

        metadata = _load(draft.require(draft.metadata_file), draft.metadata_file)
        old = str(metadata[ROOT]["source"]["vnfd_id"])
        new = derived_id(old, label)
        _edit_yaml(draft, draft.metadata_file, source)
        for name in draft.definitions():
            draft.files[name] = draft.files[name].replace(old.encode(), new.encode())

    return edit


def replace_image(name: str, archive: bytes) -> Edit:
    """Put another archive in the place of an image, with size and checksum in the descriptor."""

    def edit(draft: Draft) -> None:
        path = _image_path(draft, name)
        old = draft.require(path)
        changed = False
        for file in draft.definitions():
            text = draft.files[file].decode()
            new = text.replace(digest(old), digest(archive))
            if new != text:
                changed = True
                new = re.sub(rf"(\bsize:\s*){len(old)} B\b", rf"\g<1>{len(archive)} B", new)
            draft.files[file] = new.encode()
        if not changed:
            raise DropError("the descriptor has no checksum of the image", where=path)
        draft.files[path] = archive

    return edit


def replace_program(name: str, target: str, content: bytes) -> Edit:
    """Rebuild an image with another program at ``target``; everything else about it stays."""

    def edit(draft: Draft) -> None:
        path = _image_path(draft, name)
        old = draft.require(path)
        image = read_image(lambda: iter([old]), path)
        if list(image.files) != [target]:
            raise DropError("the image does not hold this one program", where=path, found=", ".join(image.files))
        labels = image.labels.get(CAPABILITIES, "")
        spec = ImageSpec(
            name=image.tag,
            files={target: content},
            entrypoint=image.entrypoint,
            capabilities=tuple(filter(None, labels.split(","))),
            version=image.labels.get("org.opencontainers.image.version", ""),
            architecture=image.architecture,
        )
        replace_image(name, build_image(spec))(draft)

    return edit


def _image_path(draft: Draft, name: str) -> str:
    found = [path for path in draft.files if path.rpartition("/")[2] == f"{name}.tar"]
    if len(found) != 1:
        raise DropError("the package has no such image", found=name)
    return found[0]


def _without_modification(document: Any) -> None:
    topology = document["topology_template"]
    for node in topology["node_templates"].values():
        if METADATA_KEY in node.get("metadata", {}):
            del node["metadata"][METADATA_KEY]
            if not node["metadata"]:
                del node["metadata"]
    policies = topology.get("policies", [])
    kept = [p for p in policies if all(body.get("type") != PACKAGE_CHANGE for body in p.values())]
    if kept:
        topology["policies"] = kept
    else:
        topology.pop("policies", None)


def _edit_yaml(draft: Draft, name: str, change: Any) -> None:
    document = _load(draft.require(name), name)
    try:
        change(document)
    except (KeyError, IndexError, TypeError) as error:
        raise DropError("the edit does not apply to the file", where=name, found=repr(error)) from error
    buffer = io.BytesIO()
    _yaml().dump(document, buffer)
    draft.files[name] = buffer.getvalue()


def _load(data: bytes, name: str) -> Any:
    document = _yaml().load(data)
    if not isinstance(document, dict):
        raise DropError("the file is no mapping", where=name)
    return document


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.width = 1 << 16
    yaml.preserve_quotes = True
    return yaml


def _set(document: Any, location: str, value: Any, where: str) -> None:
    parent, step = _parent(document, location, where)
    parent[step] = value


def _parent(document: Any, location: str, where: str) -> tuple[Any, Any]:
    steps: list[Any] = [int(step) if step.isdigit() else step for step in location.split(".")]
    for step in steps[:-1]:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            raise DropError("the metadata have no such field", where=where, found=location) from None
    return document, steps[-1]
