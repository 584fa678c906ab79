"""YAML from strangers: what it means, and what it must not do to the reader."""

from __future__ import annotations

import time

import pytest
from drop_support import SMALL

from nfvcert.drop.findings import FindingError
from nfvcert.drop.limits import Limits
from nfvcert.drop.yamltree import parse_yaml


def refused(text: str | bytes, limits: Limits = SMALL) -> FindingError:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(FindingError) as caught:
        parse_yaml(data, "f.yaml", limits)
    return caught.value


def test_scalars_follow_the_core_schema() -> None:
    tree = parse_yaml(b"{a: 1, b: 1.10, c: yes, d: true, e: ~, f: '1', g: 0x1f, h: 0o17, i: 2024-01-01}", "f")
    assert tree.plain() == {
        "a": 1, "b": 1.1, "c": "yes", "d": True, "e": None, "f": "1", "g": 31, "h": 15, "i": "2024-01-01",
    }  # fmt: skip


def test_a_version_keeps_its_text() -> None:
    node = parse_yaml(b"version: 1.10", "f").get("version")
    assert node is not None and node.text == "1.10"


def test_lines_are_known() -> None:
    tree = parse_yaml(b"a:\n  - x: 1\n  - x: 2\nb: 3\n", "f")
    assert tree.line_at(("a", 1, "x")) == 3
    assert tree.line_at(("b",)) == 4
    assert tree.line_at(("a", 7, "x")) == 1


def test_aliases_are_shared_values() -> None:
    assert parse_yaml(b"a: &x {k: 1}\nb: *x\n", "f").plain() == {"a": {"k": 1}, "b": {"k": 1}}


def test_an_alias_bomb_is_refused_at_once() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    started = time.monotonic()
    error = refused("\n".join(levels))
    assert error.finding.rule == "yaml.alias_bomb"
    assert time.monotonic() - started < 5


def test_an_alias_to_what_contains_it_is_refused() -> None:
    assert refused("a: &a [*a]").finding.rule == "yaml.alias_bomb"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a: !!python/object:os.system x", "yaml.tag"),
        ("a: !custom x", "yaml.tag"),
        ("a: 1\na: 2", "yaml.duplicate_key"),
        ("[a]: 1\n", "yaml.key"),
        ("a: 1\n--- \nb: 2", "yaml.documents"),
        ("a: *b", "yaml.syntax"),
        ("a: [1", "yaml.syntax"),
        ("a: \x01", "yaml.syntax"),
        ("", "yaml.empty"),
        ("# nothing", "yaml.empty"),
        ("a: &x {b: 1}\nc: {<<: *x}", "yaml.merge"),
        ("[" * 100, "yaml.depth"),
        ("{a: " * 100, "yaml.depth"),
        ("- " * 100 + "x", "yaml.depth"),
    ],
)
def test_constructs_that_are_refused(text: str, rule: str) -> None:
    error = refused(text)
    assert error.finding.rule in (rule, "yaml.alias")
    assert error.where.startswith("f.yaml")


def test_bytes_that_are_no_text_are_refused() -> None:
    assert refused(b"a: \xff\xfe").finding.rule == "yaml.encoding"


def test_too_large_a_document_is_refused() -> None:
    assert refused("a: " + "x" * (1 << 17)).finding.rule == "yaml.size"


def test_too_many_nodes_are_refused() -> None:
    assert refused("[" + "1," * 30_000 + "]").finding.rule in ("yaml.size", "yaml.alias_bomb")


def test_a_huge_number_is_not_computed() -> None:
    assert parse_yaml(b"a: " + b"9" * 10_000, "f").plain() == {"a": "9" * 10_000}


def test_control_characters_in_messages_are_escaped() -> None:
    error = refused('a: 1\n"k\\e[31m": 1\n"k\\e[31m": 2')
    assert "\x1b" not in error.message
