"""Document store of a reference component: JSON documents by kind and id, with versions, on SQLite or PostgreSQL.

Calls are synchronous and short (SQLite with a write-ahead log answers in well under a millisecond), so components call
them from the event loop directly; calls from other threads are safe.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, make_url

_METADATA = sa.MetaData()
_DOCUMENTS = sa.Table(
    "documents",
    _METADATA,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("id", sa.String(255), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.UniqueConstraint("kind", "id"),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True)
class Document:
    """One stored document: place in the order of creation, id, version (1, plus 1 with each change), JSON body."""

    seq: int
    id: str
    version: int
    body: dict[str, Any]


class VersionConflict(Exception):
    """The document is not at the version the writer expected, or exists already."""


class Store:
    """Documents of one component.

    Args:
        url: SQLAlchemy URL; ``sqlite:///path`` is opened with a write-ahead log, ``sqlite://`` lives in memory.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        options: dict[str, Any] = {}
        if parsed.get_backend_name() == "sqlite":
            options["connect_args"] = {"check_same_thread": False, "timeout": 10}
            if not parsed.database or parsed.database == ":memory:":
                options["poolclass"] = sa.StaticPool
            else:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        self._engine = sa.create_engine(parsed, **options)
        self._lock = threading.RLock()
        self._current: Connection | None = None
        if parsed.get_backend_name() == "sqlite":
            sa.event.listen(self._engine, "connect", _pragmas)
        _METADATA.create_all(self._engine)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Make all calls inside atomic; nested use joins the outer one. Do not await inside."""
        with self._lock:
            if self._current is not None:
                yield self._current
                return
            with self._engine.begin() as connection:
                self._current = connection
                try:
                    yield connection
                finally:
                    self._current = None

    def get(self, kind: str, identifier: str) -> Document | None:
        """The document, or None."""
        with self.transaction() as connection:
            row = connection.execute(_select(kind).where(_DOCUMENTS.c.id == identifier)).one_or_none()
        return _document(row) if row else None

    def list(self, kind: str) -> list[Document]:
        """All documents of a kind in the order in which they were created."""
        with self.transaction() as connection:
            rows = connection.execute(_select(kind).order_by(_DOCUMENTS.c.seq)).all()
        return [_document(row) for row in rows]

    def insert(self, kind: str, identifier: str, body: dict[str, Any]) -> int:
        """Create a document at version 1.

        Raises:
            VersionConflict: there is one with this id.
        """
        statement = sa.insert(_DOCUMENTS).values(kind=kind, id=identifier, version=1, body=json.dumps(body))
        try:
            with self.transaction() as connection:
                connection.execute(statement)
        except sa.exc.IntegrityError as error:
            raise VersionConflict(f"{kind} {identifier} exists") from error
        return 1

    def put(self, kind: str, identifier: str, body: dict[str, Any], *, expect: int | None = None) -> int:
        """Create or replace a document; returns its new version.

        Raises:
            VersionConflict: `expect` is given and is not the stored version.
        """
        with self.transaction() as connection:
            found = self.get(kind, identifier)
            if expect is not None and (found is None or found.version != expect):
                raise VersionConflict(f"{kind} {identifier}: version {found and found.version}, expected {expect}")
            if found is None:
                return self.insert(kind, identifier, body)
            connection.execute(
                sa.update(_DOCUMENTS)
                .where(_DOCUMENTS.c.seq == found.seq)
                .values(version=found.version + 1, body=json.dumps(body))
            )
            return found.version + 1

    def delete(self, kind: str, identifier: str) -> bool:
        """Remove a document; False if there was none."""
        statement = sa.delete(_DOCUMENTS).where(_DOCUMENTS.c.kind == kind, _DOCUMENTS.c.id == identifier)
        with self.transaction() as connection:
            return connection.execute(statement).rowcount > 0


def _select(kind: str) -> sa.Select[Any]:
    columns = (_DOCUMENTS.c.seq, _DOCUMENTS.c.id, _DOCUMENTS.c.version, _DOCUMENTS.c.body)
    return sa.select(*columns).where(_DOCUMENTS.c.kind == kind)


def _document(row: Any) -> Document:
    return Document(row.seq, row.id, row.version, json.loads(row.body))


def _pragmas(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
