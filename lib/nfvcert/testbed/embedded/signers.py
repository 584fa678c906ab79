"""Keys of one run: a signer whom the testbed trusts, for derived packages, and a stranger whom nobody trusts."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

VALID_FOR = datetime.timedelta(days=1)
KEY_BITS = 2048


@dataclass(frozen=True, slots=True)
class SignerFiles:
    """PEM files of a key and its certificate."""

    key: Path
    certificate: Path


def make_signer(folder: Path, name: str) -> SignerFiles:
    """Make a key with a self-signed certificate that is valid for a day; the key can be read by its owner only."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"nfvcert run, {name}")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + VALID_FOR)
        .sign(key, hashes.SHA256())
    )
    files = SignerFiles(folder / f"{name}.key.pem", folder / f"{name}.cert.pem")
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files.key.touch(mode=0o600)
    files.key.write_bytes(private)
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return files
