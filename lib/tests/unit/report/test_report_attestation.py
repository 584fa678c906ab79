"""Signing a run and verifying it later, also when somebody has touched it."""

import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from report_sample import build

from nfvcert.errors import UsageError
from nfvcert.report import generate
from nfvcert.report.keys import signing_key
from nfvcert.report.verification import sound, verify


def pem(key: object) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    build(folder)
    generate(folder, ["html", "attestation"])
    return folder


def errors(run: Path, **more: object) -> list[str]:
    return [str(finding) for finding in verify(run, **more) if finding.level == "error"]  # type: ignore[arg-type]


def statement(run: Path) -> dict:  # type: ignore[type-arg]
    envelope = json.loads((run / "attestation.json").read_text())
    return json.loads(base64.b64decode(envelope["payload"]))


def test_an_untouched_run_is_sound(run: Path) -> None:
    assert errors(run) == []
    assert sound(verify(run))
    assert any("self-signed by this machine" in str(finding) for finding in verify(run))


def test_the_statement_names_packages_results_and_histories(run: Path) -> None:
    content = statement(run)
    results = json.loads((run / "results.json").read_text())
    assert content["_type"] == "https://in-toto.io/Statement/v1"
    assert content["predicateType"].endswith("test-result/v0.1")
    assert content["predicate"]["result"] == "PASSED"
    assert {s["digest"]["sha256"] for s in content["subject"]} == {
        results["drop"][which]["sha256"] for which in ("in_service", "candidate")
    }
    names = {entry["name"] for entry in content["predicate"]["configuration"]}
    assert {"results.json", "history/upgrade.jsonl", "history/rollback.jsonl", "certificate.html"} <= names


@pytest.mark.parametrize("verdict", ["FAIL", "INCONC", "ERROR"])
def test_everything_but_a_pass_is_filed_as_failed(verdict: str, tmp_path: Path) -> None:
    build(tmp_path / "x", {"TP.VNF.01.6": (verdict, "why")})
    generate(tmp_path / "x", ["attestation"])
    assert statement(tmp_path / "x")["predicate"]["result"] == "FAILED"
    assert errors(tmp_path / "x") == []


def edit(name: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    def apply(run: Path) -> None:
        file = run / name
        text = file.read_text()
        assert change(text) != text
        file.write_text(change(text))

    return apply


def forge(run: Path) -> None:
    envelope = json.loads((run / "attestation.json").read_text())
    content = statement(run)
    content["predicate"]["annotations"]["headline"] = "PASS for 29 of 29 requirements"
    envelope["payload"] = base64.b64encode(json.dumps(content).encode()).decode()
    (run / "attestation.json").write_text(json.dumps(envelope))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (edit("results.json", lambda t: t.replace('"PASS"', '"FAIL"', 1)), "changed after it was signed"),
        (edit("history/upgrade.jsonl", lambda t: t + "\n"), "history/upgrade.jsonl"),
        (edit("certificate.html", lambda t: t.replace("9 of 29", "29 of 29")), "certificate.html"),
        (lambda run: (run / "history/rollback.jsonl").unlink(), "missing"),
        (lambda run: (run / "certificate.html").unlink(), "missing"),
        (lambda run: (run / "attestation.json").unlink(), "not signed"),
        (lambda run: (run / "attestation.pub.pem").unlink(), "public key"),
        (lambda run: (run / "attestation.json").write_text("{}"), "cannot be read"),
        (forge, "signature does not hold"),
    ],
)
def test_harm_is_found(harm: Callable[[Path], None], message: str, run: Path) -> None:
    harm(run)
    assert any(message in error for error in errors(run)), errors(run)
    assert not sound(verify(run))


