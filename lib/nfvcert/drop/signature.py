"""CMS signatures over manifests: making them reproducibly, verifying them (SOL004 5.1, RFC 5652)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from nfvcert.drop.trust import load_certificates
from nfvcert.errors import DropError

CLAUSE = "SOL004 5.1, RFC 5652"
LARGEST = 256 * 1024
_PEM = re.compile(rb"-----BEGIN (CMS|PKCS7)-----([A-Za-z0-9+/=\s]+)-----END \1-----\s*")
_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError)
"""What parsers of ASN.1 raise on damaged input."""
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


@dataclass(frozen=True)
class Signing:
    """A key and its certificate with which manifests are signed."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @classmethod
    def of(cls, key: Path, certificate: Path) -> Signing:
        """Key and certificate from PEM files; RSA only, because its PKCS #1 v1.5 signature is reproducible.

        Raises:
            DropError: a file cannot be read or does not hold what it should.
        """
        try:
            private = serialization.load_pem_private_key(key.read_bytes(), password=None)
            certificates = load_certificates(certificate.read_bytes())
        except (OSError, ValueError, TypeError) as error:
            raise DropError(
                "key or certificate cannot be read", where=f"{key}, {certificate}", found=str(error)
            ) from error
        if not isinstance(private, rsa.RSAPrivateKey):
            raise DropError("packages are signed with RSA keys", where=str(key), found=type(private).__name__)
        return cls(private, certificates[0])


@dataclass(frozen=True)
class Signature:
    """An intact signature: its content is what was signed. Whether the signer is trusted is another question."""

    signer: x509.Certificate
    others: tuple[x509.Certificate, ...]


class SignatureProblem(Exception):
    """A signature that does not show what it should; ``rule`` says in which way."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        self.message = message
        super().__init__(message)


def sign(content: bytes, signing: Signing) -> bytes:
    """A detached CMS signature in PEM: no signed attributes and so no time, the same bytes for the same content."""
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    builder = builder.add_signer(signing.certificate, signing.key, hashes.SHA256())
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes]
    der = builder.sign(serialization.Encoding.DER, options)
    body = base64.encodebytes(der)
    return b"-----BEGIN CMS-----\n" + body + b"-----END CMS-----\n"


def verify(content: bytes, pem: bytes, known: Iterable[x509.Certificate] = ()) -> Signature:
    """The signature in ``pem`` over ``content``; ``known`` are certificates that it may refer to without carrying them.

    Raises:
        SignatureProblem: malformed, by an unknown certificate, or not over this content.
    """
    match = _PEM.fullmatch(pem) if len(pem) <= LARGEST else None
    if match is None:
        raise SignatureProblem("signature.malformed", "the signature is no PEM block of CMS at the end of the file")
    signed, signer_info, carried = _parse(match.group(2))
    certificates = [*carried, *known]
    signer = _find_signer(signer_info, certificates)
    if signer is None:
        raise SignatureProblem("signature.no_certificate", "no certificate fits the signature")
    # openssl without -binary signs text with CRLF line ends.
    as_mail = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    try:
        encapsulated = signed["encap_content_info"]["content"].native
        if encapsulated is not None and encapsulated not in (content, as_mail):
            raise SignatureProblem("signature.wrong", "the signature is over another content")
        if any(_fits(candidate, signer_info, signer) for candidate in (content, as_mail)):
            return Signature(signer, tuple(c for c in certificates if c != signer))
    except _DAMAGE as error:
        raise SignatureProblem("signature.malformed", f"the CMS block cannot be read: {error}") from None
    raise SignatureProblem("signature.wrong", "the signature does not fit the manifest")


def _parse(body: bytes) -> tuple[cms.SignedData, cms.SignerInfo, list[x509.Certificate]]:
    try:
        info = cms.ContentInfo.load(base64.b64decode(body, validate=False), strict=True)
        if info["content_type"].native != "signed_data":
            raise SignatureProblem("signature.malformed", "the CMS block holds no signed data")
        signed = info["content"]
        signers = list(signed["signer_infos"])
        carried = [c for choice in signed["certificates"] or [] for c in load_certificates(choice.chosen.dump())]
        if len(signers) != 1:
            raise SignatureProblem("signature.malformed", f"the CMS block has {len(signers)} signers, expected one")
        # Values are parsed when first used; touch those needed below so that damage shows here.
        signers[0].native  # noqa: B018
        signed["encap_content_info"].native  # noqa: B018
    except _DAMAGE as error:
        raise SignatureProblem("signature.malformed", f"the CMS block cannot be read: {error}") from None
    return signed, signers[0], carried


def _find_signer(info: cms.SignerInfo, certificates: list[x509.Certificate]) -> x509.Certificate | None:
    sid = info["sid"]
    for certificate in certificates:
        if sid.name == "issuer_and_serial_number":
            same_issuer = certificate.issuer.public_bytes() == sid.chosen["issuer"].dump()
            if same_issuer and certificate.serial_number == sid.chosen["serial_number"].native:
                return certificate
        else:
            try:
                extension = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
            except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
                continue
            if extension.value.digest == sid.chosen.native:
                return certificate
    return None


def _fits(content: bytes, info: cms.SignerInfo, signer: x509.Certificate) -> bool:
    name = info["digest_algorithm"]["algorithm"].native
    if name not in _HASHES:
        raise SignatureProblem("signature.algorithm", f"the digest algorithm {name} is not accepted")
    attributes = info["signed_attrs"]
    message = content
    if attributes and len(attributes):
        values = {a["type"].native: [v.native for v in a["values"]] for a in attributes}
        digest = hashlib.new(name, content).digest()
        claimed = values.get("message_digest", [])
        if len(claimed) != 1 or not hmac.compare_digest(claimed[0], digest):
            return False
        if values.get("content_type") != ["data"]:
            return False
        message = attributes.untag().dump(force=True)
    try:
        _verify_raw(signer, info, message, _HASHES[name]())
    except (InvalidSignature, ValueError):
        return False
    except (UnsupportedAlgorithm, TypeError) as error:
        raise SignatureProblem("signature.algorithm", f"the signature algorithm is not accepted: {error}") from None
    return True


def _verify_raw(
    signer: x509.Certificate, info: cms.SignerInfo, message: bytes, algorithm: hashes.HashAlgorithm
) -> None:
    key, signature = signer.public_key(), info["signature"].native
    scheme = info["signature_algorithm"].signature_algo
    if isinstance(key, rsa.RSAPublicKey) and scheme == "rsassa_pkcs1v15":
        key.verify(signature, message, padding.PKCS1v15(), algorithm)
    elif isinstance(key, rsa.RSAPublicKey) and scheme == "rsassa_pss":
        key.verify(signature, message, padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO), algorithm)
    elif isinstance(key, ec.EllipticCurvePublicKey) and scheme == "ecdsa":
        key.verify(signature, message, ec.ECDSA(algorithm))
    elif isinstance(key, ed25519.Ed25519PublicKey) and scheme == "ed25519":
        key.verify(signature, message)
    else:
        raise TypeError(f"{scheme} with {type(key).__name__}")
