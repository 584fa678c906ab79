"""JUnit XML of a run: one suite per requirement, one case per test purpose.

FAIL is a failure, INCONC and ERROR are errors (a pipeline must not take them for passed), N/A and not tested are
skipped with their reason. Where the verdicts come from is in the properties of the root element.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from nfvcert.report import wording
from nfvcert.report.results_model import PurposeResult, Results

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def junit_xml(results: Results, *, digest: str = "") -> str:
    """The text of junit.xml; ``digest`` (of results.json) becomes a property."""
    head = {"name": f"nfvcert {results.run}", "timestamp": results.started}
    root = ET.Element("testsuites", head | _counts(results.purposes))
    properties = ET.SubElement(root, "properties")
    for name, value in _provenance(results, digest).items():
        ET.SubElement(properties, "property", name=name, value=_clean(value))
    for requirement in results.requirements:
        suite = ET.SubElement(root, "testsuite", {"name": requirement.id} | _counts(requirement.purposes))
        for purpose in requirement.purposes:
            _case(suite, requirement.id, purpose)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, requirement: str, purpose: PurposeResult) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=requirement, name=f"{purpose.id} {_clean(purpose.title)}", time="0"
    )
    properties = {"verdict": purpose.verdict, "test": purpose.test or "", "scenarios": " ".join(purpose.scenarios)}
    for entry in purpose.evidence:
        properties[f"evidence.{entry.scenario}"] = " ".join(str(seq) for seq in entry.seq)
    holder = ET.SubElement(case, "properties")
    for name, value in properties.items():
        if value:
            ET.SubElement(holder, "property", name=name, value=_clean(value))
    reason = _clean(purpose.reason)
    if purpose.verdict == "FAIL":
        ET.SubElement(case, "failure", message=reason, type="FAIL").text = _details(purpose)
    elif purpose.verdict in ("INCONC", "ERROR"):
        ET.SubElement(case, "error", message=reason, type=purpose.verdict).text = _details(purpose)
    elif purpose.verdict in ("N/A", "not tested"):
        ET.SubElement(case, "skipped", message=f"{purpose.verdict}: {reason}")
    else:
        ET.SubElement(case, "system-out").text = _details(purpose)


def _details(purpose: PurposeResult) -> str:
    lines = [purpose.reason]
    for measure in purpose.measures:
        figure = f"{wording.number(measure.value)} {measure.unit} ({wording.interval(measure)})"
        lines.append(f"{measure.name}: {figure}, limit {measure.limit}, {measure.source}: {measure.verdict}")
    lines += [f"observation: {text}" for text in purpose.observations]
    return _clean("\n".join(lines))


def _counts(purposes: list[PurposeResult]) -> dict[str, str]:
    verdicts = [purpose.verdict for purpose in purposes]
    return {
        "tests": str(len(verdicts)),
        "failures": str(verdicts.count("FAIL")),
        "errors": str(verdicts.count("INCONC") + verdicts.count("ERROR")),
        "skipped": str(verdicts.count("N/A") + verdicts.count("not tested")),
    }


def _provenance(results: Results, digest: str) -> dict[str, str]:
    return {
        "run": results.run,
        "verdict": results.verdict,
        "headline": results.headline,
        "drop": results.drop.id,
        "drop.in_service": f"{results.drop.in_service.version} sha256:{results.drop.in_service.sha256}",
        "drop.candidate": f"{results.drop.candidate.version} sha256:{results.drop.candidate.sha256}",
        "testbed": f"{results.testbed.name} {results.testbed.file} sha256:{results.testbed.sha256}",
        "tool": f"nfvcert {results.tool.version} {results.tool.commit}".strip(),
        "profile": results.profile,
        "results.sha256": digest,
    }


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
