"""The command line: exit codes, messages that say what to do, output that scripts can read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nfvcert.catalogue import load
from nfvcert.runner.plan import make_plan

Run = Callable[..., Any]
HEAVY = ("pyarrow", "scipy", "weasyprint", "openstack", "fastapi", "uvicorn", "robot", "scapy", "paramiko", "httpx")


# help


def test_help_loads_nothing_heavy() -> None:
    """What makes help slow is what it imports."""
    code = (
        "import sys; sys.argv = ['nfvcert', '--help']\n"
        "from nfvcert.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print('loaded', sorted(set(sys.modules) & set(sys.stdin.read().split())))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=" ".join(HEAVY), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "loaded []" in done.stdout
    assert "certify" in done.stdout


@pytest.mark.parametrize(
    "verb",
    ["certify", "judge", "report", "verify", "list", "doctor", "gate", "compare", "drop", "testbed", "catalogue"],
)
def test_every_verb_has_help(verb: str, run: Run) -> None:
    ended = run(verb, "--help")
    assert ended.code == 0
    assert "Usage" in ended.out


@pytest.mark.parametrize("arguments", [["no-such-verb"], ["list", "--no-such-option"], ["judge"], ["certify"]])
def test_a_wrong_command_line_is_a_usage_error(arguments: list[str], run: Run) -> None:
    ended = run(*arguments)
    assert ended.code == 4
    assert "Error" in ended.err or "Missing" in ended.err


# certify


def test_a_wrong_testbed_is_told_which_there_are(run: Run, sample: Path) -> None:
    ended = run("certify", sample, "--testbed", "embeded")
    assert ended.code == 4
    assert ended.out == ""
    assert "there is no testbed 'embeded'" in ended.err
    assert "embedded" in ended.err.replace("embeded", "")


def test_a_broken_testbed_file_is_named_with_its_line(run: Run, sample: Path, tmp_path: Path) -> None:
    file = tmp_path / "bed.yaml"
    file.write_text("name: x\ndriver: embedded\nhost: []\ntraffic: {driver: embedded}\n", encoding="utf-8")
    ended = run("certify", sample, "--testbed", file, "--dry-run")
    assert ended.code == 3
    assert f"{file}:3: unknown key 'host'; did you mean 'hosts'?" in ended.err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--profile", "lihgt", "there is no run profile 'lihgt'"),
        ("--requirement", "REQ.VNF.M.99", "no requirement, purpose or defect has this id"),
        ("--requirement", "REQ.VNF.M.02", "nothing that is tested is selected"),
        ("--resume", "/nowhere", "this is no run folder"),
    ],
)
def test_wrong_values_are_usage_errors(option: str, value: str, message: str, run: Run, sample: Path) -> None:
    ended = run("certify", sample, option, value, "--dry-run")
    assert ended.code == 4
    assert message in ended.err
    assert "; do: " in ended.err


def test_a_drop_that_is_not_there(run: Run, tmp_path: Path) -> None:
    ended = run("certify", tmp_path / "nothing", "--dry-run")
    assert ended.code == 4
    assert str(tmp_path / "nothing") in ended.err


def test_a_dry_run_shows_the_plan_one_line_a_purpose(run: Run, sample: Path, tmp_path: Path) -> None:
    ended = run("certify", sample, "--dry-run", "--output", tmp_path / "runs")
    assert (ended.code, ended.err) == (0, "")
    plan = make_plan(load(), [], [])
    lines = ended.out.splitlines()
    assert [line.split()[0] for line in lines] == plan.ids
    excluded = [line for line in lines if line.split()[1] == "N/A"]
    assert len(excluded) == len(plan.excluded)
    assert all(line.endswith("the testbed does not declare migration_avoidance") for line in excluded)
    assert all(line.endswith(purpose.title) for line, purpose in zip(lines, plan.purposes, strict=False))
    assert not (tmp_path / "runs").exists(), "a dry run leaves nothing"


def test_a_dry_run_of_a_selection(run: Run, sample: Path) -> None:
    ended = run("certify", sample, "--dry-run", "--requirement", "TP.VNF.01.2", "--requirement", "REQ.VNF.M.13")
    ids = [line.split()[0] for line in ended.out.splitlines() if line.startswith("TP.")]
    assert set(ids) == {"TP.VNF.01.2", "TP.VNF.13.1", "TP.VNF.13.2", "TP.VNF.13.3", "TP.VNF.13.4"}


def test_a_lab_is_refused_before_anything_is_done(run: Run, sample: Path) -> None:
    ended = run("certify", sample, "--testbed", "lab-example", "--dry-run")
    assert ended.code == 3
    assert "embedded testbeds only" in ended.err


# judge


def run_folder(tmp_path: Path, *, declared: bool = True) -> Path:
    plan = make_plan(load(), ["TP.VNF.01.2", "TP.VNF.13.1"])
    plan.write(tmp_path / "plan.json")
    if declared:
        version = {"vnfd_id": "a", "software_version": "1", "executables": {}, "instances": {}}
        document = {"in_service": version, "candidate": version, "modification": {}, "parameters": {}}
        (tmp_path / "declared.json").write_text(json.dumps(document), encoding="utf-8")
    return tmp_path


def test_judging_what_is_no_run(run: Run, tmp_path: Path) -> None:
    ended = run("judge", tmp_path)
    assert ended.code == 4
    assert "this is no run folder" in ended.err
    assert "do: name a folder that 'nfvcert certify' made" in ended.err


def test_judging_a_run_that_recorded_nothing_is_inconclusive(run: Run, tmp_path: Path) -> None:
    ended = run("judge", run_folder(tmp_path))
    assert ended.code == 2
    lines = [line.split()[:2] for line in ended.out.splitlines() if line.startswith("TP.")]
    assert lines == [["TP.VNF.01.2", "INCONC"], ["TP.VNF.13.1", "INCONC"]]


def test_judgements_as_json(run: Run, tmp_path: Path) -> None:
    ended = run("judge", run_folder(tmp_path), "--json")
    assert ended.code == 2
    assert {item["id"]: item["verdict"] for item in json.loads(ended.out)} == {
        "TP.VNF.01.2": "INCONC",
        "TP.VNF.13.1": "INCONC",
    }


@pytest.mark.parametrize("damage", ["plan.json", "declared.json"])
@pytest.mark.parametrize("text", [None, "", "{", "[]"])
def test_judging_a_damaged_run_names_the_file(damage: str, text: str | None, run: Run, tmp_path: Path) -> None:
    folder = run_folder(tmp_path)
    (folder / "results.json").write_text("{}", encoding="utf-8")
    (folder / damage).unlink()
    if text is not None:
        (folder / damage).write_text(text, encoding="utf-8")
    ended = run("judge", folder)
    assert ended.code == 4, ended.err
    assert damage in ended.err


# list


def test_a_list_for_scripts(run: Run) -> None:
    ended = run("list", "--json")
    assert ended.code == 0
    listed = json.loads(ended.out)
    assert [item["id"] for item in listed] == [purpose.id for purpose in load().purposes]
    assert {item["status"] for item in listed} == {"tested", "not tested"}


STACK, ALL = make_plan(load(), [], []), make_plan(load(), [])


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ("--tag tested", len(ALL.purposes)),
        ("--tag migration_avoidance", len(ALL.purposes) - len(STACK.purposes)),
        ("--tag refusals", 7),
        ("--requirement REQ.VNF.M.13", 4),
        ("--tag x", 0),
    ],
)
def test_a_list_of_some(arguments: str, count: int, run: Run) -> None:
    ended = run("list", "--json", *arguments.split())
    assert (ended.code, len(json.loads(ended.out))) == (0, count)


def test_a_list_for_people(run: Run) -> None:
    ended = run("list", "--requirement", "TP.VNF.01.2")
    assert ended.code == 0
    assert "The final state is only reported when the old software has really gone" in ended.out
    assert "service_upgrade.robot" in ended.out


def test_an_unknown_requirement_of_a_list(run: Run) -> None:
    ended = run("list", "--requirement", "REQ.VNF.M.33")
    assert ended.code == 4
    assert "did you mean" in ended.err


# other verbs


def test_inspecting_a_sound_drop_and_package(run: Run, sample: Path) -> None:
    assert run("drop", "inspect", sample).code == 0
    assert run("drop", "inspect", sample / "edge-gateway-2.0.0.csar").code == 0


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x05\x06" + b"\0" * 18])
def test_inspecting_a_broken_package_tells_what_is_wrong(content: bytes, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "broken.csar"
    path.write_bytes(content)
    ended = run("drop", "inspect", path)
    assert ended.code == 1
    assert "broken.csar" in ended.out
    assert "error" in ended.out.lower()


def test_inspecting_nothing_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    assert run("drop", "inspect", tmp_path / "nothing.csar").code in (1, 4)


def test_a_testbed_is_validated_with_its_secrets(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(
        "name: lab\ndriver: lab\ntraffic: {driver: trex}\nstack:\n  nfvo: {url: 'https://a'}\n  vnfm: {url: 'https://b'}\n"
        "  vim: {auth_url: 'https://c', username: u, project_name: p, password: {secret: 'env:NFVCERT_TRY'}}\n",
        encoding="utf-8",
    )
    monkeypatch.delenv("NFVCERT_TRY", raising=False)
    missing = run("testbed", "validate", file)
    assert missing.code == 3
    assert "set the environment variable NFVCERT_TRY" in missing.err
    monkeypatch.setenv("NFVCERT_TRY", "hunter2")
    valid = run("testbed", "validate", file)
    assert valid.code == 0
    assert "hunter2" not in valid.out + valid.err


def test_a_testbed_is_shown_as_it_was_understood(run: Run) -> None:
    ended = run("testbed", "show", "embedded")
    assert ended.code == 0
    assert json.loads(ended.out)["driver"] == "embedded"


@pytest.mark.parametrize("verb", [["gate"], ["report"], ["verify"]])
def test_verbs_about_runs_refuse_what_is_none(verb: list[str], run: Run, tmp_path: Path) -> None:
    ended = run(*verb, tmp_path)
    assert ended.code in (1, 4)
    assert str(tmp_path) in ended.out + ended.err


def test_seeded_defects_are_listed_one_a_line(run: Run) -> None:
    ended = run("nonconformity", "list")
    assert ended.code == 0
    assert all(line.startswith("DEF.") for line in ended.out.splitlines())


def test_an_unknown_defect_is_refused_before_anything_is_built(run: Run) -> None:
    ended = run("nonconformity", "run", "DEF.VNF.99.z")
    assert ended.code == 4
    assert "no seeded defect is called DEF.VNF.99.z" in ended.err


@pytest.mark.parametrize("format_", ["text", "csv", "markdown"])
def test_the_matrix(format_: str, run: Run) -> None:
    ended = run("catalogue", "matrix", "--format", format_)
    assert ended.code == 0
    assert "TP.VNF.01.2" in ended.out


# errors on the way


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Have the verb ``list`` fail."""

    def fail(error: BaseException) -> None:
        def broken(*_: object) -> None:
            raise error

        monkeypatch.setattr("nfvcert.catalogue.load", broken)

    return fail


