import base64
from pathlib import Path

import pytest

from nfvcert.nfvi.agent.refusal import Refusal
from nfvcert.nfvi.agent.rootfs import copy_tree, write_files

CONTENT = base64.b64encode(b"content").decode()


def test_a_file_is_put_with_its_directories(tmp_path: Path) -> None:
    write_files(tmp_path, {"/etc/vnfc/user-data.json": CONTENT})
    assert (tmp_path / "etc/vnfc/user-data.json").read_bytes() == b"content"


@pytest.mark.parametrize("path", ["relative", "/", "/a/../../b", "", "/a\0b"])
def test_a_path_that_is_not_plain_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(Refusal, match="path has to be"):
        write_files(tmp_path, {path: CONTENT})


def test_links_of_the_image_lead_nowhere(tmp_path: Path) -> None:
    outside, rootfs = tmp_path / "outside", tmp_path / "rootfs"
    outside.mkdir()
    rootfs.mkdir()
    (rootfs / "etc").symlink_to(outside)
    with pytest.raises(Refusal, match="link"):
        write_files(rootfs, {"/etc/passwd": CONTENT})
    assert list(outside.iterdir()) == []


def test_a_link_in_place_of_the_file_is_replaced(tmp_path: Path) -> None:
    outside, rootfs = tmp_path / "outside", tmp_path / "rootfs"
    outside.write_bytes(b"kept")
    rootfs.mkdir()
    (rootfs / "file").symlink_to(outside)
    write_files(rootfs, {"/file": CONTENT})
    assert outside.read_bytes() == b"kept"
    assert (rootfs / "file").read_bytes() == b"content"


def test_files_shared_with_the_image_are_not_written_through(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.mkdir()
    (image / "file").write_bytes(b"of the image")
    copy_tree(image, tmp_path / "copy", hard_links=True)
    assert (image / "file").samefile(tmp_path / "copy" / "file")
    write_files(tmp_path / "copy", {"/file": CONTENT})
    assert (image / "file").read_bytes() == b"of the image"


def test_a_copy_for_writing_shares_nothing(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.mkdir()
    (image / "file").write_bytes(b"x")
    (image / "link").symlink_to("file")
    copy_tree(image, tmp_path / "copy", hard_links=False)
    assert not (image / "file").samefile(tmp_path / "copy" / "file")
    assert (tmp_path / "copy" / "link").is_symlink()


def test_what_is_not_base64_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="base64"):
        write_files(tmp_path, {"/file": "!!"})
