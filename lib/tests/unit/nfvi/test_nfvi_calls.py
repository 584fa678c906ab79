import httpx
import pytest

from nfvcert.errors import StackError, TestbedError
from nfvcert.nfvi import calls
from nfvcert.nfvi.agent.models import Kill, NetworkSpec, PortSpec
from nfvcert.nfvi.client import AsyncHostClient, HostClient


def test_identifiers_are_quoted_and_bodies_are_the_models() -> None:
    call = calls.put_image("sha256:ab/..", calls.ImageSpec(path="/x"))  # type: ignore[arg-type]
    assert call.path == "/images/sha256:ab%2F.."
    assert calls.put_fault(Kill(container="c1")).content() == b'{"kind":"kill","container":"c1","signal":9}'


def test_a_deletion_tells_whether_it_is_done() -> None:
    call = calls.delete_container("c1", 0.5, False)
    assert call.params == {"grace_s": "0.5", "wait": "false"}
    assert call.parse(204, None) is True
    assert call.parse(202, None) is False


@pytest.mark.parametrize(("status", "kind"), [(404, calls.HostRefused), (409, TestbedError), (500, StackError)])
def test_an_answer_becomes_the_error_it_stands_for(status: int, kind: type[Exception]) -> None:
    problem = {"what": "there is no such port on this host", "where": "p1", "found": "", "hint": ""}
    error = calls.refusal("host1", calls.delete_port("p1"), status, problem)
    assert isinstance(error, kind) and error.status == status
    assert error.message == "host host1: DELETE /ports/p1: p1: there is no such port on this host"


def test_an_answer_without_a_problem_is_told_by_its_status() -> None:
    assert "status 502" in str(calls.refusal("host1", calls.health(), 502, None))


def test_both_clients_offer_the_same_calls() -> None:
    def offered(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert offered(HostClient) == offered(AsyncHostClient)


def test_an_agent_that_is_not_there_is_trouble_of_the_stack(tmp_path: object) -> None:
    with HostClient(tmp_path / "no.sock") as client, pytest.raises(calls.HostTrouble, match="does not answer"):  # type: ignore[operator]
        client.health()


def test_rubbish_is_trouble_of_the_stack(tmp_path: object) -> None:
    client = HostClient(tmp_path / "host9.sock")  # type: ignore[operator]
    client._http = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"no": "health"})), base_url="http://host"
    )
    with pytest.raises(calls.HostTrouble, match="host9"):
        client.health()


def test_unknown_fields_are_errors() -> None:
    with pytest.raises(ValueError, match="vnni"):
        NetworkSpec.model_validate({"vnni": 1, "vni": 1})
    assert PortSpec(network_id="n", mac="02:00:00:00:00:AB").mac == "02:00:00:00:00:ab"