def test_an_accident_is_an_internal_error_that_says_how_to_see_more(
    run: Run, failing: Callable[[BaseException], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NFVCERT_DEBUG", raising=False)
    failing(ZeroDivisionError("an accident"))
    ended = run("list")
    assert ended.code == 5
    assert "internal error: ZeroDivisionError('an accident')" in ended.err
    assert "NFVCERT_DEBUG=1" in ended.err
    assert "Traceback" not in ended.err
    monkeypatch.setenv("NFVCERT_DEBUG", "1")
    assert "Traceback" in run("list").err


def test_ctrl_c_is_told(run: Run, failing: Callable[[BaseException], None]) -> None:
    failing(KeyboardInterrupt())
    ended = run("list")
    assert (ended.code, ended.err.strip()) == (130, "nfvcert: interrupted")


# the dataplane


def test_a_dataplane_is_not_brought_up_by_hand(run: Run) -> None:
    ended = run("testbed", "up", "dataplane")
    assert ended.code == 4
    assert "there is no stack to bring up on this testbed" in ended.err


def test_the_doctor_names_what_the_dataplane_lacks(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NFVCERT_NATIVE", str(tmp_path))
    ended = run("doctor", "--testbed", "dataplane")
    assert ended.code == 3
    missing = [line for line in ended.out.splitlines() if line.startswith("missing ")]
    for program in ("nfvcert-packet-engine", "nfvcert-switch", "nfvcert-server-switch", "nfvcert-vnf"):
        assert f"missing  the native program {program} is missing - build it: make native" in missing
    assert "nfvcert-generator " not in ended.out
    assert ended.out.splitlines()[-1] == "not usable"


def test_a_dry_run_on_the_dataplane_shows_its_purposes(run: Run, sample: Path) -> None:
    ended = run("certify", sample, "--testbed", "dataplane", "--requirement", "REL002.MA", "--dry-run")
    assert ended.code == 0
    assert all(line.startswith("TP.MA.") and " pytest " in line for line in ended.out.splitlines())


def test_a_dataplane_cannot_show_what_needs_the_stack(run: Run, sample: Path) -> None:
    ended = run("certify", sample, "--testbed", "dataplane", "--dry-run")
    assert ended.code == 3
    assert "the testbed has a dataplane only" in ended.err
    assert "--requirement REL002.MA" in ended.err
