"""The witness as a process: it forwards and records, puts faults in, receives notifications."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from witness_bench import DEAD, POINT, WitnessBench, running

from nfvcert.errors import TestbedError
from nfvcert.history.reader import read_events
from nfvcert.testbed.waiting import wait_for
from nfvcert.testbed.witness.client import WitnessClient
from nfvcert.testbed.witness.models import Listener, Rule, ScenarioOrder
from nfvcert.testbed.witness.proxy import Proxy
from nfvcert.testbed.witness.record import LARGEST_BODY, kept_headers, recorded_body
from nfvcert.testbed.witness.state import WitnessState


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WitnessBench]:
    """One witness for all tests of the module."""
    with running(tmp_path_factory.mktemp("witness")) as bench:
        yield bench


@pytest.fixture
def bench(process: WitnessBench, tmp_path: Path) -> Iterator[WitnessBench]:
    """The witness recording into a folder of its own."""
    process.folder = tmp_path / "history"
    process.component.got.clear()
    process.component.answers.clear()
    process.begin()
    yield process
    process.control.end()


# forwarding and recording


def test_requests_are_forwarded_as_they_are(bench: WitnessBench) -> None:
    answer = bench.http.post(
        f"{bench.url}/vnflcm/v2/vnf_instances?filter=(eq,a,%20b)",
        json={"vnfdId": "x"},
        headers={"Version": "2.0.0", "Authorization": "Bearer s3cret"},
    )
    assert answer.json() == {"path": "/vnflcm/v2/vnf_instances?filter=(eq,a,%20b)"}
    got = bench.component.got[-1]
    assert (got["method"], got["path"]) == ("POST", "/vnflcm/v2/vnf_instances?filter=(eq,a,%20b)")
    assert got["body"] == b'{"vnfdId":"x"}'
    assert got["headers"]["version"] == "2.0.0"
    assert got["headers"]["authorization"] == "Bearer s3cret"


def test_an_exchange_is_recorded_before_its_answer_goes_on(bench: WitnessBench) -> None:
    bench.component.answers["/op"] = (
        202,
        {
            "location": "http://vnfm/vnf_lcm_op_occs/7",
            "content-type": "application/json",
            "set-cookie": "a=b",
        },
        b"{}",
    )
    before = time.monotonic_ns()
    answer = bench.http.post(f"{bench.url}/op", json={"a": 1}, headers={"Authorization": "Bearer s3cret"})
    after = time.monotonic_ns()
    assert answer.status_code == 202
    assert answer.headers["location"] == "http://vnfm/vnf_lcm_op_occs/7"
    event = bench.recorded()[-1]
    data = event.data
    assert event.source == f"witness:{POINT}"
    assert (data["reference_point"], data["method"], data["path"], data["status"]) == (POINT, "POST", "/op", 202)
    assert (data["request"], data["answer"], data["fault"]) == ({"a": 1}, {}, None)
    assert data["headers"]["location"].endswith("/7")
    assert before <= data["t_request"] <= event.t <= after
    assert "s3cret" not in event.to_json()
    assert "set-cookie" not in data["headers"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_all_methods_pass(method: str, bench: WitnessBench) -> None:
    assert bench.http.request(method, f"{bench.url}/thing").status_code == 200
    assert bench.component.got[-1]["method"] == method
    assert bench.calls()[-1]["method"] == method


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body_pass(status: int, bench: WitnessBench) -> None:
    bench.component.answers["/nothing"] = (status, {}, b"")
    answer = bench.http.get(f"{bench.url}/nothing")
    assert (answer.status_code, answer.content) == (status, b"")
    assert bench.calls()[-1]["answer"] is None


def test_refusals_pass_with_their_problem(bench: WitnessBench) -> None:
    problem = b'{"status": 409, "detail": "not now"}'
    bench.component.answers["/busy"] = (409, {"content-type": "application/problem+json", "retry-after": "3"}, problem)
    answer = bench.http.get(f"{bench.url}/busy")
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "3")
    assert bench.calls()[-1]["answer"] == {"status": 409, "detail": "not now"}


def test_big_bodies_are_recorded_by_digest(bench: WitnessBench) -> None:
    content = bytes(range(256)) * 8192
    bench.component.answers["/package"] = (200, {"content-type": "application/zip"}, content)
    answer = bench.http.put(f"{bench.url}/package", content=content, headers={"content-type": "application/zip"})
    assert answer.content == content
    assert bench.component.got[-1]["body"] == content
    expected = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert (bench.calls()[-1]["request"], bench.calls()[-1]["answer"]) == (expected, expected)


def test_a_dead_component_is_answered_504_and_recorded(bench: WitnessBench) -> None:
    answer = bench.http.get(f"{bench.dead_url}/lcmcoord/v1/coordinations/1")
    assert answer.status_code == 504
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "no answer"
    data = bench.calls()[-1]
    assert (data["reference_point"], data["status"]) == (DEAD, 504)


def test_many_at_the_same_time_are_all_recorded(bench: WitnessBench) -> None:
    def ask(number: int) -> None:
        with httpx.Client(trust_env=False, timeout=20) as http:
            for part in range(10):
                assert http.get(f"{bench.url}/many/{number}/{part}").status_code == 200

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    paths = [data["path"] for data in bench.calls()]
    assert sorted(paths) == sorted(f"/many/{number}/{part}" for number in range(8) for part in range(10))


def test_outside_of_scenarios_nothing_is_recorded(bench: WitnessBench) -> None:
    bench.control.end()
    assert bench.http.get(f"{bench.url}/unseen").status_code == 200
    assert bench.component.got[-1]["path"] == "/unseen"
    assert bench.recorded() == []
    bench.begin("rollback")
    bench.http.get(f"{bench.url}/seen")
    assert [event.data["path"] for event in bench.recorded("rollback")] == ["/seen"]


# faults


def rule(action: str, **fields: object) -> Rule:
    values = {"id": "r", "listener": POINT, "method": "POST", "path": r"/grants$", "action": action, **fields}
    return Rule.model_validate(values)


def test_a_held_request_goes_on_when_the_rule_is_lifted(bench: WitnessBench, tmp_path: Path) -> None:
    """The proxy within this process, so that the moment is known at which it holds the request."""

    async def scene() -> int:
        state = WitnessState()
        state.begin(ScenarioOrder(scenario="held", folder=str(tmp_path)))
        held = rule("hold", seconds=60, count=1)
        state.add_rule(held)
        proxy = Proxy(Listener(name=POINT, port=0, upstream=bench.component.url), state, 10.0)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(proxy), base_url="http://witness") as http:
            asking = asyncio.create_task(http.post("/grants"))
            while held.count:
                await asyncio.sleep(0)
            assert (await http.get("/grants")).status_code == 200, "other methods are not held"
            assert (await http.post("/grants/1")).status_code == 200, "other paths are not held"
            assert [got["path"] for got in bench.component.got] == ["/grants", "/grants/1"]
            assert not asking.done()
            state.remove_rule("r")
            answer = await asking
        await proxy.client.aclose()
        state.end()
        return answer.status_code

    assert asyncio.run(scene()) == 200
    calls = [event.data for event in read_events(tmp_path / "held.witness.part.jsonl") if "fault" in event.data]
    assert [(data["method"], data["fault"]) for data in calls] == [("GET", None), ("POST", None), ("POST", "r")]


def test_a_held_request_goes_on_when_its_time_is_over(bench: WitnessBench) -> None:
    bench.control.add_rule(rule("hold", seconds=0.1))
    assert bench.http.post(f"{bench.url}/grants").status_code == 200
    event = bench.recorded()[-1]
    assert event.t - event.data["t_request"] >= 100_000_000


def test_ending_the_scenario_lets_held_requests_go(bench: WitnessBench) -> None:
    bench.control.add_rule(rule("hold", seconds=60))
    asking = threading.Thread(target=bench.http.post, args=(f"{bench.url}/grants",), daemon=True)
    asking.start()
    bench.http.get(f"{bench.url}/probe")
    bench.control.end()
    asking.join(10)
    assert not asking.is_alive()


def test_a_rule_may_count(bench: WitnessBench) -> None:
    bench.control.add_rule(rule("answer", status=403, count=2))
    statuses = [bench.http.post(f"{bench.url}/grants").status_code for _ in range(4)]
    assert statuses == [403, 403, 200, 200]
    assert [data["fault"] for data in bench.calls()] == ["r", "r", None, None]


def test_an_answer_of_the_witness_never_reaches_the_component(bench: WitnessBench) -> None:
    bench.control.add_rule(rule("answer", status=403, body={"status": 403, "detail": "no capacity"}))
    answer = bench.http.post(f"{bench.url}/grants", json={})
    assert (answer.status_code, answer.json()["detail"]) == (403, "no capacity")
    assert bench.component.got == []
    fault, call = bench.recorded()
    assert (str(fault.kind), fault.data["id"], fault.data["action"]) == ("fault", "r", "answer")
    assert (call.data["status"], call.data["fault"]) == (403, "r")


def test_rules_are_for_one_reference_point(bench: WitnessBench) -> None:
    bench.control.add_rule(rule("answer", listener=DEAD, status=403))
    assert bench.http.post(f"{bench.url}/grants").status_code == 200
    assert bench.http.post(f"{bench.dead_url}/grants").status_code == 403


def test_ending_the_scenario_lifts_all_rules(bench: WitnessBench) -> None:
    bench.control.add_rule(rule("answer", status=403))
    bench.control.end()
    assert bench.http.post(f"{bench.url}/grants").status_code == 200


# notifications


def told(bench: WitnessBench, name: str, kind: str = "VnfLcmOperationOccurrenceNotification") -> httpx.Response:
    return bench.http.post(f"{bench.sink_url}/sink/{name}", json={"notificationType": kind, "id": "n1"})


def test_notifications_are_taken_and_recorded(bench: WitnessBench) -> None:
    url = bench.control.sink("full")
    assert url == f"{bench.sink_url}/sink/full"
    assert bench.http.get(url).status_code == 204
    assert told(bench, "full").status_code == 204
    event = bench.recorded()[-1]
    assert (event.source, event.data["sink"], event.data["status"]) == ("sink:full", "full", 204)
    assert event.data["type"] == "VnfLcmOperationOccurrenceNotification"
    assert event.data["notification"]["id"] == "n1"


def test_a_sink_refuses_the_first_of_each_type(bench: WitnessBench) -> None:
    bench.control.sink("short", refuse_first=True)
    first = told(bench, "short")
    assert (first.status_code, first.headers["retry-after"]) == (503, "1")
    assert told(bench, "short").status_code == 204
    assert told(bench, "short", "NsLcmOperationOccurrenceNotification").status_code == 503
    assert told(bench, "short", "NsLcmOperationOccurrenceNotification").status_code == 204
    assert [event.data["status"] for event in bench.recorded()] == [503, 204, 503, 204]


def test_a_sink_refuses_again_in_the_next_scenario(bench: WitnessBench) -> None:
    bench.control.sink("short", refuse_first=True)
    told(bench, "short")
    bench.control.end()
    bench.begin("rollback")
    assert told(bench, "short").status_code == 503


def test_rubbish_at_a_sink_is_recorded_and_taken(bench: WitnessBench) -> None:
    headers = {"content-type": "application/json"}
    assert bench.http.post(f"{bench.sink_url}/sink/full", content=b"{no json", headers=headers).status_code == 204
    assert bench.recorded()[-1].data["notification"] == {"not_json": "{no json"}
    assert bench.http.post(f"{bench.sink_url}/sink/full", content=b"").status_code == 204
    assert bench.recorded()[-1].data["type"] == ""


# orders


def test_orders_that_make_no_sense_are_refused(bench: WitnessBench) -> None:
    answer = bench.http.put(f"{bench.control_url}/rules", json={"id": "x"})
    assert answer.status_code == 422
    with pytest.raises(TestbedError, match="the witness refused an order"):
        bench.control._order("PUT", "/scenario", {"scenario": "x"})


def test_lifting_what_is_not_there_is_no_error(bench: WitnessBench) -> None:
    bench.control.remove_rule("never-set")


def test_a_witness_that_is_gone_is_named() -> None:
    client = WitnessClient("http://127.0.0.1:9", "http://127.0.0.1:9")
    with pytest.raises(TestbedError, match="the witness does not answer"):
        client.end()


# the shape of what is recorded


@pytest.mark.parametrize(
    ("content", "kind", "recorded"),
    [
        (b"", "application/json", None),
        (b'{"a": 1}', "application/json; charset=utf-8", {"a": 1}),
        (b'{"a": 1}', "application/merge-patch+json", {"a": 1}),
        (b"{a", "application/problem+json", {"not_json": "{a"}),
        (b"abc", "text/plain", {"bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}),
    ],
)
def test_bodies(content: bytes, kind: str, recorded: object) -> None:
    assert recorded_body(content, kind) == recorded


def test_json_that_is_too_big_is_recorded_by_digest() -> None:
    content = b'"' + b"x" * LARGEST_BODY + b'"'
    assert recorded_body(content, "application/json") == {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def test_credentials_are_no_headers_worth_recording() -> None:
    kept = kept_headers([(b"Authorization", b"Bearer x"), (b"Cookie", b"y"), ("X-Auth-Token", "z"), (b"ETag", b'"1"')])
    assert kept == {"etag": '"1"'}


def test_waiting_gives_the_value_or_says_what_was_awaited() -> None:
    values = iter([None, 0, "", "here"])
    assert wait_for(lambda: next(values), timeout_s=5, what="it", every_s=0) == "here"
    with pytest.raises(TestbedError, match="the moon: not within 0 s"):
        wait_for(lambda: None, timeout_s=0, what="the moon", every_s=0)
