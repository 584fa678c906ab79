"""Testbed files, references to secrets, attachments: what is wrong is named with its place."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from nfvcert.errors import TestbedError, UsageError
from nfvcert.testbed.attachment import ENVIRONMENT, Attachment, read_attachment
from nfvcert.testbed.model import Dataplane, read_testbed
from nfvcert.testbed.secrets import references, resolve

TESTBEDS = Path(__file__).resolve().parents[4] / "testbeds"

EMBEDDED = """\
name: tiny
driver: embedded
hosts:
- {name: host1, vcpus: 4, ram_mb: 512}
networks:
  access: {cidr: 198.18.0.0/16}
features: [hosts, port_observer]
traffic:
  driver: embedded
"""
LAB = """\
name: lab-1
driver: lab
stack:
  nfvo: {url: "https://nfvo.lab", token: {secret: "env:LAB_NFVO_TOKEN"}}
  vnfm: {url: "https://vnfm.lab", token: {secret: "file:/nowhere/vnfm.token"}}
  vim:
    auth_url: https://vim.lab/v3
    username: tester
    project_name: certification
    password: {secret: "env:LAB_VIM_PASSWORD"}
traffic:
  driver: trex
  server: trex.lab
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "bed.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(TestbedError) as raised:
        read_testbed(written(tmp_path, text))
    return raised.value.message.replace(str(tmp_path) + "/", "")


@pytest.mark.parametrize("path", sorted(TESTBEDS.glob("*.yaml")), ids=lambda path: path.name)
def test_testbeds_that_ship_can_be_read(path: Path) -> None:
    testbed = read_testbed(path)
    assert testbed.name
    assert testbed.description or testbed.limits


def test_an_embedded_testbed(tmp_path: Path) -> None:
    testbed = read_testbed(written(tmp_path, EMBEDDED))
    assert (testbed.driver, [host.name for host in testbed.hosts]) == ("embedded", ["host1"])
    assert testbed.embedded.require_signature
    assert references(testbed) == []


def test_a_lab_names_its_secrets_and_holds_none(tmp_path: Path) -> None:
    testbed = read_testbed(written(tmp_path, LAB))
    assert references(testbed) == [
        ("stack.vim.password", "env:LAB_VIM_PASSWORD"),
        ("stack.nfvo.token", "env:LAB_NFVO_TOKEN"),
        ("stack.vnfm.token", "file:/nowhere/vnfm.token"),
    ]


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (EMBEDDED, "vcpus: 4", "vcpu: 4", "bed.yaml:4: unknown key 'hosts.0.vcpu'; did you mean 'vcpus'?"),
        (EMBEDDED, "hosts:", "host:", "bed.yaml:3: unknown key 'host'; did you mean 'hosts'?"),
        (EMBEDDED, "vcpus: 4", "vcpus: four", "bed.yaml:4: 'hosts.0.vcpus': input should be a valid integer"),
        (EMBEDDED, "vcpus: 4", "vcpus: 0", "greater than or equal to 1, found '0'"),
        (EMBEDDED, "port_observer]", "port_observr]", "found 'port_observr'; did you mean 'port_observer'?"),
        (EMBEDDED, "198.18.0.0/16", "198.18.0.1/16", "bed.yaml:6: 'networks.access.cidr'"),
        (EMBEDDED, "driver: embedded\nhosts", "driver: embeded\nhosts", "bed.yaml:2: 'driver'"),
        (EMBEDDED, "name: host1", "name: Host_One", "bed.yaml:4: 'hosts.0.name'"),
        (EMBEDDED, "name: tiny", "name: ../tiny", "bed.yaml:1: 'name'"),
        (EMBEDDED, "traffic:\n  driver: embedded\n", "", "bed.yaml:1: 'traffic' is missing"),
        (EMBEDDED, "- {name: host1, vcpus: 4, ram_mb: 512}", "  []", "an embedded testbed needs hosts"),
        (LAB, "stack:", "stak:", "bed.yaml:3: unknown key 'stak'; did you mean 'stack'?"),
        (LAB, "username", "user", "unknown key 'stack.vim.user'; did you mean 'username'?"),
        (LAB, '"env:LAB_VIM_PASSWORD"', "hunter2", "a secret is named by env:NAME or file:PATH"),
        (LAB, '{secret: "env:LAB_VIM_PASSWORD"}', "hunter2", "bed.yaml:10: 'stack.vim.password'"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, text: str, old: str, new: str, message: str) -> None:
    assert old in text
    assert message in refused(tmp_path, text.replace(old, new))


def test_a_secret_given_as_a_value_is_not_repeated(tmp_path: Path) -> None:
    """The message goes to terminals and logs; what was taken for a reference may be the secret itself."""
    for old in ('"env:LAB_VIM_PASSWORD"', '{secret: "env:LAB_VIM_PASSWORD"}'):
        assert "hunter2" not in refused(tmp_path, LAB.replace(old, "hunter2"))


def test_a_lab_without_its_stack_is_refused(tmp_path: Path) -> None:
    text = "name: lab-1\ndriver: lab\ntraffic: {driver: trex}\n"
    assert "a lab testbed needs its stack" in refused(tmp_path, text)


# the dataplane

DATAPLANE = """\
name: dp
driver: embedded
features: [migration_avoidance]
dataplane:
  servers: 4
  load: {packets_per_second: 148809, concurrent_flows: 1000, new_flows_per_second: 200}
traffic:
  driver: embedded
"""


