"""The certificate: one HTML document for screen and print, and the PDF made from it."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from nfvcert.errors import InternalError, TestbedError, UsageError
from nfvcert.report import wording
from nfvcert.report.plots import migration_svg
from nfvcert.report.results_model import PurposeResult, RequirementResult, Results, Series
from nfvcert.report.runfolder import sha256_of
from nfvcert.report.scaling_section import ScalingSection
from nfvcert.report.seal import seal_svg

GROUPS = {"REQ.VNF": "VNF", "REQ.MANO": "MANO", "REQ.NFVLM": "NFVI", "REQ.GEN": "General"}
LEGEND = (
    ("PASS", "pass"),
    ("FAIL", "fail"),
    ("INCONC", "inconclusive"),
    ("ERROR", "tester error"),
    ("N/A", "not applicable"),
    ("not tested", "not tested"),
)
ALARMING = ("FAIL", "ERROR", "INCONC")
ON_DATAPLANE = "REL002.MA."
"""Requirements that are judged on the dataplane of the testbed, not on the software of the drop."""


@dataclass(frozen=True, slots=True)
class Plot:
    """One drawn series; ``path`` is where its data are in the run folder."""

    title: str
    scenario: str
    path: str
    svg: str


@dataclass(frozen=True, slots=True)
class Signer:
    """The key with which the attestation of the run is signed, as the certificate names it."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Purposes that were not tested for one reason."""

    reason: str
    purposes: list[PurposeResult] = field(default_factory=list)


def draw_series(run: Path, series: Sequence[Series]) -> list[Plot]:
    """Draw every modification of a run; one whose data are missing or broken is left out with a warning in the log."""
    plots = []
    for entry in series:
        if entry.kind != "modification":
            continue
        try:
            data = json.loads((run / entry.path).read_text(encoding="utf-8"))
            title = entry.title or entry.scenario
            plots.append(Plot(title, entry.scenario, entry.path, migration_svg(data, title=title)))
        except (OSError, ValueError, TypeError, UsageError) as failure:
            logging.getLogger(__name__).warning("%s cannot be drawn: %s", entry.path, failure)
    return plots


