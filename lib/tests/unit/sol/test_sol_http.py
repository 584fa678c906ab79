"""The tester's client: exchanges recorded, answers told apart from silence and rubbish."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from nfvcert.errors import StackError
from nfvcert.sol.http import SolClient

Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler, **options: Any) -> SolClient:
    return SolClient("http://stack/base", "2.0.0", transport=httpx.MockTransport(handler), **options)


def test_exchange_is_observed_with_both_sides_and_times() -> None:
    seen: list[dict[str, Any]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        assert request.headers["version"] == "2.0.0"
        assert str(request.url) == "http://stack/base/x/y"
        return httpx.Response(201, json={"id": "1"}, headers={"Location": "/x/y/1", "ETag": '"3"'})

    answer = client(handler, observer=seen.append).post("/x/y", {"a": 1})
    assert (answer.status, answer.body, answer.etag) == (201, {"id": "1"}, '"3"')
    assert answer.location == "http://stack/x/y/1"
    event = seen[0]
    assert (event["method"], event["url"], event["status"]) == ("POST", "http://stack/base/x/y", 201)
    assert event["request_body"] == {"a": 1}
    assert event["request_headers"]["Version"] == "2.0.0"
    assert event["response_body"] == {"id": "1"}
    assert event["response_headers"]["location"] == "/x/y/1"
    assert event["t_start"] <= event["t_end"]


def test_refusal_is_an_answer_with_its_problem() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        body = {"status": 409, "detail": "busy", "more": 1}
        return httpx.Response(409, json=body, headers={"Content-Type": "application/problem+json"})

    answer = client(handler).post("x")
    assert not answer.ok
    assert answer.problem and answer.problem.detail == "busy"
    with pytest.raises(StackError, match=r"answered 409, expected 202.*busy"):
        answer.expect(202)


@pytest.mark.parametrize(
    ("body", "media"),
    [(b"not here", "text/plain"), (b'{"detail": 3}', "application/problem+json"), (b"[0]", "text/html")],
)
def test_refusal_without_a_problem_document_is_kept_for_the_checker(body: bytes, media: str) -> None:
    answer = client(lambda _: httpx.Response(404, content=body, headers={"Content-Type": media})).get("x")
    assert answer.status == 404
    assert answer.problem is None
    assert answer.body


@pytest.mark.parametrize(
    ("content", "expect"), [(b"<html>", "any"), (b"[]", "object"), (b"{}", "list"), (b"", "object"), (b"7", "object")]
)
def test_rubbish_names_where_and_what(content: bytes, expect: Any) -> None:
    seen: list[dict[str, Any]] = []
    with pytest.raises(StackError) as caught:
        client(lambda _: httpx.Response(200, content=content), observer=seen.append).get("x", expect=expect)
    assert caught.value.where == "http://stack/base/x"
    assert seen[0]["status"] == 200


@pytest.mark.parametrize(
    ("error", "text"), [(httpx.ConnectError("refused"), "no answer"), (httpx.ReadTimeout("slow"), "no answer in time")]
)
def test_silence_is_recorded_and_raised(error: Exception, text: str) -> None:
    seen: list[dict[str, Any]] = []

    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(StackError, match=text):
        client(handler, observer=seen.append).get("x")
    assert type(error).__name__ in seen[0]["error"]
    assert "status" not in seen[0]


def test_pages_are_followed_once_each() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", "0"))
        headers = {"Link": f'<http://stack/base/x?page={page + 1}>; rel="next"'} if page < 2 else {}
        return httpx.Response(200, json=[page], headers=headers)

    assert client(handler).get_all("x", params={"filter": "(eq,a,b)"}) == [0, 1, 2]
    circle = {"Link": '<http://stack/base/x>; rel="next"'}
    with pytest.raises(StackError, match="already read"):
        client(lambda _: httpx.Response(200, json=[1], headers=circle)).get_all("x")
    with pytest.raises(StackError, match="answered 500"):
        client(lambda _: httpx.Response(500)).get_all("x")


def test_bytes_are_counted_not_recorded() -> None:
    seen: list[dict[str, Any]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"PK\x03") if request.method == "GET" else httpx.Response(202)

    with client(handler, observer=seen.append, headers={"Authorization": "Basic c2VjcmV0"}) as tester:
        assert tester.get("x", expect="bytes").body == b"PK\x03"
        tester.put("x", b"12345", "application/zip")
    assert seen[0]["response_body"] == {"bytes": 3}
    assert seen[1]["request_body"] == {"bytes": 5}
    assert "c2VjcmV0" not in str(seen)


def test_merge_patch_with_precondition() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.headers["content-type"] == "application/merge-patch+json"
        assert request.headers["if-match"] == '"1"'
        return httpx.Response(202)

    assert client(handler).patch("http://stack/other", {"a": None}, if_match='"1"').status == 202
