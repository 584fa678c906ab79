"""The key that signs attestations: a reference given by the operator, or one of this machine.

A reference is ``env:NAME`` (the variable holds a PEM text) or ``file:PATH``, never a key itself. Without one, a key is
made at first use and kept in ``$XDG_CONFIG_HOME/nfvcert`` (``~/.config/nfvcert``), readable by its owner only. Its
signatures show that a run was not changed since; they do not show who ran it, and every name of it says so.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner, SSlibKey

from nfvcert.errors import UsageError

SELF_SIGNED = "self-signed key of this machine"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that can sign; ``name`` says whose it is and how far to trust it."""

    signer: CryptoSigner
    name: str
    public_pem: str

    @property
    def id(self) -> str:
        """Key id: SHA-256 over the canonical form of the public key (securesystemslib)."""
        return self.signer.public_key.keyid


def signing_key(reference: str | None = None) -> SigningKey:
    """The key of a reference, or this machine's own key (made now if there is none).

    Raises:
        UsageError: the reference is of no known kind, what it names is missing or unreadable, or no ed25519 key.
    """
    if reference is None:
        return _from_pem(_machine_key(), SELF_SIGNED, where=str(_machine_path()))
    kind, _, name = reference.partition(":")
    if kind == "env":
        text = os.environ.get(name)
        if text is None:
            raise UsageError("the variable with the signing key is not set", where=reference)
        return _from_pem(text.encode(), f"key of {reference}", where=reference)
    if kind == "file":
        return _from_pem(_read(Path(name).expanduser(), reference), f"key of {reference}", where=reference)
    hint = "write env:NAME or file:PATH"
    raise UsageError("not a reference to a signing key", found=f"'{kind}:…'" if name else "no colon", hint=hint)


def machine_public_key() -> SSlibKey | None:
    """Public part of this machine's own key; None if it has none yet."""
    path = _machine_path()
    return _from_pem(path.read_bytes(), SELF_SIGNED, where=str(path)).signer.public_key if path.exists() else None


def public_key(pem: str, *, where: str = "") -> SSlibKey:
    """An ed25519 public key in PEM.

    Raises:
        UsageError: it is none.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as failure:
        raise UsageError("not a public key in PEM", where=where, found=str(failure)) from failure
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError("the public key is not of type ed25519", where=where, found=type(key).__name__)
    return SSlibKey.from_crypto(key)


def _from_pem(pem: bytes, name: str, *, where: str) -> SigningKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as failure:
        raise UsageError("the signing key cannot be read", where=where, hint="an unencrypted PEM file") from failure
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError("the signing key is not of type ed25519", where=where, found=type(key).__name__)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return SigningKey(CryptoSigner(key), name, public)


def _machine_path() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "nfvcert" / "signing-key.pem"


def _machine_key() -> bytes:
    path = _machine_path()
    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _read(path, str(path))
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        return pem
    return _read(path, str(path))


def _read(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as failure:
        raise UsageError("the signing key cannot be read", where=where, found=failure.strerror or "") from failure