def render_html(
    results: Results,
    plots: Sequence[Plot],
    *,
    digest: str,
    signer: Signer | None = None,
    scaling: ScalingSection | None = None,
) -> str:
    """The certificate as one self-contained HTML document.

    Args:
        scaling: what the section on dynamic scaling shows; None leaves it out.
        digest: SHA-256 of results.json; it is printed and gives the seal its shape.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates()),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        number=wording.number,
        interval=wording.interval,
        limit=wording.limit,
        words=wording.words,
        evidence=wording.evidence,
        day=wording.day,
        clock=wording.clock,
        glyph=lambda verdict: wording.GLYPHS[verdict],
        css=lambda verdict: wording.CLASSES[verdict],
        plural=wording.plural,
        clause_number=wording.clause_number,
        bound=wording.bound,
        css_string=wording.css_string,
    )
    template = environment.get_template("certificate.html.j2")
    return template.render(context(results, plots, digest=digest, signer=signer, scaling=scaling))


def render_pdf(html: str, target: Path, *, attach: Path | None = None) -> None:
    """Print the HTML to a PDF, whole or not at all; ``attach`` (results.json) travels inside it.

    Raises:
        TestbedError: the libraries that draw the PDF are not installed.
    """
    try:
        import weasyprint  # heavy: only the PDF needs it
    except OSError as failure:
        hint = "install libpango-1.0-0 and libpangoft2-1.0-0, or make the HTML only"
        raise TestbedError("a PDF cannot be drawn on this machine", found=str(failure), hint=hint) from failure
    for name in ("weasyprint", "fontTools"):
        logging.getLogger(name).setLevel(logging.ERROR)
    attachments = [weasyprint.Attachment(filename=str(attach), name=attach.name)] if attach else []
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    weasyprint.HTML(string=html).write_pdf(partial, attachments=attachments)
    partial.replace(target)


def context(
    results: Results,
    plots: Sequence[Plot],
    *,
    digest: str,
    signer: Signer | None = None,
    scaling: ScalingSection | None = None,
) -> Mapping[str, Any]:
    """Everything the template asks for."""
    counted = [requirement for requirement in results.requirements if requirement.id.startswith("REQ.")]
    judged = [requirement for requirement in results.requirements if requirement.judged]
    on_dataplane = [requirement.id for requirement in judged if requirement.id.startswith(ON_DATAPLANE)]
    of_judged = Counter(purpose.verdict for requirement in judged for purpose in requirement.purposes)
    colour = wording.PRINT_COLOURS[results.verdict]
    return {
        "r": results,
        "passed": results.verdict == "PASS",
        "groups": _groups(counted),
        "judged": judged,
        "all_purposes": of_judged.total(),
        "untested_purposes": of_judged["not tested"],
        "excluded_purposes": of_judged["N/A"],
        "alarming": [(r, p) for r in judged for p in r.purposes if p.verdict in ALARMING],
        "details": {requirement.id for requirement in judged},
        "gaps": gaps(results.requirements),
        "excluded": excluded(results.requirements),
        "documents": sorted({r.document for r in [*counted, *judged] if r.document}),
        "on_dataplane": on_dataplane,
        "drop_tested": not on_dataplane or len(on_dataplane) < len(judged),
        "scaling": scaling,
        "pictures": [(picture, Markup(picture.svg)) for picture in scaling.pictures] if scaling else [],
        "plots": [(plot, Markup(plot.svg)) for plot in plots],
        "legend": LEGEND,
        "seal": Markup(seal_svg(digest, results.verdict, colour)),
        "css": Markup((templates() / "certificate.css").read_text(encoding="utf-8")),
        "digest": digest,
        "signer": signer,
        "duration": wording.duration(results.started, results.finished),
        "files": {scenario.id: scenario.history for scenario in results.scenarios},
    }


def gaps(requirements: Sequence[RequirementResult]) -> list[Gap]:
    """What was not tested, by reason, in the order of the first purpose of each."""
    by_reason: dict[str, list[PurposeResult]] = defaultdict(list)
    for requirement in requirements:
        for purpose in requirement.purposes:
            if purpose.verdict == "not tested":
                by_reason[purpose.reason or "no reason was given"].append(purpose)
    return [Gap(reason, purposes) for reason, purposes in by_reason.items()]


def excluded(requirements: Sequence[RequirementResult]) -> list[Gap]:
    """The purposes of requirements that do not apply as a whole, by reason."""
    by_reason: dict[str, list[PurposeResult]] = defaultdict(list)
    for requirement in requirements:
        for purpose in requirement.purposes:
            if requirement.verdict == purpose.verdict == "N/A":
                by_reason[purpose.reason].append(purpose)
    return [Gap(reason, purposes) for reason, purposes in by_reason.items()]


def templates() -> Path:
    """The folder of the report templates.

    Raises:
        InternalError: the templates are not where the repository has them.
    """
    for parent in Path(__file__).resolve().parents:
        folder = parent / "reports" / "templates"
        if (folder / "certificate.html.j2").is_file():
            return folder
    raise InternalError("the report templates are missing", where="reports/templates", hint="run from a full checkout")


def results_digest(run: Path) -> str:
    """SHA-256 of the run's results.json."""
    return sha256_of(run / "results.json")


def _groups(counted: Sequence[RequirementResult]) -> list[tuple[str, list[tuple[str, RequirementResult]]]]:
    groups = []
    for prefix, name in GROUPS.items():
        members = [(str(int(r.id.rsplit(".", 1)[1])), r) for r in counted if r.id.startswith(prefix + ".")]
        if members:
            groups.append((name, members))
    return groups
