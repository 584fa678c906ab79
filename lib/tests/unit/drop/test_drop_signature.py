"""Manifest and signature: what is covered, by whom, and every way in which that can be wrong."""

from __future__ import annotations

import base64
import datetime
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from drop_support import KEYS, rules

from nfvcert.drop import edits
from nfvcert.drop.derive import derive
from nfvcert.drop.findings import Severity
from nfvcert.drop.manifest import format_manifest, parse_manifest
from nfvcert.drop.package import open_package
from nfvcert.drop.package_check import verify_package
from nfvcert.drop.signature import SignatureProblem, Signing, sign, verify
from nfvcert.drop.trust import Trust, distrust

MANIFEST = "edge-gateway.mf"
NOW = datetime.datetime(2025, 6, 1, tzinfo=datetime.UTC)


def test_the_sample_is_signed_by_whom_it_says(candidate: Path, trust: Trust) -> None:
    package = open_package(candidate)
    assert verify_package(package, trust) == []
    assert package.signature is not None


def test_the_same_content_gives_the_same_signature(vendor: Signing) -> None:
    assert sign(b"content", vendor) == sign(b"content", vendor)


def test_a_changed_file_is_found(candidate: Path, trust: Trust, tmp_path: Path) -> None:
    out = derive(candidate, tmp_path / "x.csar", edits.stale_manifest(), edits.flip_digit())
    findings = verify_package(open_package(out), trust)
    assert rules(findings) == ["manifest.hash"]
    assert findings[0].where == "Files/software-modification.yaml"


def test_a_file_outside_the_manifest_is_found(candidate: Path, vendor: Signing, tmp_path: Path) -> None:
    out = derive(candidate, tmp_path / "x.csar", edits.put("Files/extra.sh", b"rm"), edits.stale_manifest())
    assert [(f.rule, f.where) for f in verify_package(open_package(out))] == [("manifest.unlisted", "Files/extra.sh")]


def test_a_listed_file_that_is_gone_is_found(candidate: Path, tmp_path: Path) -> None:
    out = derive(candidate, tmp_path / "x.csar", edits.remove("Artifacts/ChangeLog.txt"), edits.stale_manifest())
    assert rules(verify_package(open_package(out))) == ["manifest.missing_file"]


def test_a_changed_manifest_no_longer_fits_its_signature(candidate: Path, trust: Trust, tmp_path: Path) -> None:
    def forge(draft) -> None:  # type: ignore[no-untyped-def]
        draft.old_manifest = draft.old_manifest.replace(b"nfvcert samples", b"nfvcert Samples")

    out = derive(candidate, tmp_path / "x.csar", edits.stale_manifest(), forge)
    assert "signature.wrong" in rules(verify_package(open_package(out), trust))


def test_a_stranger_is_not_trusted(candidate: Path, trust: Trust, stranger: Signing, tmp_path: Path) -> None:
    out = derive(candidate, tmp_path / "x.csar", signing=stranger)
    assert rules(verify_package(open_package(out), trust)) == ["signature.untrusted"]
    assert rules(verify_package(open_package(out))) == []


def test_unsigned_is_an_error_only_where_signatures_are_demanded(candidate: Path, trust: Trust, tmp_path: Path) -> None:
    package = open_package(derive(candidate, tmp_path / "x.csar"))
    assert rules(verify_package(package, trust)) == ["signature.missing"]
    assert rules(verify_package(package, Trust(trust.certificates, required=False))) == []
    assert rules(verify_package(package), Severity.WARNING) == ["signature.missing"]


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN CMS-----\n-----END CMS-----\n",
        b"-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n",
        b"-----BEGIN CMS-----\n" + base64.b64encode(b"\x30\x80" * 4000) + b"\n-----END CMS-----\n",
        b"-----BEGIN CMS-----\n!!!\n-----END CMS-----\n",
    ],
)
def test_malformed_signatures_are_refused(pem: bytes) -> None:
    with pytest.raises(SignatureProblem) as caught:
        verify(b"content", pem)
    assert caught.value.rule == "signature.malformed"


def test_text_after_the_signature_is_refused(vendor: Signing) -> None:
    with pytest.raises(SignatureProblem, match="at the end"):
        verify(b"content", sign(b"content", vendor) + b"Source: evil\n")


def test_every_byte_of_a_signature_counts_or_is_harmless(vendor: Signing) -> None:
    """Damage anywhere is refused or leaves the same signer; it never crashes."""
    body = base64.b64decode(b"".join(sign(b"content", vendor).splitlines()[1:-1]))
    for position in range(0, len(body), 7):
        damaged = bytearray(body)
        damaged[position] ^= 0x5A
        pem = b"-----BEGIN CMS-----\n" + base64.encodebytes(bytes(damaged)) + b"-----END CMS-----\n"
        try:
            assert verify(b"content", pem).signer.public_key() == vendor.certificate.public_key()
        except SignatureProblem:
            pass


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_signatures_with_attributes_are_verified(kind: str) -> None:
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate("signer", key, "signer", key)
    der = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(b"content")
        .add_signer(certificate, key, hashes.SHA256())
        .sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary])
    )
    pem = b"-----BEGIN CMS-----\n" + base64.encodebytes(der) + b"-----END CMS-----\n"
    assert verify(b"content", pem).signer == certificate
    with pytest.raises(SignatureProblem, match="does not fit"):
        verify(b"other", pem)


