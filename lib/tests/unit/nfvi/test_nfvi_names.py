import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfvcert.errors import UsageError
from nfvcert.nfvi import names
from nfvcert.nfvi.names import RunId

RIDS = st.text(alphabet=names.ALPHABET, min_size=6, max_size=6)
PURPOSES = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True)
FOREIGN = ["nfv-abc", "nfv-abcdef", "nfv-abcdef-", "nfv-ABCDEF-x", "xnfv-abcdef-x", "nfv-abcdef-x/y"]


@given(RIDS, PURPOSES)
def test_a_namespace_name_tells_its_run_and_purpose(text: str, what: str) -> None:
    assert names.parse_netns(RunId(text).netns(what)) == (text, what)


@pytest.mark.parametrize("text", ["", "abc", "abcdefg", "ABCDEF", "abc01z", "../abc", "abcde\n"])
def test_what_is_no_run_id_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        RunId(text)
    assert not names.is_run_id(text)


@pytest.mark.parametrize("name", FOREIGN)
def test_namespaces_of_others_are_not_ours(name: str) -> None:
    assert names.parse_netns(name) is None


def test_a_new_run_id_is_valid_and_differs() -> None:
    assert RunId(RunId.new()) and len({RunId.new() for _ in range(50)}) == 50


@given(st.text(min_size=1, max_size=80))
def test_interface_names_fit_and_depend_on_the_identifier(key: str) -> None:
    for make in (names.port_interface, names.endpoint_interface, names.bridge_interface):
        assert len(make(key)) <= names.INTERFACE_LIMIT
        assert make(key) != make(key + "x")
    assert len(names.vxlan_interface((1 << 24) - 1)) <= names.INTERFACE_LIMIT


def test_root_interfaces_tell_their_run() -> None:
    rid = RunId("abc234")
    assert names.parse_root_interface(rid.root_interface("x1")) == rid
    assert names.parse_root_interface("eth0") is None
    with pytest.raises(UsageError):
        rid.root_interface("muchtoolong")


def test_the_purpose_of_a_namespace_cannot_leave_the_directory() -> None:
    with pytest.raises(UsageError):
        RunId("abc234").netns("../x")
