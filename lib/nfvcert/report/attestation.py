"""The attestation of a run: an in-toto statement with a test-result predicate in a signed DSSE envelope.

The subjects are the packages that were tested. The predicate knows PASSED, WARNED and FAILED only; everything but a
PASS is filed as FAILED, and the full verdict is in results.json, whose digest the statement holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from securesystemslib.dsse import Envelope

from nfvcert.report.keys import SigningKey
from nfvcert.report.results_model import Results
from nfvcert.report.runfolder import sha256_of, write_text

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
ENVELOPE = "attestation.json"
PUBLIC_KEY = "attestation.pub.pem"
#: Files beside the results that the attestation covers if they are there.
PRESENTED = ("certificate.html", "certificate.pdf")


def statement(results: Results, files: Mapping[str, str]) -> dict[str, Any]:
    """The in-toto statement.

    Args:
        files: SHA-256 by path in the run folder of everything that the statement shall pin.
    """
    packages = (results.drop.candidate, results.drop.in_service)
    passed = [purpose.id for purpose in results.purposes if purpose.verdict == "PASS"]
    failed = [f"{p.id}: {p.verdict}" for p in results.purposes if p.verdict in ("FAIL", "ERROR", "INCONC")]
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": package.csar, "digest": {"sha256": package.sha256}} for package in packages],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": "PASSED" if results.verdict == "PASS" else "FAILED",
            "configuration": [
                *({"name": name, "digest": {"sha256": digest}} for name, digest in sorted(files.items())),
                {"name": results.testbed.file, "digest": {"sha256": results.testbed.sha256}},
            ],
            "passedTests": passed,
            "failedTests": failed,
            "annotations": {
                "run": results.run,
                "verdict": results.verdict,
                "headline": results.headline,
                "tool": f"nfvcert {results.tool.version} {results.tool.commit}".strip(),
                "profile": results.profile,
            },
        },
    }


def pinned_files(run: Path, results: Results) -> dict[str, str]:
    """Path and digest of results, histories, their tables, series and certificates of a run, as they are on disk."""
    names = ["results.json", *(scenario.history for scenario in results.scenarios)]
    names += [table.path for scenario in results.scenarios for table in scenario.tables]
    names += [series.path for series in results.series]
    names += [name for name in PRESENTED if (run / name).exists()]
    return {name: sha256_of(run / name) for name in names if (run / name).is_file()}


def sign(content: Mapping[str, Any], key: SigningKey) -> dict[str, Any]:
    """The DSSE envelope of a statement."""
    payload = json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    envelope = Envelope(payload=payload, payload_type=PAYLOAD_TYPE, signatures={})
    envelope.sign(key.signer)
    return envelope.to_dict()


def write_attestation(run: Path, results: Results, key: SigningKey) -> Path:
    """Sign the run as it is on disk: ``attestation.json`` and, beside it, the public key; the path of the former."""
    envelope = sign(statement(results, pinned_files(run, results)), key)
    write_text(run / PUBLIC_KEY, key.public_pem)
    return write_text(run / ENVELOPE, json.dumps(envelope, indent=1) + "\n")


def former_signature(run: Path) -> tuple[str, str]:
    """Key id, and digest of results.json, of the attestation that a run has; empty where it has none or cannot be read.

    Nothing is verified here.
    """
    try:
        envelope = Envelope.from_dict(json.loads((run / ENVELOPE).read_text(encoding="utf-8")))
        entries = json.loads(envelope.payload)["predicate"]["configuration"]
        digest = next((e["digest"]["sha256"] for e in entries if e["name"] == "results.json"), "")
        return next(iter(envelope.signatures), ""), digest
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "", ""
