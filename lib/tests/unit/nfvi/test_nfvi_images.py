import json
import tarfile
from pathlib import Path

import pytest
import scratchimage

from nfvcert.nfvi.agent.images import ImageStore
from nfvcert.nfvi.agent.models import ImageSpec
from nfvcert.nfvi.agent.refusal import NotFound, Refusal


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    return tmp_path / "layout"


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


@pytest.mark.privileged
def test_an_image_is_found_by_name_and_digest_also_after_a_restart(store: ImageStore, layout: Path) -> None:
    digest = scratchimage.make_layout(layout, b"program")
    image = store.put("vnfc-1", ImageSpec(path=layout, tag="scratch", digest=digest))
    assert (image.digest, image.args, image.architecture) == (digest, ["/bin/echo"], "amd64")
    for again in (store, ImageStore(store.directory)):
        assert again.get("vnfc-1").image == image
        assert (again.get(digest).rootfs / "bin/echo").read_bytes() == b"program"
    assert store.put(digest, ImageSpec(path=layout)).digest == digest


@pytest.mark.privileged
def test_an_archive_is_read_in_place(store: ImageStore, layout: Path, tmp_path: Path) -> None:
    digest = scratchimage.make_layout(layout, b"program")
    archive = tmp_path / "image.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(layout, arcname=".")
    assert store.put(digest, ImageSpec(path=archive)).digest == digest


def test_a_changed_blob_is_refused(store: ImageStore, layout: Path) -> None:
    digest = scratchimage.make_layout(layout, b"program")
    largest = max((layout / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[-1] ^= 1
    largest.write_bytes(data)
    with pytest.raises(Refusal, match="does not match its digest"):
        store.put(digest, ImageSpec(path=layout))
    with pytest.raises(NotFound):
        store.get(digest)


def test_a_blob_that_is_longer_than_told_is_refused(store: ImageStore, layout: Path) -> None:
    scratchimage.make_layout(layout, b"program")
    for blob in (layout / "blobs/sha256").iterdir():
        blob.write_bytes(blob.read_bytes() + b"x")
    with pytest.raises(Refusal, match="size of a blob"):
        store.put("image", ImageSpec(path=layout))


def test_another_image_than_the_expected_is_refused(store: ImageStore, layout: Path) -> None:
    found = scratchimage.make_layout(layout, b"program")
    expected = "sha256:" + "0" * 64
    for identifier, spec in (
        (expected, ImageSpec(path=layout)),
        ("image", ImageSpec(path=layout, digest=expected)),
    ):
        with pytest.raises(Refusal, match=f"not the expected one.*{found}"):
            store.put(identifier, spec)


def test_an_image_for_another_architecture_is_refused(store: ImageStore, layout: Path) -> None:
    scratchimage.make_layout(layout, b"program", architecture="s390x")
    with pytest.raises(Refusal, match=r"another platform.*linux/s390x"):
        store.put("image", ImageSpec(path=layout))


def test_an_unknown_tag_names_the_ones_there_are(store: ImageStore, layout: Path) -> None:
    scratchimage.make_layout(layout, b"program", tag="1.0.0")
    with pytest.raises(Refusal, match=r"0 images match.*1\.0\.0"):
        store.put("image", ImageSpec(path=layout, tag="2.0.0"))


@pytest.mark.parametrize("digest", ["sha256:../../etc/passwd", "md5:00", "", "sha256:" + "A" * 64])
def test_a_digest_that_is_a_path_is_refused(store: ImageStore, layout: Path, digest: str) -> None:
    scratchimage.make_layout(layout, b"program")
    index = json.loads((layout / "index.json").read_text())
    index["manifests"][0]["digest"] = digest
    (layout / "index.json").write_text(json.dumps(index))
    with pytest.raises(Refusal, match="no usable digest"):
        store.put("image", ImageSpec(path=layout))


@pytest.mark.parametrize("content", [None, b"", b"not a tar archive"])
def test_what_is_no_layout_is_refused(store: ImageStore, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "image"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(Refusal, match="not an OCI image layout"):
        store.put("image", ImageSpec(path=path))
