"""Packages: upload, verification, states, what can be read of them, notifications."""

from __future__ import annotations

import hashlib
import io
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from nfvo_bench import PACKAGES, Bench, bench
from nfvo_sample import onboard

from nfvcert.drop.derive import derive
from nfvcert.drop.edits import flip_digit, put, stale_manifest, unlist
from nfvcert.drop.package import open_package
from waiting import eventually

ZIP = {"Content-Type": "application/zip"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, sample: Any) -> Any:
    """An NFVO that demands signatures, with the sample's packages; tests leave those as they are."""
    path = tmp_path_factory.mktemp("nfvo-shared")
    with bench(path, require_signature=True, trusted_certificates=[sample.certificate]) as found:
        onboard(found, sample)
        yield found


def of_new(nfvo: Bench, sample: Any) -> dict[str, Any]:
    (found,) = nfvo.get(PACKAGES, params={"filter": f"(eq,vnfdId,{sample.new_id})"})
    return found


def test_a_package_shows_what_is_in_it(shared: Bench, sample: Any) -> None:
    package = of_new(shared, sample)
    vnfd = open_package(sample.new).vnfd
    assert (package["onboardingState"], package["operationalState"]) == ("ONBOARDED", "ENABLED")
    assert package["vnfSoftwareVersion"] == vnfd.software_version
    assert package["vnfProvider"] == vnfd.provider
    assert package["checksum"] == {"algorithm": "SHA-256", "hash": hashlib.sha256(sample.new).hexdigest()}
    assert package["packageSecurityOption"] == "OPTION_1"
    assert {image["id"] for image in package["softwareImages"]} == set(vnfd.images)
    for image in package["softwareImages"]:
        content = shared.http.get(f"{PACKAGES}/{package['id']}/artifacts/{image['imagePath']}").content
        assert hashlib.sha256(content).hexdigest() == image["checksum"]["hash"]
        assert len(content) == image["size"]
    assert "Files/software-modification.yaml" in {a["artifactPath"] for a in package["additionalArtifacts"]}


@pytest.mark.parametrize("by", ["id", "vnfdId"])
def test_every_file_comes_back_byte_by_byte(shared: Bench, sample: Any, by: str) -> None:
    package = of_new(shared, sample)
    path = package["_links"]["self"]["href"]
    if by == "vnfdId":
        path = f"/vnfpkgm/v2/onboarded_vnf_packages/{sample.new_id}"
        assert shared.get(path) == package
    delivered = open_package(sample.new)
    assert shared.http.get(f"{path}/package_content").content == sample.new
    for name in delivered.archive.names:
        assert shared.http.get(f"{path}/artifacts/{name}").content == delivered.artifact_bytes(name)
    assert shared.http.get(f"{path}/manifest").content == delivered.artifact_bytes(delivered.meta.manifest)