def rewrite(run: Path, change: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
    raw = json.loads((run / "results.json").read_text())
    change(raw)
    (run / "results.json").write_text(json.dumps(raw))
    generate(run, ["attestation"])


def test_inconsistent_results_are_found_although_they_are_signed(run: Path) -> None:
    rewrite(run, lambda raw: raw.update(headline="PASS for 29 of 29 requirements"))
    assert any("headline should be: PASS for 9 of 29" in error for error in errors(run))
    rewrite(run, lambda raw: raw["planned"].append("TP.VNF.02.1"))
    assert any("TP.VNF.02.1: it was planned, but has no verdict" in error for error in errors(run))
    rewrite(run, lambda raw: raw["scenarios"].pop())
    rewrite(run, lambda raw: raw["scenarios"].pop(0))
    assert any("scenarios that were not run: upgrade" in error for error in errors(run))
    rewrite(run, lambda raw: raw["scenarios"][0].update(history="../../etc/passwd"))
    assert any("outside the run folder" in error for error in errors(run))


def test_a_certificate_alone_can_be_named(run: Path) -> None:
    assert errors(run / "certificate.html") == []
    (run / "other.html").write_text("hello")
    assert any("does not cover this file" in error for error in errors(run / "other.html"))


def test_a_trusted_key_is_demanded_if_one_is_given(run: Path, tmp_path: Path) -> None:
    assert errors(run, trusted=[(run / "attestation.pub.pem").read_text()]) == []
    file = tmp_path / "lab.pem"
    file.write_text(pem(Ed25519PrivateKey.generate()))
    stranger = signing_key(f"file:{file}")
    assert any("not of a trusted key" in error for error in errors(run, trusted=[stranger.public_pem]))
    generate(run, ["attestation"], key=f"file:{file}")
    assert errors(run, trusted=[stranger.public_pem]) == []
    assert any("nobody vouches for" in str(finding) for finding in verify(run))


class TestKeys:
    def test_the_machine_key_is_made_once_and_is_private(self, own_config: Path) -> None:
        first = signing_key()
        file = own_config / "nfvcert" / "signing-key.pem"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert signing_key().id == first.id
        assert "self-signed" in first.name

    def test_a_key_can_come_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LAB_KEY", pem(Ed25519PrivateKey.generate()))
        assert signing_key("env:LAB_KEY").name == "key of env:LAB_KEY"

    @pytest.mark.parametrize(
        ("reference", "message"),
        [
            ("env:NOT_SET_ANYWHERE", "not set"),
            ("file:/nowhere/key.pem", "cannot be read"),
            ("secret", "not a reference"),
            ("vault:x", "not a reference"),
        ],
    )
    def test_bad_references_are_refused(self, reference: str, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            signing_key(reference)

    def test_a_key_itself_is_never_echoed(self) -> None:
        with pytest.raises(UsageError) as caught:
            signing_key("MC4CAQAwBQYDK2VwBCIEIA")
        assert "MC4CAQ" not in str(caught.value)

    def test_other_kinds_of_keys_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LAB_KEY", pem(generate_private_key(SECP256R1())))
        with pytest.raises(UsageError, match="not of type ed25519"):
            signing_key("env:LAB_KEY")
        monkeypatch.setenv("LAB_KEY", "hello")
        with pytest.raises(UsageError, match="cannot be read"):
            signing_key("env:LAB_KEY")


class TestGenerate:
    def test_everything_is_made(self, tmp_path: Path) -> None:
        folder = tmp_path / "all"
        build(folder)
        made = generate(folder)
        assert set(made) == {"html", "pdf", "junit", "allure", "attestation"}
        assert all(path.exists() for path in made.values())
        assert (folder / "plots/upgrade.svg").exists()
        assert errors(folder) == []

    def test_a_certificate_made_anew_is_signed_again(self, run: Path) -> None:
        generate(run, ["html", "pdf"])
        assert errors(run) == []
        assert "certificate.pdf" in {e["name"] for e in statement(run)["predicate"]["configuration"]}

    def test_changed_results_are_not_signed_by_the_way(self, run: Path) -> None:
        edit("results.json", lambda t: t.replace("Meridian", "Median"))(run)
        with pytest.raises(UsageError, match="changed after the run was signed"):
            generate(run, ["html"])
        generate(run, ["junit"])

    def test_another_key_does_not_take_over(self, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LAB_KEY", pem(Ed25519PrivateKey.generate()))
        with pytest.raises(UsageError, match="signed with another key"):
            generate(run, ["html"], key="env:LAB_KEY")

    def test_an_unknown_format_is_refused(self, run: Path) -> None:
        with pytest.raises(UsageError, match="no such report format; found: docx"):
            generate(run, ["docx"])
