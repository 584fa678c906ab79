"""The resources of one kind: in memory for reading, written through to the store on every change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from nfvcert.reference.common.store import Store
from nfvcert.reference.vim.faults import NotFoundError
from nfvcert.reference.vim.records import Record, now

RecordT = TypeVar("RecordT", bound=Record)


class Registry(Generic[RecordT]):
    """All records of one kind in the order of their creation.

    Args:
        store: the store.
        model: type of the records.
        kind: name of the kind, in the store and in messages (``network``, ``server``...).
    """

    def __init__(self, store: Store, model: type[RecordT], kind: str) -> None:
        self.kind = kind
        self._store = store
        self._records: dict[str, RecordT] = {}
        for document in store.list(kind):
            record = model.model_validate(document.body)
            self._records[record.id] = record

    def __iter__(self) -> Iterator[RecordT]:
        return iter(list(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)

    def find(self, id: str) -> RecordT | None:
        """The record, None if there is none."""
        return self._records.get(id)

    def get(self, id: str) -> RecordT:
        """The record.

        Raises:
            NotFoundError: there is none.
        """
        record = self._records.get(id)
        if record is None:
            raise NotFoundError(self.kind, id)
        return record

    def save(self, record: RecordT) -> RecordT:
        """Store a new or changed record."""
        record.updated_at = now()
        self._store.put(self.kind, record.id, record.model_dump(mode="json"))
        self._records[record.id] = record
        return record

    def remove(self, id: str) -> None:
        """Forget a record; nothing happens if there is none."""
        if self._records.pop(id, None) is not None:
            self._store.delete(self.kind, id)
