"""Whom a reader trusts, and whether a certificate leads back to one of them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from nfvcert.errors import DropError

LONGEST_CHAIN = 6


@dataclass(frozen=True)
class Trust:
    """Certificates of signers, or of those who issue them, whose packages may be used.

    ``required`` refuses unsigned packages too. Validity is judged at ``at`` (None: at the time of the call).
    """

    certificates: tuple[x509.Certificate, ...]
    required: bool = True
    at: datetime.datetime | None = None

    @classmethod
    def of(cls, paths: Iterable[Path], *, required: bool = True) -> Trust:
        """Trust in all certificates of some PEM files.

        Raises:
            DropError: a file cannot be read or holds no certificate.
        """
        found: list[x509.Certificate] = []
        for path in paths:
            try:
                found += load_certificates(path.read_bytes())
            except OSError as error:
                reason = error.strerror or str(error)
                raise DropError("the certificate cannot be read", where=str(path), found=reason) from error
            except ValueError as error:
                raise DropError("the file holds no PEM certificate", where=str(path), found=str(error)) from error
        return cls(tuple(found), required)

    @property
    def fingerprints(self) -> frozenset[bytes]:
        """SHA-256 fingerprints of the trusted certificates."""
        return frozenset(fingerprint(certificate) for certificate in self.certificates)


def load_certificates(data: bytes) -> list[x509.Certificate]:
    """Certificates of a PEM or DER file.

    Raises:
        ValueError: there is none, or one is malformed.
    """
    if b"-----BEGIN CERTIFICATE-----" in data:
        return [_readable(certificate) for certificate in x509.load_pem_x509_certificates(data)]
    return [_readable(x509.load_der_x509_certificate(data))]


def _readable(certificate: x509.Certificate) -> x509.Certificate:
    """The certificate, once all that is asked of it later can be read; certificates are parsed when they are used."""
    try:
        subject(certificate)
        certificate.issuer.public_bytes()
        certificate.public_key()
        if certificate.not_valid_before_utc > certificate.not_valid_after_utc:
            raise ValueError("the certificate is never valid")
    except (UnsupportedAlgorithm, TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error
    return certificate


def fingerprint(certificate: x509.Certificate) -> bytes:
    """SHA-256 of the certificate."""
    return certificate.fingerprint(hashes.SHA256())


def subject(certificate: x509.Certificate) -> str:
    """The certificate's subject for people."""
    return certificate.subject.rfc4514_string()


def distrust(signer: x509.Certificate, others: Sequence[x509.Certificate], trust: Trust) -> str | None:
    """Why the signer is not trusted, or None when it is.

    A path leads from the signer through ``others`` (each a CA, each valid) to a trusted certificate.
    """
    now = trust.at or datetime.datetime.now(datetime.UTC)
    trusted = trust.fingerprints
    current, seen = signer, set[bytes]()
    for _ in range(LONGEST_CHAIN):
        if not current.not_valid_before_utc <= now <= current.not_valid_after_utc:
            return f"the certificate of {subject(current)} is not valid on {now:%Y-%m-%d}"
        if fingerprint(current) in trusted:
            return None
        seen.add(fingerprint(current))
        candidates = [c for c in (*trust.certificates, *others) if fingerprint(c) not in seen]
        issuer = next((c for c in candidates if _issued(current, c)), None)
        if issuer is None:
            return f"{subject(current)} leads to no trusted certificate"
        current = issuer
    return "the certificate path is too long"


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        if not issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, InvalidSignature, UnsupportedAlgorithm):
        return False
    except (ValueError, TypeError):
        return False
    return True
