"""Verifying a stored run: is it signed, unchanged and complete."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Key, SSlibKey

from nfvcert.errors import NfvcertError
from nfvcert.report.attestation import ENVELOPE, PAYLOAD_TYPE, PUBLIC_KEY, STATEMENT_TYPE
from nfvcert.report.keys import machine_public_key, public_key
from nfvcert.report.results_model import Results
from nfvcert.report.runfolder import read_results, sha256_of
from nfvcert.report.summary import requirement_verdict, summarise


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found; an ``error`` means that the run must not be relied on."""

    level: Literal["ok", "warning", "error"]
    what: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: {self.what}" if self.where else f"{self.level}: {self.what}"


def verify(path: Path, *, trusted: Sequence[str] = ()) -> list[Finding]:
    """Check signature, digests and completeness of a run.

    Args:
        path: a run folder, or a certificate or any other file in one.
        trusted: public keys in PEM; if there are any, the signature must be of one of them. Otherwise the key that lies
            beside the attestation is used, which shows integrity but not who signed.

    Returns:
        what was found, errors first; the run is sound if there is no ``error``.
    """
    run = path if path.is_dir() else path.parent
    findings: list[Finding] = []
    statement = _statement(run, trusted, findings)
    try:
        results = read_results(run)
    except NfvcertError as failure:
        findings.append(Finding("error", failure.what, failure.where))
        results = None
    if statement is not None:
        findings += _digests(run, statement, None if path.is_dir() else path.name)
    if results is not None:
        findings += _complete(run, results)
        if statement is not None:
            findings += _agreement(results, statement)
    return sorted(findings, key=lambda finding: ("error", "warning", "ok").index(finding.level))


def sound(findings: Sequence[Finding]) -> bool:
    """Whether a run can be relied on."""
    return all(finding.level != "error" for finding in findings)


def _statement(run: Path, trusted: Sequence[str], findings: list[Finding]) -> dict[str, Any] | None:
    """The signed statement; None, with a finding, if it is missing or its signature does not hold."""
    try:
        envelope = Envelope.from_dict(json.loads((run / ENVELOPE).read_text(encoding="utf-8")))
        keys: list[Key] = [public_key(pem) for pem in trusted] or [_key_beside(run)]
        keyid = next(iter(envelope.verify(keys, 1)))
        statement = json.loads(envelope.payload)
    except OSError:
        findings.append(Finding("error", "the run is not signed", ENVELOPE))
        return None
    except (VerificationError, UnverifiedSignatureError):
        what = "the signature is not of a trusted key" if trusted else "the signature does not hold"
        findings.append(Finding("error", what, ENVELOPE))
        return None
    except (ValueError, KeyError, TypeError, AttributeError, NfvcertError) as failure:
        findings.append(Finding("error", f"the attestation cannot be read: {failure}", ENVELOPE))
        return None
    if envelope.payload_type != PAYLOAD_TYPE or not isinstance(statement, dict) or _bad_shape(statement):
        findings.append(Finding("error", "the attestation is no in-toto statement of a test result", ENVELOPE))
        return None
    findings.append(_whose(keyid, bool(trusted)))
    return statement


def _key_beside(run: Path) -> SSlibKey:
    try:
        text = (run / PUBLIC_KEY).read_text(encoding="utf-8")
    except OSError as failure:
        raise ValueError(f"the public key {PUBLIC_KEY} is missing") from failure
    return public_key(text, where=PUBLIC_KEY)


def _whose(keyid: str, trusted: bool) -> Finding:
    short = f"key {keyid[:16]}"
    if trusted:
        return Finding("ok", f"signed by the trusted {short}", ENVELOPE)
    own = machine_public_key()
    if own is not None and own.keyid == keyid:
        return Finding(
            "warning", f"self-signed by this machine ({short}): unchanged, but signed by nobody else", ENVELOPE
        )
    return Finding("warning", f"signed by {short}, which nobody vouches for: unchanged, origin not shown", ENVELOPE)


