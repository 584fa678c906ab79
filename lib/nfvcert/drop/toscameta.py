"""TOSCA-Metadata/TOSCA.meta: which member of a package is what (SOL004 4.1.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from nfvcert.drop.findings import Finding, fault
from nfvcert.drop.names import name_problem

PATH = "TOSCA-Metadata/TOSCA.meta"
CLAUSE = "SOL004 4.1.2"
_OLD_NAMES = {
    "Entry-Manifest": "ETSI-Entry-Manifest",
    "Entry-Change-Log": "ETSI-Entry-Change-Log",
    "Entry-Tests": "ETSI-Entry-Tests",
    "Entry-Licenses": "ETSI-Entry-Licenses",
    "Entry-Certificate": "ETSI-Entry-Certificate",
}


@dataclass(frozen=True, slots=True)
class ToscaMeta:
    """The entry points of a package; an empty path means that the file does not name one."""

    definitions: str
    manifest: str
    change_log: str = ""
    licenses: str = ""
    tests: str = ""
    certificate: str = ""
    keys: dict[str, str] = field(default_factory=dict)


def format_meta(meta: ToscaMeta, created_by: str) -> bytes:
    """The file for these entry points; those that are empty are left out."""
    entries = [
        ("TOSCA-Meta-File-Version", "1.0"),
        ("CSAR-Version", "1.1"),
        ("Created-By", created_by),
        ("Entry-Definitions", meta.definitions),
        ("ETSI-Entry-Manifest", meta.manifest),
        ("ETSI-Entry-Change-Log", meta.change_log),
        ("ETSI-Entry-Licenses", meta.licenses),
        ("ETSI-Entry-Tests", meta.tests),
        ("ETSI-Entry-Certificate", meta.certificate),
    ]
    return "".join(f"{key}: {value}\n" for key, value in entries if value).encode()


def parse_meta(data: bytes, name_limit: int) -> tuple[ToscaMeta, list[Finding]]:
    """The entry points of the first block and what is wrong with the file."""
    findings: list[Finding] = []
    keys: dict[str, str] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        if not line.strip():
            if keys:
                break
            continue
        key, colon, value = line.partition(":")
        key = _OLD_NAMES.get(key.strip(), key.strip())
        if not colon:
            findings.append(fault("csar.meta", CLAUSE, f"{PATH}:{number}", "the line is no 'key: value'", line))
        elif key in keys:
            findings.append(fault("csar.meta", CLAUSE, f"{PATH}:{number}", "the key occurs twice", key))
        else:
            keys[key] = value.strip()
    for key, value in list(keys.items()):
        problem = name_problem(value, name_limit) if "Entry-" in key else None
        if problem is not None:
            findings.append(fault("csar.meta", CLAUSE, PATH, f"{key} must not be used: {problem}", value))
            keys[key] = ""
    for key in ("Entry-Definitions", "ETSI-Entry-Manifest"):
        if not keys.get(key):
            findings.append(fault("csar.meta", CLAUSE, PATH, f"{key} is missing"))
    version = keys.get("TOSCA-Meta-File-Version", keys.get("TOSCA-Meta-Version", ""))
    if version not in ("1.0", "1.1"):
        findings.append(fault("csar.meta", CLAUSE, PATH, "unknown TOSCA-Meta-File-Version", version or "none", "1.0"))
    meta = ToscaMeta(
        definitions=keys.get("Entry-Definitions", ""),
        manifest=keys.get("ETSI-Entry-Manifest", ""),
        change_log=keys.get("ETSI-Entry-Change-Log", ""),
        licenses=keys.get("ETSI-Entry-Licenses", ""),
        tests=keys.get("ETSI-Entry-Tests", ""),
        certificate=keys.get("ETSI-Entry-Certificate", ""),
        keys=keys,
    )
    return meta, findings
