"""A whole certification, and what can be done with its run folder afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from command_line import DROP, Nfvcert, left_behind

from nfvcert.report.results_model import SCHEMA_FILE


@pytest.fixture(scope="module")
def run(nfvcert: Nfvcert, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run of the sample drop with everything in it, at the light profile."""
    output = tmp_path_factory.mktemp("runs")
    done = nfvcert("certify", DROP, "--profile", "light", "--output", output)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS for 9 of 29 requirements, 20 not tested" in done.stdout
    return (output / "latest").resolve()


def test_run_folder_is_complete(run: Path) -> None:
    """Results fit their schema, every file is there, nothing is left on the machine."""
    results = json.loads((run / "results.json").read_text())
    jsonschema.validate(results, json.loads(SCHEMA_FILE.read_text()))
    for name in ("certificate.html", "certificate.pdf", "junit.xml", "attestation.json", "plots/upgrade.svg"):
        assert (run / name).stat().st_size > 0, name
    assert any((run / "allure-results").iterdir())
    assert {scenario["id"] for scenario in results["scenarios"]} == {
        "packages",
        "lifecycle",
        "upgrade",
        "rollback",
        "refusals",
        "exposure",
    }
    assert not (run / "attachment.json").exists()
    assert left_behind() == []


def test_every_judged_purpose_names_evidence(run: Path) -> None:
    """A verdict without evidence is no verdict."""
    results = json.loads((run / "results.json").read_text())
    judged = [p for r in results["requirements"] for p in r["purposes"] if p["verdict"] not in ("not tested", "N/A")]
    assert len(judged) == 30
    assert all(purpose["evidence"] and purpose["reason"] for purpose in judged)


def test_judge_repeats_the_verdicts(nfvcert: Nfvcert, run: Path) -> None:
    """The stored history gives the same verdicts again."""
    done = nfvcert("judge", run)
    assert done.returncode == 0, done.stdout
    assert "the same verdicts as stored" in done.stdout


def test_verify_and_gate(nfvcert: Nfvcert, run: Path) -> None:
    """The run is as it was signed and opens the default gate, not the strict one."""
    assert nfvcert("verify", run).returncode == 0
    assert nfvcert("gate", run).returncode == 0
    assert nfvcert("gate", run, "--profile", "strict").returncode != 0
    assert nfvcert("compare", run, run).returncode == 0


def test_verify_finds_a_changed_history(nfvcert: Nfvcert, run: Path, tmp_path: Path) -> None:
    """One changed byte of evidence breaks the seal."""
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    history = copy / "history" / "upgrade.jsonl"
    data = bytearray(history.read_bytes())
    data[len(data) // 2] ^= 1
    history.write_bytes(data)
    done = nfvcert("verify", copy)
    assert done.returncode == 1
    assert "upgrade.jsonl" in done.stdout


def test_missing_report_is_inconclusive(nfvcert: Nfvcert, run: Path, tmp_path: Path) -> None:
    """A planned purpose that no back-end reported is INCONC when judged again."""
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    reported = copy / "reported.jsonl"
    reported.write_text("".join(line for line in reported.open() if "TP.VNF.08.1" not in line))
    done = nfvcert("judge", copy)
    assert done.returncode == 2
    assert "did not report" in done.stdout