def _bad_shape(statement: dict[str, Any]) -> bool:
    predicate = statement.get("predicate")
    entries = predicate.get("configuration") if isinstance(predicate, dict) else None
    return statement.get("_type") != STATEMENT_TYPE or not isinstance(entries, list)


def _digests(run: Path, statement: dict[str, Any], asked: str | None) -> Iterator[Finding]:
    pinned = {
        str(e.get("name")): str(e.get("digest", {}).get("sha256")) for e in statement["predicate"]["configuration"]
    }
    checked = 0
    for name, digest in pinned.items():
        file = run / name
        if not _inside(run, file):
            yield Finding("error", "the attestation names a file outside the run folder", name)
        elif file.is_file():
            checked += 1
            if sha256_of(file) != digest:
                yield Finding("error", "the file was changed after it was signed", name)
        elif name in ("results.json",) or name.startswith(("history/", "certificate.", "plots/")):
            yield Finding("error", "a signed file is missing", name)
    if asked is not None and asked not in (*pinned, ENVELOPE, PUBLIC_KEY):
        yield Finding("error", "the attestation does not cover this file", asked)
    if "results.json" not in pinned:
        yield Finding("error", "the attestation does not cover the results", "results.json")
    yield Finding("ok", f"{checked} signed files compared")


def _complete(run: Path, results: Results) -> Iterator[Finding]:
    named = [(scenario.history, scenario.sha256) for scenario in results.scenarios]
    named += [(table.path, table.sha256) for scenario in results.scenarios for table in scenario.tables]
    named += [(series.path, series.sha256) for series in results.series]
    for name, digest in named:
        file = run / name
        if not _inside(run, file):
            yield Finding("error", "the results name a file outside the run folder", name)
        elif not file.is_file():
            yield Finding("error", "a file that the results name is missing", name)
        elif sha256_of(file) != digest:
            yield Finding("error", "the file is not the one that the results name", name)
    verdicts = {purpose.id: purpose.verdict for purpose in results.purposes}
    for id in results.planned:
        if verdicts.get(id, "not tested") == "not tested":
            yield Finding("error", "it was planned, but has no verdict", id)
    scenarios = {scenario.id for scenario in results.scenarios}
    for purpose in results.purposes:
        unknown = {entry.scenario for entry in purpose.evidence} - scenarios
        if unknown:
            yield Finding(
                "error", f"its evidence names scenarios that were not run: {', '.join(sorted(unknown))}", purpose.id
            )
    yield from _consistent(results)
    yield Finding(
        "ok", f"{len(named)} files named by the results compared, {len(results.planned)} planned purposes judged"
    )


def _consistent(results: Results) -> Iterator[Finding]:
    for requirement in results.requirements:
        expected = requirement_verdict(purpose.verdict for purpose in requirement.purposes)
        if requirement.verdict != expected:
            yield Finding("error", f"it says {requirement.verdict}, its purposes say {expected}", requirement.id)
    summary = summarise(results.requirements)
    if (results.verdict, results.headline) != (summary.verdict, summary.headline):
        yield Finding("error", f"the headline should be: {summary.headline}", "results.json")


def _agreement(results: Results, statement: dict[str, Any]) -> Iterator[Finding]:
    expected = "PASSED" if results.verdict == "PASS" else "FAILED"
    if statement["predicate"].get("result") != expected:
        yield Finding("error", f"the attestation does not say {expected}", ENVELOPE)
    subjects = {str(s.get("digest", {}).get("sha256")) for s in statement.get("subject", []) if isinstance(s, dict)}
    if {results.drop.candidate.sha256, results.drop.in_service.sha256} - subjects:
        yield Finding("error", "the attestation is about other packages than the results", ENVELOPE)


def _inside(run: Path, file: Path) -> bool:
    return file.resolve().is_relative_to(run.resolve())
