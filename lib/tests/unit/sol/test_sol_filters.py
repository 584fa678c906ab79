"""The attribute filter language of SOL013 5.2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfvcert.sol.filters import Expression, Filter, FilterError, parse, select_fields

DOCUMENT = {
    "id": "a",
    "size": 12,
    "ok": True,
    "none": None,
    "note": "it's (a), b",
    "nested": {"name": "x"},
    "items": [{"k": 1, "tags": ["red"]}, {"k": 5, "tags": []}],
    "when": "2024-05-01T10:00:00Z",
    "map": {"a/b": "slash"},
}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("(eq,id,a)", True),
        ("(eq,id,b)", False),
        ("(neq,id,b)", True),
        ("(in,id,x,a)", True),
        ("(nin,id,x,a)", False),
        ("(cont,id,x,a)", True),
        ("(ncont,note,zz)", True),
        ("(eq,size,12.0)", True),
        ("(gt,size,9)", True),
        ("(lt,size,9)", False),
        ("(gte,size,nonsense)", False),
        ("(eq,ok,true)", True),
        ("(eq,ok,True)", False),
        ("(eq,nested/name,x)", True),
        ("(eq,items/k,5)", True),
        ("(neq,items/k,5)", False),
        ("(eq,items/tags,red)", True),
        ("(lt,when,2024-06-01T00:00:00Z)", True),
        ("(eq,absent,1)", False),
        ("(neq,absent,1)", True),
        ("(eq,none,null)", False),
        ("(eq,note,'it''s (a), b')", True),
        ("(eq,map/a~1b,slash)", True),
        ("(in,map/@key,a/b)", True),
        ("(eq,id,a);(gt,size,20)", False),
        ("(eq,id,a);(gt,size,2)", True),
    ],
)
def test_matching(text: str, matches: bool) -> None:
    assert parse(text).matches(DOCUMENT) is matches


@pytest.mark.parametrize(
    "text",
    ["", "eq,id,a", "(eq,id)", "(eq,id,a,b)", "(eq,id,a", "(eq,id,'a)", "(about,id,a)", "(eq,id,a)(eq,id,b)", "(eq,,a)",
     "(eq,a//b,c)", "(eq,id,a);", "(eq,id,'a'b)"],
)  # fmt: skip
def test_malformed_filters_are_refused(text: str) -> None:
    with pytest.raises(FilterError):
        parse(text)


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except FilterError:
        return
    assert found.expressions
    found.matches(DOCUMENT)


@given(st.text(max_size=20))
def test_any_value_can_be_quoted(value: str) -> None:
    quoted = value.replace("'", "''")
    assert parse(f"(eq,id,'{quoted}')") == Filter((Expression("eq", ("id",), (value,)),))
    assert parse(f"(eq,id,'{quoted}')").matches({"id": value})


def test_fields_keep_the_identity() -> None:
    document = {"id": "a", "_links": {}, "x": 1, "y": {"z": 2}}
    assert select_fields(document, fields="y/z") == {"id": "a", "_links": {}, "y": {"z": 2}}
    assert select_fields(document, exclude="x,id") == {"id": "a", "_links": {}, "y": {"z": 2}}
    assert select_fields(document) == document
