"""Making the reports of a stored run, all of them or some."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from nfvcert.errors import UsageError
from nfvcert.report.runfolder import read_results, sha256_of, write_text

if TYPE_CHECKING:
    from nfvcert.report.keys import SigningKey

Format = Literal["html", "pdf", "junit", "allure", "attestation"]
FORMATS: tuple[str, ...] = get_args(Format)


def generate(run: Path, formats: Collection[str] = FORMATS, *, key: str | None = None) -> dict[str, Path]:
    """Write reports into a run folder from its results.json; the paths by format.

    The attestation comes last and covers the certificates that are there. If the run is signed already, a certificate
    that is made anew is signed again with the same key, so that the run stays verifiable.

    Args:
        key: reference to the signing key (``env:NAME`` or ``file:PATH``); None: this machine's own key.

    Raises:
        UsageError: there are no results, they do not fit the schema, a format is unknown, the key cannot be used, or
            the run is signed and either was changed since or was signed with another key.
    """
    if unknown := sorted(set(formats) - set(FORMATS)):
        raise UsageError("no such report format", found=", ".join(unknown), hint=f"one of {', '.join(FORMATS)}")
    results = read_results(run)
    digest = sha256_of(run / "results.json")
    signing = _signing_key(run, formats, key, digest)
    made: dict[str, Path] = {}
    if {"html", "pdf"} & set(formats):
        from nfvcert.report.certificate import Signer, draw_series, render_html, render_pdf
        from nfvcert.report.scaling_section import scaling_section

        plots = draw_series(run, results.series)
        for plot in plots:
            write_text((run / plot.path).with_suffix(".svg"), plot.svg)
        scaling = scaling_section(run, results.series)
        for picture in scaling.pictures if scaling else []:
            write_text(run / picture.path, picture.svg)
        signer = Signer(signing.id, signing.name) if signing else None
        html = render_html(results, plots, digest=digest, signer=signer, scaling=scaling)
        if "html" in formats:
            made["html"] = write_text(run / "certificate.html", html)
        if "pdf" in formats:
            made["pdf"] = run / "certificate.pdf"
            render_pdf(html, made["pdf"], attach=run / "results.json")
    if "junit" in formats:
        from nfvcert.report.junit import junit_xml

        made["junit"] = write_text(run / "junit.xml", junit_xml(results, digest=digest))
    if "allure" in formats:
        from nfvcert.report.allure import write_allure

        made["allure"] = run / "allure-results"
        write_allure(results, made["allure"])
    if signing is not None:
        from nfvcert.report.attestation import write_attestation

        made["attestation"] = write_attestation(run, results, signing)
    return made


def _signing_key(run: Path, formats: Collection[str], reference: str | None, digest: str) -> SigningKey | None:
    """The key if anything is to be signed: asked for, or because a signed run gets a new certificate."""
    asked = "attestation" in formats
    if not asked and not ({"html", "pdf"} & set(formats) and (run / "attestation.json").exists()):
        return None
    from nfvcert.report.attestation import former_signature
    from nfvcert.report.keys import signing_key

    key = signing_key(reference)
    if not asked:
        keyid, signed_digest = former_signature(run)
        if signed_digest != digest:
            hint = "find out why; sign anew with the format attestation"
            raise UsageError("the results were changed after the run was signed", where=str(run), hint=hint)
        if keyid != key.id:
            hint = "name that key, or sign anew with the format attestation"
            raise UsageError("the run is signed with another key", where=str(run), found=keyid[:16], hint=hint)
    return key
