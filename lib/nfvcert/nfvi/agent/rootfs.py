"""The file tree of one container: copied from the image's, with files put into it without following its links."""

from __future__ import annotations

import base64
import binascii
import errno
import os
import subprocess
from pathlib import Path, PurePosixPath

from nfvcert.nfvi.agent.refusal import Refusal


def copy_tree(source: Path, target: Path, *, hard_links: bool) -> None:
    """Copy a tree with owners, modes and attributes.

    Args:
        hard_links: share the files; only for containers that cannot write to them.
    """
    how = "--link" if hard_links else "--reflink=auto"
    done = subprocess.run(["cp", "--archive", how, str(source), str(target)], capture_output=True, text=True)
    if done.returncode != 0:
        raise Refusal("the file tree of the image cannot be copied", where=str(source), found=done.stderr.strip())


def check_path(path: str) -> PurePosixPath:
    """The path relative to the root of the container; raises Refusal unless it is absolute and plain."""
    pure = PurePosixPath(path)
    if not pure.is_absolute() or len(pure.parts) < 2 or ".." in pure.parts or "\0" in path:
        raise Refusal("a file's path has to be absolute and without ..", found=repr(path))
    return pure.relative_to("/")


def write_files(rootfs: Path, files: dict[str, str]) -> None:
    """Write files given in base64 into the tree, replacing those of the image.

    Raises:
        Refusal: a path leaves the tree, passes through a link, or the content is not base64.
    """
    for path, content in files.items():
        relative = check_path(path)
        try:
            data = base64.b64decode(content, validate=True)
        except binascii.Error as error:
            raise Refusal("the content of a file is not base64", where=path, found=str(error)) from error
        _write(rootfs, relative, data)


def _write(rootfs: Path, relative: PurePosixPath, data: bytes) -> None:
    directory = os.open(rootfs, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in relative.parts[:-1]:
            try:
                os.mkdir(part, 0o755, dir_fd=directory)
            except FileExistsError:
                pass
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            deeper = os.open(part, flags, dir_fd=directory)
            os.close(directory)
            directory = deeper
        name = relative.parts[-1]
        try:
            os.unlink(name, dir_fd=directory)  # never write through a hard link shared with the image
        except FileNotFoundError:
            pass
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(name, flags, 0o644, dir_fd=directory), "wb") as file:
            file.write(data)
    except OSError as error:
        hint = "the image has a link there" if error.errno in (errno.ELOOP, errno.ENOTDIR) else ""
        raise Refusal(
            "a file cannot be put into the container", where=f"/{relative}", found=str(error), hint=hint
        ) from error
    finally:
        os.close(directory)
