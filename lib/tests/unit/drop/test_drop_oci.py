"""Images: built with the same bytes, read with every digest checked, and refused when they lie."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
from typing import Any

import pytest
from drop_support import SMALL, tarred

from nfvcert.drop import tarstream
from nfvcert.drop.findings import FindingError
from nfvcert.drop.oci import INDEX, LAYER_TYPE, LAYOUT, MANIFEST_TYPE, ImageSpec, build_image
from nfvcert.drop.oci_read import OciImage, read_image
from nfvcert.errors import DropError

SPEC = ImageSpec("app-1.0.0", {"/app": b"program", "/opt/tool": b"tool"}, ["/app", "-v"], ["CAP_NET_RAW"], "1.0.0")


def read(data: bytes) -> OciImage:
    return read_image(lambda: iter([data[i : i + 777] for i in range(0, len(data), 777)]), "image.tar", SMALL)


def refused(data: bytes) -> str:
    with pytest.raises(FindingError) as caught:
        read(data)
    return caught.value.finding.rule


def unpacked(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {m.name: archive.extractfile(m).read() for m in archive.getmembers() if m.isreg()}  # type: ignore[union-attr]


def blob(members: dict[str, bytes], content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    members[f"blobs/sha256/{digest}"] = content
    return {"digest": f"sha256:{digest}", "size": len(content)}


def image_of(contents: list[bytes], **changes: Any) -> bytes:
    """An image with these uncompressed layers; ``changes`` replace parts."""
    members: dict[str, bytes] = {LAYOUT: b'{"imageLayoutVersion":"1.0.0"}'}
    packed = [gzip.compress(content, mtime=0) for content in contents]
    described = [{"mediaType": f"{LAYER_TYPE}+gzip", **blob(members, data)} for data in packed]
    diff_ids = [f"sha256:{hashlib.sha256(content).hexdigest()}" for content in contents]
    config = {"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/app"]},
              "rootfs": {"type": "layers", "diff_ids": changes.get("diff_ids", diff_ids)}}  # fmt: skip
    manifest = {
        "schemaVersion": 2,
        "config": blob(members, json.dumps(config).encode()),
        "layers": changes.get("layers", described),
    }
    entry = {"mediaType": MANIFEST_TYPE, **blob(members, json.dumps(manifest).encode())}
    members[INDEX] = json.dumps({"manifests": changes.get("manifests", [entry])}).encode()
    return tarred(sorted(members.items()))


def layer(files: dict[str, bytes], mode: int = 0o755) -> bytes:
    members: list[tuple[tarfile.TarInfo | str, bytes]] = []
    for name, data in files.items():
        info = tarfile.TarInfo(name)
        info.mode = mode
        members.append((info, data))
    return tarred(members)


def test_an_image_is_built_with_the_same_bytes() -> None:
    assert build_image(SPEC) == build_image(SPEC)


def test_an_image_says_what_was_put_into_it() -> None:
    image = read(build_image(SPEC))
    assert image.executables() == {
        "/app": hashlib.sha256(b"program").hexdigest(), "/opt/tool": hashlib.sha256(b"tool").hexdigest(),
    }  # fmt: skip
    assert (image.tag, image.architecture, image.os, image.entrypoint) == (
        "app-1.0.0", "amd64", "linux", ("/app", "-v"),
    )  # fmt: skip
    assert image.labels["org.nfvcert.capabilities"] == "CAP_NET_RAW"
    index = json.loads(unpacked(build_image(SPEC))[INDEX])
    assert image.digest == index["manifests"][0]["digest"]


@pytest.mark.parametrize("spec", [ImageSpec("x", {"app": b""}, ["app"]), ImageSpec("x", {"/app": b""}, ["/other"])])
def test_descriptions_that_make_no_image_are_refused(spec: ImageSpec) -> None:
    with pytest.raises(DropError):
        build_image(spec)


def test_a_changed_blob_is_found() -> None:
    members = unpacked(build_image(SPEC))
    for name in [name for name in members if name.startswith("blobs/")]:
        changed = {**members, name: members[name][:-1] + bytes([members[name][-1] ^ 1])}
        assert refused(tarred(sorted(changed.items()))) in ("image.digest", "image.json")


def test_a_missing_blob_is_found() -> None:
    members = unpacked(build_image(SPEC))
    for name in members:
        rest = {key: value for key, value in members.items() if key != name}
        assert refused(tarred(sorted(rest.items()))) in ("image.missing", "image.archive")


def test_layers_are_laid_over_each_other() -> None:
    data = image_of(
        [
            layer({"app": b"old", "bin/a": b"a", "bin/b": b"b", "etc/x": b"x"}),
            layer({"app": b"new", "bin/.wh.a": b"", "lib/.wh..wh..opq": b""}),
            layer({"etc/conf": b"data"}, mode=0o644),
        ]
    )
    assert set(read(data).executables()) == {"/app", "/bin/b", "/etc/x"}
    assert read(data).executables()["/app"] == hashlib.sha256(b"new").hexdigest()


def test_a_layer_that_is_not_the_one_of_the_configuration() -> None:
    assert refused(image_of([layer({"app": b"x"})], diff_ids=["sha256:" + "0" * 64])) == "image.digest"
    assert refused(image_of([layer({"app": b"x"})], diff_ids=[])) == "image.config"


def test_a_path_out_of_the_image_is_refused() -> None:
    assert refused(image_of([layer({"../../etc/cron.d/x": b"x"})])) == "image.path"


def test_a_layer_bomb_is_stopped() -> None:
    assert refused(image_of([layer({"app": b"\0" * (1 << 19)})])) == "image.bomb"


def test_a_truncated_layer_is_refused() -> None:
    members: dict[str, bytes] = {}
    short = gzip.compress(layer({"app": random.Random(1).randbytes(9000)}), mtime=0)[:-300]
    described = {"mediaType": f"{LAYER_TYPE}+gzip", **blob(members, short)}
    data = unpacked(image_of([layer({"app": b"x"})], layers=[described]))
    assert refused(tarred(sorted({**data, **members}.items()))) in ("image.layer", "tar.truncated")


@pytest.mark.parametrize(
    "manifests",
    [
        [],
        [{}],
        ["text"],
        [{"mediaType": "application/x"}],
        [{"mediaType": MANIFEST_TYPE, "digest": 7}],
        [{"mediaType": MANIFEST_TYPE, "digest": "sha256:../../../etc/passwd"}],
        [{"mediaType": MANIFEST_TYPE, "digest": "md5:" + "0" * 64}],
    ],
)
def test_odd_indexes_are_refused(manifests: list[Any]) -> None:
    assert refused(image_of([layer({"app": b"x"})], manifests=manifests)).startswith("image.")


@pytest.mark.parametrize(
    "data", [b"", b"x" * 600, b"\0" * 1024, tarred([("other", b"x")]), tarred([(INDEX, b"[" * 5000)])]
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    assert refused(data).split(".")[0] in ("image", "tar")


def test_links_and_duplicates_in_an_image_archive_are_refused() -> None:
    link = tarfile.TarInfo(INDEX)
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    assert refused(tarred([(link, b"")])) == "image.archive"
    assert refused(tarred([(INDEX, b"{}"), (INDEX, b"{}")])) == "image.archive"


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_formats_are_read(format: int) -> None:
    long = "d" * 60 + "/" + "f" * (90 if format == tarfile.USTAR_FORMAT else 150)
    hard = tarfile.TarInfo("hard")
    hard.type, hard.linkname = tarfile.LNKTYPE, "a"
    data = tarred([("a", b"1" * 700), (long, b"22"), (hard, b"")], format)
    found = [(m.name, m.kind, b"".join(m.pieces())) for m in tarstream.members(iter([data]), "t", 10)]
    assert found == [("a", "file", b"1" * 700), (long, "file", b"22"), ("hard", "hard link", b"")]


def test_tar_headers_that_ask_for_too_much_are_refused() -> None:
    info = tarfile.TarInfo("x" * 300)
    info.pax_headers = {"comment": "y" * 100_000}
    with pytest.raises(FindingError, match="extended header"):
        list(tarstream.members(iter([tarred([(info, b"")], tarfile.PAX_FORMAT)]), "t", 10))
    with pytest.raises(FindingError, match="too many"):
        list(tarstream.members(iter([tarred([(str(i), b"") for i in range(20)])]), "t", 10))


def test_any_truncation_of_a_tar_is_an_error_or_an_end() -> None:
    data = tarred([("a", b"1" * 700), ("b", b"2")])
    for length in range(0, 2560, 37):
        try:
            list(tarstream.members(iter([data[:length]]), "t", 10))
        except FindingError as error:
            assert error.finding.rule.startswith("tar.")
