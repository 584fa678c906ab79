"""The document store: versions, transactions, order, files."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from nfvcert.reference.common.store import Store, VersionConflict


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store("sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path}/deep/er/store.sqlite")


def test_versions_count_changes(store: Store) -> None:
    assert store.get("a", "1") is None
    assert store.put("a", "1", {"x": 1}) == 1
    assert store.put("a", "1", {"x": 2}, expect=1) == 2
    found = store.get("a", "1")
    assert found and (found.version, found.body) == (2, {"x": 2})
    with pytest.raises(VersionConflict):
        store.put("a", "1", {}, expect=1)
    with pytest.raises(VersionConflict):
        store.insert("a", "1", {})
    with pytest.raises(VersionConflict):
        store.put("a", "2", {}, expect=1)


def test_kinds_are_apart_and_order_is_of_creation(store: Store) -> None:
    for name in ("z", "a", "m"):
        store.insert("kind", name, {})
    store.put("kind", "z", {"changed": True})
    store.insert("other", "a", {})
    assert [document.id for document in store.list("kind")] == ["z", "a", "m"]
    assert store.delete("kind", "a")
    assert not store.delete("kind", "a")
    assert store.get("other", "a")


def test_transaction_is_all_or_nothing(store: Store) -> None:
    store.put("a", "1", {"x": 1})
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.put("a", "1", {"x": 2})
        with store.transaction():
            store.insert("a", "2", {})
        raise ZeroDivisionError
    found = store.get("a", "1")
    assert found and found.body == {"x": 1}
    assert store.get("a", "2") is None


def test_numbers_are_never_used_again(store: Store) -> None:
    store.insert("a", "1", {})
    first = store.list("a")[0].seq
    store.delete("a", "1")
    store.insert("a", "2", {})
    assert store.list("a")[0].seq > first


def test_threads_do_not_disturb_each_other(store: Store) -> None:
    store.put("a", "n", {"n": 0})

    def count() -> None:
        for _ in range(50):
            with store.transaction():
                found = store.get("a", "n")
                assert found
                store.put("a", "n", {"n": found.body["n"] + 1})

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = store.get("a", "n")
    assert found and found.body == {"n": 200}


def test_documents_survive_closing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.sqlite"
    first = Store(url)
    first.put("a", "1", {"x": "ü"})
    first.close()
    found = Store(url).get("a", "1")
    assert found and found.body == {"x": "ü"}