def test_a_testbed_may_be_a_dataplane_only(tmp_path: Path) -> None:
    testbed = read_testbed(written(tmp_path, DATAPLANE))
    assert not testbed.has_stack
    assert testbed.dataplane is not None
    assert (testbed.dataplane.servers, testbed.dataplane.table_capacity) == (4, 2048)
    assert "4 servers" in testbed.dataplane.text
    assert read_testbed(written(tmp_path, EMBEDDED)).has_stack
    assert read_testbed(written(tmp_path, LAB)).has_stack


def test_the_full_load_is_that_of_the_annex(tmp_path: Path) -> None:
    load = Dataplane().load
    assert load.bits_per_second == pytest.approx(1e9, rel=1e-5)
    assert (load.concurrent_flows, load.new_flows_per_second) == (10_000, 2_000)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("servers: 4", "servers: 1", "bed.yaml:5: 'dataplane.servers': input should be greater than or equal to 2"),
        ("servers: 4", "server: 4", "bed.yaml:5: unknown key 'dataplane.server'; did you mean 'servers'?"),
        ("servers: 4", "identity: six-tuple", "bed.yaml:5: 'dataplane.identity'"),
        ("servers: 4", "driver: openvswich", "did you mean 'openvswitch'?"),
        ("concurrent_flows: 1000", "concurrent: 1000", "unknown key 'dataplane.load.concurrent'"),
        ("migration_avoidance", "migration_avoidence", "did you mean 'migration_avoidance'?"),
    ],
)
def test_what_does_not_fit_of_a_dataplane_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in DATAPLANE
    assert message in refused(tmp_path, DATAPLANE.replace(old, new))


def test_open_vswitch_needs_an_id_that_a_match_can_see(tmp_path: Path) -> None:
    message = refused(tmp_path, DATAPLANE.replace("servers: 4", "driver: openvswitch"))
    assert "set 'identity: source-port' under 'dataplane'" in message


def test_a_feature_needs_what_it_is_shown_on(tmp_path: Path) -> None:
    text = EMBEDDED.replace("[hosts, port_observer]", "[hosts, migration_avoidance]")
    assert "a testbed that declares migration_avoidance needs its dataplane" in refused(tmp_path, text)


# secrets


def test_a_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NFVCERT_TRY", "s3cret")
    assert resolve("env:NFVCERT_TRY", where="here") == "s3cret"


def test_a_secret_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n", encoding="utf-8")
    assert resolve(f"file:{tmp_path / 'token'}", where="here") == "s3cret"


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NFVCERT_TRY", raising=False)
    if value is not None:
        monkeypatch.setenv("NFVCERT_TRY", value)
    with pytest.raises(TestbedError, match="the secret env:NFVCERT_TRY is missing") as raised:
        resolve("env:NFVCERT_TRY", where="bed.yaml: stack.vim.password")
    assert raised.value.where == "bed.yaml: stack.vim.password"
    assert "set the environment variable NFVCERT_TRY" in raised.value.hint


def test_a_missing_or_empty_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="is missing"):
        resolve(f"file:{tmp_path / 'token'}", where="here")
    (tmp_path / "token").write_text(" \n", encoding="utf-8")
    with pytest.raises(TestbedError, match="is empty"):
        resolve(f"file:{tmp_path / 'token'}", where="here")


def test_what_is_no_reference_is_refused_without_being_repeated() -> None:
    with pytest.raises(TestbedError, match="not a reference to a secret") as raised:
        resolve("plain:hunter2", where="here")
    assert "hunter2" not in raised.value.message


# attachments

ATTACHMENT = {
    "run": "abcdef",
    "testbed": "embedded",
    "state_dir": "/run/nfvcert/abcdef",
    "features": ["hosts"],
    "nfvo": {"url": "http://127.0.0.1:1"},
    "vnfm": {"url": "http://127.0.0.1:2"},
    "em": None,
    "vim": {
        "auth_url": "http://127.0.0.1:3",
        "username": "nfvcert",
        "project_name": "nfvcert",
        "password_reference": "file:/run/nfvcert/abcdef/vim-password",
    },
    "witness": {"control_url": "http://127.0.0.1:4", "sink_url": "http://127.0.0.1:5"},
    "hosts": [{"name": "host1", "socket": "/run/nfvcert/abcdef/host1.sock"}],
    "networks": {"access": {"id": "net-1", "cidr": "198.18.0.0/16"}},
    "traffic": {"driver": "embedded", "profile": "edge-gateway"},
}


def test_an_attachment_is_for_its_owner_only_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attachment = Attachment.model_validate(ATTACHMENT)
    path = tmp_path / "attachment.json"
    attachment.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_attachment(path) == attachment
    monkeypatch.setenv(ENVIRONMENT, str(path))
    assert read_attachment() == attachment


def test_suites_started_by_hand_are_told_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    with pytest.raises(UsageError, match="the suites need a testbed that is up") as raised:
        read_attachment()
    assert "nfvcert certify" in raised.value.hint


def test_an_attachment_whose_testbed_is_gone(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="the testbed is gone"):
        read_attachment(tmp_path / "attachment.json")


@pytest.mark.parametrize("text", ["", "{", '{"run": "abcdef"}'])
def test_an_attachment_that_was_cut_off_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "attachment.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TestbedError) as raised:
        read_attachment(path)
    assert raised.value.where == str(path)