def test_a_signature_may_refer_to_the_certificate_in_the_package(vendor: Signing) -> None:
    der = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(b"content")
        .add_signer(vendor.certificate, vendor.key, hashes.SHA256())
        .sign(
            serialization.Encoding.DER,
            [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoCerts],
        )
    )
    pem = b"-----BEGIN CMS-----\n" + base64.encodebytes(der) + b"-----END CMS-----\n"
    with pytest.raises(SignatureProblem, match="no certificate"):
        verify(b"content", pem)
    assert verify(b"content", pem, [vendor.certificate]).signer == vendor.certificate


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")
def test_openssl_and_nfvcert_accept_each_other(tmp_path: Path, vendor: Signing) -> None:
    content = b"metadata:\n  a: b\n"
    (tmp_path / "content").write_bytes(content)
    (tmp_path / "ours").write_bytes(sign(content, vendor))
    key, certificate = KEYS / "vendor-TEST-ONLY.key.pem", KEYS / "vendor-TEST-ONLY.cert.pem"
    verified = [
        "openssl", "cms", "-verify", "-binary", "-inform", "PEM", "-in", "ours", "-content", "content",
        "-CAfile", str(certificate), "-purpose", "any", "-out", "/dev/null",
    ]  # fmt: skip
    subprocess.run(verified, cwd=tmp_path, check=True, capture_output=True)
    for extra in (["-binary"], [], ["-binary", "-keyid"], ["-binary", "-keyopt", "rsa_padding_mode:pss"]):
        signed = [
            "openssl", "cms", "-sign", "-md", "sha256", "-outform", "PEM", "-in", "content",
            "-signer", str(certificate), "-inkey", str(key), "-out", "theirs", *extra,
        ]  # fmt: skip
        subprocess.run(signed, cwd=tmp_path, check=True, capture_output=True)
        assert verify(content, (tmp_path / "theirs").read_bytes()).signer == vendor.certificate


def test_trust_follows_a_chain_to_an_authority() -> None:
    root_key, middle_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = _certificate("root", root_key, "root", root_key, ca=True)
    middle = _certificate("middle", middle_key, "root", root_key, ca=True)
    leaf = _certificate("leaf", leaf_key, "middle", middle_key)
    assert distrust(leaf, [middle], Trust((root,), at=NOW)) is None
    assert "no trusted" in (distrust(leaf, [], Trust((root,), at=NOW)) or "")
    no_ca = _certificate("middle", middle_key, "root", root_key, ca=False)
    assert "no trusted" in (distrust(leaf, [no_ca], Trust((root,), at=NOW)) or "")
    late = Trust((root,), at=NOW + datetime.timedelta(days=10_000))
    assert "not valid on" in (distrust(leaf, [middle], late) or "")


def test_a_manifest_is_read_as_it_is_written() -> None:
    data = format_manifest(
        {"vnf_product_name": "p", "vnf_provider_id": "q"}, {"b": "0" * 64, "a": "f" * 64}, {"set": ("a",)}
    )
    manifest = parse_manifest(data, MANIFEST)
    assert list(manifest.files) == ["a", "b"]
    assert manifest.files["a"].algorithm == "SHA-256"
    assert manifest.artifact_sets == {"set": ("a",)}
    assert manifest.metadata["vnf_product_name"] == "p"
    assert manifest.signature is None


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Source: a\nAlgorithm: MD5\nHash: " + "0" * 32, "Algorithm"),
        ("Source: a\nAlgorithm: SHA-256\nHash: xyz", "Hash"),
        ("Source: a\nHash: " + "0" * 64, "Algorithm"),
        (
            "Source: a\nAlgorithm: SHA-256\nHash: " + "0" * 64 + "\nSource: a\nAlgorithm: SHA-256\nHash: " + "1" * 64,
            "twice",
        ),
        ("nonsense", "key: value"),
        ("", "lists no file"),
    ],
)
def test_faults_of_a_manifest_have_lines(text: str, part: str) -> None:
    found = parse_manifest(text.encode(), MANIFEST).findings
    assert any(part in finding.message for finding in found)


def _certificate(name, key, issuer, issuer_key, ca=False) -> x509.Certificate:  # type: ignore[no-untyped-def]
    def named(common_name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])

    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=1))
        .not_valid_after(NOW + datetime.timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
