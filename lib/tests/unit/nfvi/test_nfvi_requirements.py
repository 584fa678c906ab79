import pytest
from remaining import remains

from nfvcert.nfvi import requirements
from nfvcert.nfvi.names import RunId


def test_capabilities_are_read_from_the_status() -> None:
    mask = requirements.parse_capabilities("Name:\tx\nCapEff:\t0000000000003000\n")
    assert requirements.missing_capabilities(mask) == ["CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN"]


def test_an_ordinary_user_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "parse_capabilities", lambda _status: 0)
    found = requirements.check()
    assert {finding.severity for finding in found} == {"missing"}
    assert any("CAP_NET_ADMIN" in finding.what for finding in found)
    assert all(finding.hint for finding in found)


def test_a_missing_program_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements.shutil, "which", lambda _program: None)
    monkeypatch.setattr(requirements, "parse_capabilities", lambda _status: 0)
    assert any(finding.hint == "apt install runc" for finding in requirements.check())


@pytest.mark.privileged
def test_trying_the_kernel_leaves_nothing(rid: RunId, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements.RunId, "new", lambda: rid)
    assert not [finding for finding in requirements.check() if finding.severity == "missing"]
    assert remains(rid) == []