def test_the_descriptor_is_given_as_an_archive_of_its_files(shared: Bench, sample: Any) -> None:
    path = of_new(shared, sample)["_links"]["vnfd"]["href"]
    answer = shared.http.get(path, headers={"Accept": "application/zip"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        for name, content in open_package(sample.new).definitions().items():
            assert archive.read(name) == content
    refused = shared.http.get(path, headers={"Accept": "text/plain"})
    assert refused.status_code == 406
    assert "files" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-3", 206, 0, 3),
        ("bytes=10-", 206, 10, -1),
        ("bytes=-5", 206, -5, -1),
        ("bytes=5-2", 200, 0, -1),
        ("items=0-3", 200, 0, -1),
        ("bytes=0-1,4-5", 200, 0, -1),
        ("bytes=99999999999-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
    ],
)
def test_ranges_of_the_content(shared: Bench, sample: Any, asked: str, status: int, first: int, last: int) -> None:
    path = of_new(shared, sample)["_links"]["packageContent"]["href"]
    answer = shared.http.get(path, headers={"Range": asked})
    assert answer.status_code == status
    size = len(sample.new)
    if status == 416:
        assert answer.headers["content-range"] == f"bytes */{size}"
        assert answer.json()["status"] == 416
    else:
        assert answer.content == sample.new[first % size : last % size + 1]


@pytest.mark.parametrize("path", ["Files/none.yaml", "../../nfvo.sqlite", "%2e%2e/%2e%2e/x", "Files", ""])
def test_an_artifact_that_is_not_there(shared: Bench, sample: Any, path: str) -> None:
    answer = shared.http.get(f"{of_new(shared, sample)['_links']['self']['href']}/artifacts/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def slipping(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("x")
    info.filename = name
    return info


HOSTILE = {
    "empty": (lambda _: b"", "archive"),
    "no archive": (lambda _: b"\x00" * 5000, "archive"),
    "truncated": (lambda s: s.new[: len(s.new) // 2], "archive"),
    "way out": (lambda _: zipped((slipping("../../etc/cron.d/x"), b"x")), "must not be used"),
    "symbolic link": (lambda _: zipped((link("Files/x"), b"/etc/passwd")), "symbolic link"),
    "bomb": (lambda _: zipped(("Files/x", b"\0" * (1 << 25))), "expands"),
    "no entry": (lambda _: zipped(("README", b"x")), "TOSCA"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_archives_are_refused_with_the_reason(shared: Bench, sample: Any, case: str) -> None:
    make, reason = HOSTILE[case]
    package = shared.upload(make(sample))
    assert package["onboardingState"] == "ERROR"
    assert package["operationalState"] == "DISABLED"
    problem = package["onboardingFailureDetails"]
    assert reason in problem["detail"]
    assert problem["status"] == 422
    path = package["_links"]["self"]["href"]
    assert shared.http.get(f"{path}/package_content").status_code == 409
    assert shared.http.get(f"{path}/vnfd").status_code == 409
    assert shared.http.delete(path).status_code == 204


@pytest.mark.parametrize(
    ("case", "rule"),
    [
        ("altered", "manifest.hash"),
        ("unlisted", "manifest.unlisted"),
        ("stranger", "signature.untrusted"),
        ("unsigned", "signature.missing"),
        ("same again", "package.second"),
        ("alias bomb", "yaml.alias_bomb"),
    ],
)
def test_packages_that_cannot_be_trusted_are_refused(
    shared: Bench, sample: Any, tmp_path: Path, case: str, rule: str
) -> None:
    bomb = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        f"{b}: &{b} [{','.join('*' + a for _ in range(9))}]\n".encode()
        for a, b in zip("abcdefg", "bcdefgh", strict=True)
    )
    edits: dict[str, Any] = {
        "altered": ([stale_manifest(), flip_digit()], sample.key),
        "unlisted": ([unlist()], sample.key),
        "stranger": ([], sample.stranger),
        "unsigned": ([], None),
        "same again": ([], sample.key),
        "alias bomb": ([put("Definitions/edge-gateway.yaml", bomb)], sample.key),
    }
    changes, signing = edits[case]
    made = derive(sample.new_path, tmp_path / "made.csar", *changes, signing=signing)
    package = shared.upload(made.read_bytes())
    assert package["onboardingState"] == "ERROR"
    problem = package["onboardingFailureDetails"]
    assert rule in [finding["rule"] for finding in problem["findings"]]
    assert "/tmp" not in problem["detail"]


def test_uploads_are_taken_once_and_only_as_archives(shared: Bench, sample: Any) -> None:
    path = of_new(shared, sample)["_links"]["self"]["href"]
    assert shared.http.put(f"{path}/package_content", content=b"x", headers=ZIP).status_code == 409
    empty = shared.post(PACKAGES, {"userDefinedData": {"a": 1}})
    path = empty.headers["location"]
    assert empty.json()["userDefinedData"] == {"a": 1}
    wrong = shared.http.put(f"{path}/package_content", content=b"x", headers={"Content-Type": "text/plain"})
    assert wrong.status_code == 415
    assert shared.get(path)["onboardingState"] == "CREATED"
    assert shared.patch(path, {"operationalState": "ENABLED"}).status_code == 409
    assert shared.http.delete(path).status_code == 204
    assert shared.http.put(f"{path}/package_content", content=b"x", headers=ZIP).status_code == 404


def test_an_upload_that_is_too_long_leaves_the_package_as_it_was(tmp_path: Path, sample: Any) -> None:
    with bench(tmp_path, largest_package=1000) as nfvo:
        path = nfvo.post(PACKAGES).headers["location"]
        answer = nfvo.http.put(f"{path}/package_content", content=sample.new, headers=ZIP)
        assert answer.status_code == 413
        assert nfvo.get(path)["onboardingState"] == "CREATED"
        assert not list((tmp_path / "nfvo-packages").iterdir())


def test_states_and_data_of_a_package_can_be_changed(nfvo: Bench, sample: Any) -> None:
    package = nfvo.upload(sample.new)
    path = package["_links"]["self"]["href"]
    tag = nfvo.http.get(path).headers["etag"]
    assert nfvo.http.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert nfvo.http.delete(path).status_code == 409
    assert nfvo.patch(path, {"operationalState": "DISABLED"}, **{"If-Match": '"no"'}).status_code == 412
    changed = nfvo.patch(
        path, {"operationalState": "DISABLED", "userDefinedData": {"a": 1, "b": 2}}, **{"If-Match": tag}
    )
    assert changed.json() == {"operationalState": "DISABLED", "userDefinedData": {"a": 1, "b": 2}}
    assert changed.headers["etag"] == nfvo.http.get(path).headers["etag"]
    assert nfvo.patch(path, {"operationalState": "DISABLED"}).status_code == 409
    assert nfvo.patch(path, {"userDefinedData": {"a": None}}).json() == {"userDefinedData": {"b": 2}}
    for wrong in ({"operationalState": None}, {"operationalState": "ON"}, {"usageState": "IN_USE"}, [], 3):
        assert nfvo.patch(path, wrong).status_code == 422
    assert nfvo.http.patch(path, json={"userDefinedData": {}}).status_code == 415
    assert nfvo.http.delete(path).status_code == 204
    assert nfvo.http.get(path).status_code == 404


def test_lists_are_filtered_and_paged(tmp_path: Path) -> None:
    with bench(tmp_path, page_size=2) as nfvo:
        made = [nfvo.post(PACKAGES, {"userDefinedData": {"n": n}}).json()["id"] for n in range(5)]
        found: list[str] = []
        url = PACKAGES
        while url:
            answer = nfvo.http.get(url)
            found += [package["id"] for package in answer.json()]
            url = answer.links.get("next", {}).get("url", "")
        assert found == made
        (one,) = nfvo.get(PACKAGES, params={"filter": "(eq,userDefinedData/n,3)", "fields": "id,userDefinedData"})
        assert one["id"] == made[3]
        assert nfvo.http.get(PACKAGES, params={"filter": "(eq,"}).status_code == 400


def test_subscribers_are_told_of_packages(nfvo: Bench, sample: Any) -> None:
    wanted = {"notificationTypes": ["VnfPackageOnboardingNotification", "VnfPackageChangeNotification"]}
    for given in (wanted, {"vnfdId": ["another"]}, {"operationalState": ["DISABLED"]}):
        nfvo.post("/vnfpkgm/v2/subscriptions", {"callbackUri": nfvo.sink, "filter": given})
    path = nfvo.upload(sample.new)["_links"]["self"]["href"]
    nfvo.upload(b"rubbish")
    nfvo.patch(path, {"operationalState": "DISABLED"})
    nfvo.http.delete(path)
    eventually(lambda: len(nfvo.subscriber.told) == 5)
    by_subscription: dict[str, list[Any]] = {}
    for one in nfvo.subscriber.told:
        assert one["_links"]["vnfPackage"]["href"] == path
        assert one["vnfdId"] == sample.new_id
        kind = (one["notificationType"][len("VnfPackage") : -len("Notification")], one.get("changeType"))
        by_subscription.setdefault(one["subscriptionId"], []).append(kind)
    told = [("Onboarding", None), ("Change", "OP_STATE_CHANGE"), ("Change", "PKG_DELETE")]
    assert sorted(by_subscription.values(), key=len) == [told[1:], told]


def test_without_demand_for_signatures_an_unsigned_package_is_taken(nfvo: Bench, sample: Any, tmp_path: Path) -> None:
    made = derive(sample.new_path, tmp_path / "unsigned.csar", signing=None)
    assert nfvo.upload(made.read_bytes())["onboardingState"] == "ONBOARDED"
