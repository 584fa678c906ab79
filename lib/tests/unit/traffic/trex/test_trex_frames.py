"""Frames: what is encoded is decoded again, and whatever comes is answered."""

from __future__ import annotations

import json
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trex_talk import make_talk

from nfvcert.traffic.trex.server.errors import INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR, RpcError
from nfvcert.traffic.trex.server.frames import COMPRESS_FROM, MARK, Frame, compress, decode, encode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TALK = make_talk()


@given(st.lists(st.dictionaries(st.text(), JSON, max_size=3), min_size=1, max_size=4), st.booleans(), st.booleans())
def test_what_is_encoded_is_decoded_again(replies: list[dict[str, object]], batch: bool, compressed: bool) -> None:
    if not batch:
        replies = replies[:1]
    data = encode(replies, Frame([], batch=batch, compressed=compressed))
    assert decode(data).requests == replies
    assert decode(compress(json.dumps(replies).encode())) == Frame(replies, batch=True, compressed=True)


@given(st.binary(max_size=200))
def test_any_octets_are_answered_with_an_error(data: bytes) -> None:
    reply = json.loads(TALK.dispatcher.answer(data))
    replies = reply if isinstance(reply, list) else [reply]
    assert all(each["error"]["code"] in (PARSE_ERROR, INVALID_REQUEST) for each in replies)


@given(st.binary(max_size=100), st.integers(0, 1 << 32), st.integers(0, 130))
def test_a_damaged_compressed_frame_is_answered_with_an_error(rest: bytes, told: int, cut: int) -> None:
    good = compress(b'[{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {}}]')
    for data in (
        good[:cut] if cut < len(good) else b"",
        struct.pack(">II", MARK, told % (1 << 32)) + rest,
        good + b"x",
    ):
        reply = json.loads(TALK.dispatcher.answer(data))
        assert isinstance(reply, dict), data
        assert reply["error"]["code"] == PARSE_ERROR
        assert reply["id"] is None


@given(JSON)
def test_any_json_is_answered(content: object) -> None:
    reply = TALK.frame(content)
    count = len(content) if isinstance(content, list) and content else 1
    replies = reply if isinstance(reply, list) else [reply]
    assert len(replies) == count
    assert all(each["jsonrpc"] == "2.0" and ("error" in each) != ("result" in each) for each in replies)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no JSON text"),
        (b"\xab\xe8\x5c\xea\x00", "cut off in its head"),
        (struct.pack(">II", MARK, 40) + zlib.compress(b"x" * 40)[:-6], "40 octets it announces"),
        (struct.pack(">II", MARK, 10) + zlib.compress(b"x" * 40), "10 octets it announces"),
        (struct.pack(">II", MARK, 1 << 31) + zlib.compress(b"{}"), "more than"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b"[" * 100_000, "no JSON text"),
        (b"{" + b" " * (17 << 20) + b"}", "more than"),
        (b"[]", "empty batch"),
        (b'"\xff"', "no JSON text"),
    ],
)
def test_what_is_wrong_with_a_frame_is_said(data: bytes, message: str) -> None:
    with pytest.raises(RpcError, match=message):
        decode(data)
    assert message in json.loads(TALK.dispatcher.answer(data))["error"]["specific_err"]


def test_a_bomb_is_not_unpacked() -> None:
    bomb = struct.pack(">II", MARK, 100) + zlib.compress(b"\0" * (32 << 20))
    with pytest.raises(RpcError, match="found: longer"):
        decode(bomb)


def test_a_batch_is_answered_in_its_order() -> None:
    requests = [
        {"jsonrpc": "2.0", "id": "a", "method": "ping", "params": {}},
        {"jsonrpc": "2.0", "id": "b", "method": "nothing", "params": {}},
        {"jsonrpc": "2.0", "id": "c", "method": "get_version", "params": {}},
    ]
    replies = TALK.frame(requests)
    assert [reply["id"] for reply in replies] == ["a", "b", "c"]
    assert ["result" in reply for reply in replies] == [True, False, True]
    assert replies[1]["error"]["code"] == METHOD_NOT_FOUND


def test_long_replies_are_compressed_for_those_who_compress() -> None:
    long = [{"result": "x" * COMPRESS_FROM}]
    assert encode(long, Frame([], batch=False, compressed=True))[:4] == MARK.to_bytes(4, "big")
    assert encode(long, Frame([], batch=False, compressed=False))[:1] == b"{"
    assert encode([{"result": "x"}], Frame([], batch=False, compressed=True))[:1] == b"{"
