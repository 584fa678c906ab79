"""Selection by id."""

import pytest

from nfvcert.catalogue import load, select
from nfvcert.catalogue.selection import is_prefix
from nfvcert.errors import UsageError


def requirements(*ids: str) -> list[str]:
    return list(dict.fromkeys(p.requirement for p in select(load(), ids)))


def test_a_prefix_selects_the_family() -> None:
    assert len(requirements("REQ.VNF")) == 14
    assert len(requirements("REQ")) == 29
    assert len(requirements("REL002.MA")) == 7
    assert len(requirements("REL002")) == 20


def test_the_document_alias_adds_flows_and_procedures() -> None:
    assert len(requirements("rel006")) == 33


def test_prefixes_end_at_dots() -> None:
    assert not is_prefix("REQ.VNF", "REQ.VNFX.01")
    assert not is_prefix("TP.VNF.01.1", "TP.VNF.01.10")
    assert is_prefix("req.vnf.m", "REQ.VNF.M.01")


def test_purposes_and_defects_select_purposes() -> None:
    assert [p.id for p in select(load(), ["TP.VNF.08.2"])] == ["TP.VNF.08.2"]
    assert [p.id for p in select(load(), ["DEF.VNF.01.b"])] == ["TP.VNF.01.1", "TP.VNF.01.6"]


def test_order_is_the_catalogues_and_nothing_twice() -> None:
    ids = [p.id for p in select(load(), ["REQ.VNF.M.08", "REQ.VNF.M.01", "TP.VNF.08.1"])]
    assert ids[0] == "TP.VNF.01.1"
    assert len(ids) == len(set(ids))


def test_no_id_selects_everything() -> None:
    assert len(select(load())) == len(list(load().purposes))


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'REQ\.VNF'"):
        select(load(), ["REQ.VNFX"])
