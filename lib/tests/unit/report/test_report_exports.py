"""JUnit, Allure and the tables for terminals."""

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from report_sample import build
from rich.console import Console

from nfvcert.report.allure import write_allure
from nfvcert.report.junit import junit_xml
from nfvcert.report.results_model import Results
from nfvcert.report.text import plain_table, verdict_table

WORSE = {
    "TP.VNF.01.6": ("FAIL", "lost packets: 312"),
    "TP.VNF.12.4": ("INCONC", "no history"),
    "TP.VNF.12.3": ("ERROR", "the checker stumbled \x00 over <this>"),
    "TP.VNF.05.2": ("N/A", "the profile demands no signatures"),
}


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return build(tmp_path / "run", WORSE)


class TestJUnit:
    def test_there_is_one_case_per_purpose(self, results: Results) -> None:
        root = ET.fromstring(junit_xml(results))
        assert len(root.findall(".//testcase")) == len(results.purposes) == int(root.get("tests", ""))

    def test_verdicts_become_what_a_pipeline_understands(self, results: Results) -> None:
        root = ET.fromstring(junit_xml(results))
        outcome = {}
        for case in root.iter("testcase"):
            kinds = [kind for kind in ("failure", "error", "skipped") if case.find(kind) is not None]
            outcome[str(case.get("name")).split()[0]] = kinds[0] if kinds else "passed"
        assert outcome["TP.VNF.01.6"] == "failure"
        assert outcome["TP.VNF.12.4"] == outcome["TP.VNF.12.3"] == "error"
        assert outcome["TP.VNF.05.2"] == outcome["TP.VNF.02.1"] == "skipped"
        assert outcome["TP.VNF.08.1"] == "passed"
        assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("1", "2", "78")

    def test_skipped_cases_say_why(self, results: Results) -> None:
        root = ET.fromstring(junit_xml(results))
        messages = [str(skip.get("message")) for skip in root.iter("skipped")]
        assert all(len(message.split(": ", 1)[1]) > 10 for message in messages)

    def test_provenance_is_in_the_properties(self, results: Results) -> None:
        root = ET.fromstring(junit_xml(results, digest="d" * 64))
        found = {p.get("name"): p.get("value") for p in root.findall("./properties/property")}
        assert found["results.sha256"] == "d" * 64
        assert results.drop.candidate.sha256 in str(found["drop.candidate"])
        assert results.tool.commit in str(found["tool"])


class TestAllure:
    def read(self, folder: Path) -> dict[str, dict]:  # type: ignore[type-arg]
        found = [json.loads(file.read_text()) for file in folder.glob("*-result.json")]
        return {entry["name"].split()[0]: entry for entry in found}

    def test_there_is_one_result_per_purpose(self, results: Results, tmp_path: Path) -> None:
        write_allure(results, tmp_path / "a")
        found = self.read(tmp_path / "a")
        assert len(found) == len(results.purposes)
        assert found["TP.VNF.01.6"]["status"] == "failed"
        assert found["TP.VNF.12.4"]["status"] == "broken"
        assert found["TP.VNF.02.1"]["status"] == "skipped"
        assert found["TP.VNF.12.4"]["statusDetails"]["message"].startswith("INCONC: ")

    def test_identity_is_requirement_purpose_and_testbed(self, results: Results, tmp_path: Path) -> None:
        other = results.model_copy(update={"testbed": results.testbed.model_copy(update={"name": "lab"})})
        again = results.model_copy(update={"run": "another"})
        for name, which in (("a", results), ("b", other), ("c", again)):
            write_allure(which, tmp_path / name)
        ids = {name: self.read(tmp_path / name)["TP.VNF.08.1"] for name in "abc"}
        assert ids["a"]["historyId"] == ids["c"]["historyId"] != ids["b"]["historyId"]
        assert ids["a"]["uuid"] != ids["c"]["uuid"]

    def test_a_second_report_replaces_the_first(self, results: Results, tmp_path: Path) -> None:
        write_allure(results, tmp_path / "a")
        write_allure(results.model_copy(update={"run": "another"}), tmp_path / "a")
        assert len(list((tmp_path / "a").glob("*-result.json"))) == len(results.purposes)
        assert "another" in (tmp_path / "a" / "environment.properties").read_text()
        assert len(json.loads((tmp_path / "a" / "categories.json").read_text())) == 5


def test_the_plain_table_names_what_went_wrong(results: Results) -> None:
    text = plain_table(results)
    assert "TP.VNF.01.6  FAIL        lost packets: 312" in text
    assert "20 further requirements were not tested" in text
    assert text.rstrip().endswith(results.headline)
    assert max(len(line) for line in text.splitlines()) <= 110
    assert "REQ.MANO.M.01" in plain_table(results, all_requirements=True)


def test_the_rich_table_says_the_same(results: Results) -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(verdict_table(results))
    text = console.export_text()
    assert "lost packets: 312" in text
    assert results.headline in text
    assert "4 of 6" in text
