"""Messages of OpenFlow 1.4 (ONF TS-012) as they lie on the wire: header, framing, bundles, multipart, errors. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

VERSION = 0x05
HEADER = struct.Struct("!BBHI")
LONGEST_MESSAGE = 0xFFFF
LAST_XID = 0xFFFFFFFF


class Kind(IntEnum):
    """Types of messages (clause 7.1.1)."""

    HELLO = 0
    ERROR = 1
    ECHO_REQUEST = 2
    ECHO_REPLY = 3
    FLOW_MOD = 14
    MULTIPART_REQUEST = 18
    MULTIPART_REPLY = 19
    BUNDLE_CONTROL = 33
    BUNDLE_ADD = 34


class Part(IntEnum):
    """Types of multipart messages (clause 7.3.5)."""

    FLOW = 1
    TABLE = 3
    PORT = 4
    TABLE_FEATURES = 12


class Bundle(IntEnum):
    """Types of bundle control messages (clause 7.3.9.2)."""

    OPEN_REQUEST = 0
    OPEN_REPLY = 1
    COMMIT_REQUEST = 4
    COMMIT_REPLY = 5


ATOMIC_ORDERED = 0b11
"""Flags of a bundle: all or nothing, at one instant, in the order in which the messages were added."""

_BUNDLE_CONTROL = struct.Struct("!IHH")
_BUNDLE_ADD = struct.Struct("!I2xH")
_MULTIPART = struct.Struct("!HH4x")
_MORE = 1
_ERROR = struct.Struct("!HH")


@dataclass(frozen=True)
class Message:
    """One message without its header; ``kind`` may be one that is not known here."""

    kind: int
    xid: int
    body: bytes
    version: int = VERSION


def pack(kind: int, xid: int, body: bytes = b"") -> bytes:
    """A message with its header.

    Raises:
        ValueError: it is too long.
    """
    length = HEADER.size + len(body)
    if length > LONGEST_MESSAGE:
        raise ValueError(f"a message of {length} octets does not fit in OpenFlow")
    return HEADER.pack(VERSION, kind, length, xid) + body


class Framer:
    """Cuts a stream into messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete with these octets.

        Raises:
            ValueError: the stream is not OpenFlow.
        """
        stream, at, found = self._rest + data, 0, []
        while len(stream) - at >= HEADER.size:
            version, kind, length, xid = HEADER.unpack_from(stream, at)
            if length < HEADER.size:
                raise ValueError(f"a message of {length} octets is shorter than its header")
            if len(stream) - at < length:
                break
            found.append(Message(kind, xid, stream[at + HEADER.size : at + length], version))
            at += length
        self._rest = stream[at:]
        return found


def bundle_control(xid: int, bundle: int, kind: Bundle) -> bytes:
    """Open or commit a bundle."""
    return pack(Kind.BUNDLE_CONTROL, xid, _BUNDLE_CONTROL.pack(bundle, kind, ATOMIC_ORDERED))


def bundle_control_of(body: bytes) -> tuple[int, int]:
    """Number and type of a bundle control message."""
    bundle, kind, _ = _BUNDLE_CONTROL.unpack_from(body)
    return bundle, kind


def bundle_add(bundle: int, message: bytes) -> bytes:
    """Add a message, which keeps its transaction id, to a bundle."""
    xid = HEADER.unpack_from(message)[3]
    return pack(Kind.BUNDLE_ADD, xid, _BUNDLE_ADD.pack(bundle, ATOMIC_ORDERED) + message)


def bundle_add_of(body: bytes) -> tuple[int, Message]:
    """Number of the bundle and the message added to it."""
    bundle, _ = _BUNDLE_ADD.unpack_from(body)
    [inner] = Framer().feed(body[_BUNDLE_ADD.size :])
    return bundle, inner


def multipart(xid: int, part: Part, body: bytes = b"") -> bytes:
    """A request for statistics or a description."""
    return pack(Kind.MULTIPART_REQUEST, xid, _MULTIPART.pack(part, 0) + body)


def multipart_of(body: bytes) -> tuple[int, bool, bytes]:
    """Type, whether more is to come, and content of an answer to such a request."""
    part, flags = _MULTIPART.unpack_from(body)
    return part, bool(flags & _MORE), body[_MULTIPART.size :]


def error_of(body: bytes) -> tuple[int, int]:
    """Type and code of an error message (clause 7.4.4)."""
    kind, code = _ERROR.unpack_from(body)
    return kind, code
