"""Images: what the image service does, apart from HTTP."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from nfvcert.reference.common.store import Store
from nfvcert.reference.vim.faults import BadRequestError, ConflictError, ForbiddenError
from nfvcert.reference.vim.records import Image
from nfvcert.reference.vim.registry import Registry

CONTAINER_FORMATS = ("ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed")
DISK_FORMATS = ("ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop")


class Imaging:
    """The images of the cloud; the content of an image is the file `folder`/<id>."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.images = Registry(store, Image, "image")
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for image in self.images:
            if image.status == "saving":
                image.status = "queued"
                self.images.save(image)

    def file(self, id: str) -> Path:
        """Where the content of an image is."""
        return self._folder / id

    def create(self, project_id: str, *, id: str | None = None, **attributes: Any) -> Image:
        """A new image without content.

        Raises:
            BadRequestError: the id is not a UUID, or a format is unknown.
            ConflictError: the id is in use.
        """
        if id is not None:
            try:
                id = str(UUID(str(id)))
            except ValueError as error:
                raise BadRequestError("Invalid image id format") from error
            if self.images.find(id) is not None:
                raise ConflictError(f"Image ID {id} already exists!")
        for name, known in (("container_format", CONTAINER_FORMATS), ("disk_format", DISK_FORMATS)):
            if attributes.get(name) is not None and attributes[name] not in known:
                raise BadRequestError(f"Invalid value '{attributes[name]}' for property {name}")
        return self.images.save(Image(id=id or str(uuid4()), project_id=project_id, **attributes))

    async def upload(self, id: str, chunks: AsyncIterator[bytes]) -> Image:
        """Take the content of an image; its size and digests are known when this returns.

        Raises:
            BadRequestError: the formats are not set.
            ConflictError: the image has content already, or another upload is running.
        """
        image = self.images.get(id)
        if image.status != "queued":
            raise ConflictError(f"Image status transition from {image.status} to saving is not allowed")
        if not image.container_format or not image.disk_format:
            raise BadRequestError("Properties disk_format, container_format must be set prior to saving data.")
        image.status = "saving"
        self.images.save(image)
        part = self.file(id).with_suffix(".part")
        try:
            md5, sha512, size = await self._write(part, chunks)
            part.rename(self.file(id))
        except BaseException:
            part.unlink(missing_ok=True)
            if self.images.find(id) is not None:
                image.status = "queued"
                self.images.save(image)
            raise
        image.status, image.size = "active", size
        image.checksum, image.os_hash_algo, image.os_hash_value = md5, "sha512", sha512
        return self.images.save(image)

    @staticmethod
    async def _write(path: Path, chunks: AsyncIterator[bytes]) -> tuple[str, str, int]:
        md5, sha512, size = hashlib.md5(usedforsecurity=False), hashlib.sha512(), 0
        with path.open("wb") as file:
            async for chunk in chunks:
                md5.update(chunk)
                sha512.update(chunk)
                size += len(chunk)
                file.write(chunk)
                await asyncio.sleep(0)
        return md5.hexdigest(), sha512.hexdigest(), size

    def delete(self, id: str, *, used_by: list[str]) -> None:
        """Remove an image and its content; hosts keep what running servers need.

        Raises:
            ForbiddenError: the image is protected.
            ConflictError: servers are being built from it.
        """
        image = self.images.get(id)
        if image.protected:
            raise ForbiddenError(f"Image {id} is protected and cannot be deleted.")
        if used_by:
            raise ConflictError(f"Image {id} could not be deleted because it is in use: {', '.join(used_by)}.")
        self.images.remove(id)
        self.file(id).unlink(missing_ok=True)
