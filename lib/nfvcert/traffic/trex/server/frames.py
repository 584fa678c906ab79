"""Frames of the RPC protocol: a JSON text, plain or compressed; an object is one request, a list a batch.

A compressed frame is two big-endian 32-bit numbers (mark, length of the text) and the text compressed with zlib.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any

from nfvcert.traffic.trex.server.errors import INVALID_REQUEST, PARSE_ERROR, RpcError

MARK = 0xABE85CEA
LONGEST_TEXT = 16 << 20
"""Longest accepted text, octets; longer batches are to be split by the client (its own chunks are 500 kB)."""
COMPRESS_FROM = 4096
"""Replies of at least so many octets are compressed, when the request was."""

_HEAD = struct.Struct(">II")
_MARK_OCTETS = MARK.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as received: its requests (whatever JSON they are), whether they were a list, whether compressed."""

    requests: list[Any]
    batch: bool
    compressed: bool


def decode(data: bytes, *, longest: int = LONGEST_TEXT) -> Frame:
    """Read a frame.

    Raises:
        RpcError: too long, cut off, damaged, no JSON, or neither object nor list.
    """
    compressed = data[:4] == _MARK_OCTETS
    text = _inflate(data, longest) if compressed else data
    if len(text) > longest:
        raise _damaged(f"a frame of more than {longest} octets", found=f"{len(text)} octets", hint="split the batch")
    try:
        content = json.loads(text.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _damaged("a frame that is no JSON text", found=str(error)[:200] or type(error).__name__) from error
    if isinstance(content, list):
        if not content:
            raise RpcError("an empty batch", code=INVALID_REQUEST)
        return Frame(content, batch=True, compressed=compressed)
    return Frame([content], batch=False, compressed=compressed)


def encode(replies: list[dict[str, Any]], frame: Frame | None) -> bytes:
    """The frame that answers ``frame`` (None: one that could not be read): same order, same form."""
    content: Any = replies if frame is not None and frame.batch else replies[0]
    text = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
    if frame is not None and frame.compressed and len(text) >= COMPRESS_FROM:
        return compress(text)
    return text


def compress(text: bytes) -> bytes:
    """A compressed frame of a text."""
    return _HEAD.pack(MARK, len(text)) + zlib.compress(text, 1)


def _inflate(data: bytes, longest: int) -> bytes:
    if len(data) < _HEAD.size:
        raise _damaged("a compressed frame cut off in its head", found=f"{len(data)} octets")
    _, told = _HEAD.unpack_from(data)
    if told > longest:
        raise _damaged(f"a frame of more than {longest} octets", found=f"{told} octets", hint="split the batch")
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data[_HEAD.size :], told + 1)
    except zlib.error as error:
        raise _damaged("a compressed frame that cannot be decompressed", found=str(error)) from error
    if len(text) == told and not inflater.eof:
        inflater.decompress(inflater.unconsumed_tail, 1)  # what is left may be the end mark alone
    if len(text) != told or not inflater.eof or inflater.unused_data:
        found = "longer" if len(text) > told or inflater.unused_data else f"{len(text)} octets, then it ends"
        raise _damaged(f"a compressed frame that does not hold the {told} octets it announces", found=found)
    return text


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _damaged(what: str, *, found: str, hint: str = "") -> RpcError:
    return RpcError(what, code=PARSE_ERROR, found=found, hint=hint)
