"""The manifest of a package: what it is, the digest of each of its files, and a signature (SOL004 4.3, 5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from nfvcert.drop.findings import Finding, fault

CLAUSE = "SOL004 4.3.2"
SIGNATURE_BEGIN = b"-----BEGIN CMS-----"
SIGNATURE_END = b"-----END CMS-----"
ALGORITHMS = {"SHA-256": "sha256", "SHA-512": "sha512"}
HEX_LENGTHS = {"SHA-256": 64, "SHA-512": 128}
REQUIRED = ("vnf_product_name", "vnf_provider_id", "vnf_package_version", "vnf_release_date_time")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,255}")
_BEGIN_LINE = re.compile(rb"^-----BEGIN (?:CMS|PKCS7)-----", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that the manifest lists; ``line`` is where its entry begins."""

    source: str
    algorithm: str
    hash: str
    line: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest.

    ``signed`` is what the signature covers: all bytes before it. ``artifact_sets`` maps the id of a non-MANO artifact
    set to its files.
    """

    metadata: Mapping[str, str]
    files: Mapping[str, Listed]
    artifact_sets: Mapping[str, tuple[str, ...]]
    signed: bytes
    signature: bytes | None
    findings: tuple[Finding, ...] = field(default=(), compare=False)


def format_manifest(
    metadata: Mapping[str, str], hashes: Mapping[str, str], artifact_sets: Mapping[str, tuple[str, ...]] | None = None
) -> bytes:
    """The part of a manifest that is signed; ``hashes`` maps file names to SHA-256 digests in hex."""
    lines = ["metadata:"]
    lines += [f"  {key}: {value}" for key, value in metadata.items()]
    for name in sorted(hashes):
        lines += ["", f"Source: {name}", "Algorithm: SHA-256", f"Hash: {hashes[name]}"]
    if artifact_sets:
        lines += ["", "non_mano_artifact_sets:"]
        for set_id in sorted(artifact_sets):
            lines.append(f"  {set_id}:")
            lines += [f"    Source: {source}" for source in artifact_sets[set_id]]
    return ("\n".join(lines) + "\n\n").encode()


def parse_manifest(data: bytes, where: str) -> Manifest:
    """The manifest and, in ``findings``, what is wrong with its form; nothing is compared with the archive here."""
    begin = _BEGIN_LINE.search(data)
    signed = data if begin is None else data[: begin.start()]
    signature = None if begin is None else data[begin.start() :]
    reader = _Reader(where)
    for number, line in enumerate(signed.decode("utf-8", "replace").splitlines(), 1):
        reader.take(number, line)
    reader.finish()
    return Manifest(
        reader.metadata,
        reader.files,
        {key: tuple(sources) for key, sources in reader.sets.items()},
        signed,
        signature,
        tuple(reader.findings),
    )


class _Reader:
    """Reads a manifest line by line."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.findings: list[Finding] = []
        self.metadata: dict[str, str] = {}
        self.files: dict[str, Listed] = {}
        self.sets: dict[str, list[str]] = {}
        self._section = ""
        self._set = ""
        self._entry: dict[str, str] = {}
        self._entry_line = 0

    def take(self, number: int, line: str) -> None:
        if not line.strip() or line.lstrip().startswith("#"):
            return
        name, colon, value = line.partition(":")
        key, value = name.strip(), value.strip()
        if not colon or not _KEY.fullmatch(key):
            self._fault(number, "the line is no 'key: value'", line)
            return
        if not line[0].isspace():
            self._top(number, key, value)
        elif self._section == "metadata":
            if key in self.metadata:
                self._fault(number, "the metadata key occurs twice", key)
            self.metadata[key] = value
        elif self._section == "non_mano_artifact_sets":
            if key == "Source" and self._set:
                self.sets[self._set].append(value)
            else:
                self._set = key
                self.sets.setdefault(key, [])
        elif self._section != "entry":
            self._fault(number, "the indented line belongs to nothing", line)

    def finish(self) -> None:
        self._close()
        if not self.files:
            self.findings.append(fault("manifest.form", CLAUSE, self.where, "the manifest lists no file"))
        for key in REQUIRED:
            if not self.metadata.get(key):
                self.findings.append(fault("manifest.metadata", CLAUSE, self.where, f"metadata {key} is missing"))

    def _top(self, number: int, key: str, value: str) -> None:
        if key in ("Source", "Name"):
            self._close()
            self._section, self._entry, self._entry_line = "entry", {"Source": value}, number
        elif key in ("Algorithm", "Hash") and self._section == "entry":
            if key in self._entry:
                self._fault(number, f"the entry has two lines {key}", self._entry["Source"])
            self._entry[key] = value
        elif key in ("metadata", "non_mano_artifact_sets") and not value:
            self._close()
            self._section, self._set = key, ""
        elif self._section == "entry" and key not in ("Algorithm", "Hash"):
            pass  # further attributes of an entry, such as Signature or Certificate, are not used here
        else:
            self._fault(number, "unexpected line", f"{key}: {value}")

    def _close(self) -> None:
        if self._section != "entry" or not self._entry:
            return
        entry, line = self._entry, self._entry_line
        self._entry = {}
        source, algorithm = entry["Source"], entry.get("Algorithm", "")
        algorithm = {"SHA256": "SHA-256", "SHA512": "SHA-512"}.get(algorithm.upper(), algorithm.upper())
        digest = entry.get("Hash", "").lower()
        if source in self.files:
            self._fault(line, "the file is listed twice", source)
        elif algorithm not in ALGORITHMS:
            self._fault(line, f"{source}: unknown or missing Algorithm", algorithm or "none", ", ".join(ALGORITHMS))
        elif len(digest) != HEX_LENGTHS[algorithm] or not set(digest) <= set("0123456789abcdef"):
            self._fault(line, f"{source}: the Hash is no {algorithm} digest in hex", digest or "none")
        else:
            self.files[source] = Listed(source, algorithm, digest, line)
            return
        # A broken entry still counts as listed, so that one fault is not told twice.
        self.files.setdefault(source, Listed(source, "", "", line))

    def _fault(self, number: int, message: str, found: str = "", expected: str = "") -> None:
        self.findings.append(fault("manifest.form", CLAUSE, f"{self.where}:{number}", message, found, expected))
