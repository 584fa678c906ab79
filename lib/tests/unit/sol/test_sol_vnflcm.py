"""Data models: strict requests, tolerant answers, dumps without empty attributes."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from nfvcert.sol.common import LcmOperationState, ProblemDetails
from nfvcert.sol.vnflcm import (
    ChangeCurrentVnfPkgRequest,
    HealVnfRequest,
    InstantiateVnfRequest,
    LccnSubscriptionRequest,
    VnfInstance,
    VnfLcmOpOcc,
)


def test_requests_forbid_what_they_do_not_know() -> None:
    with pytest.raises(ValidationError, match="vnfdID"):
        ChangeCurrentVnfPkgRequest.model_validate({"vnfdId": "a", "vnfdID": "b"})
    with pytest.raises(ValidationError):
        ChangeCurrentVnfPkgRequest.model_validate({"vnfdId": ""})


def test_answers_ignore_what_they_do_not_know() -> None:
    record = VnfLcmOpOcc.model_validate(
        {
            "id": "1",
            "operationState": "PROCESSING",
            "stateEnteredTime": "t",
            "startTime": "t",
            "vnfInstanceId": "2",
            "operation": "CHANGE_VNFPKG",
            "novel": 1,
            "_links": {"self": {"href": "x"}},
        }
    )
    assert record.operationState is LcmOperationState.PROCESSING
    assert record.links and record.links["self"].href == "x"
    assert "novel" not in record.dump()
    assert "_links" in record.dump()


def test_dump_leaves_out_what_is_absent() -> None:
    body = {"vnfdId": "a", "additionalParams": {"policy": "staged", "token": None}}
    assert ChangeCurrentVnfPkgRequest.model_validate(body).dump()["vnfdId"] == "a"
    assert "extensions" not in ChangeCurrentVnfPkgRequest.model_validate(body).dump()


def test_heal_of_one_or_many() -> None:
    assert HealVnfRequest.model_validate({"vnfcInstanceId": "a"}).vnfcInstanceId == ["a"]
    assert HealVnfRequest.model_validate({"vnfcInstanceId": ["a", "b"]}).vnfcInstanceId == ["a", "b"]
    assert HealVnfRequest.model_validate({}).vnfcInstanceId is None


def test_fixed_addresses_of_external_connection_points() -> None:
    ip = {"ipAddresses": [{"type": "IPV4", "fixedAddresses": ["198.18.0.1"]}]}
    cp = {"cpdId": "lb_access", "cpConfig": {"1": {"cpProtocolData": [{"ipOverEthernet": ip}]}}}
    link = {"id": "l", "resourceId": "net", "extCps": [cp]}
    request = InstantiateVnfRequest.model_validate({"flavourId": "default", "extVirtualLinks": [link]})
    assert (
        request.dump()["extVirtualLinks"][0]["extCps"][0]["cpConfig"]["1"]["cpProtocolData"][0]["layerProtocol"]
        == "IP_OVER_ETHERNET"
    )


@pytest.mark.parametrize("uri", ["ftp://x", "x", "http://", ""])
def test_callback_must_be_http(uri: str) -> None:
    with pytest.raises(ValidationError):
        LccnSubscriptionRequest.model_validate({"callbackUri": uri})


def test_problem_details_need_status_and_detail() -> None:
    with pytest.raises(ValidationError):
        ProblemDetails.model_validate({"title": "x"})
    assert ProblemDetails.model_validate({"status": 409, "detail": "d", "extra": 1}).dump()["extra"] == 1


def test_instance_without_resources() -> None:
    instance = VnfInstance.model_validate(
        {
            "id": "1",
            "vnfdId": "d",
            "vnfProvider": "p",
            "vnfProductName": "n",
            "vnfSoftwareVersion": "1",
            "vnfdVersion": "1",
            "instantiationState": "NOT_INSTANTIATED",
        }
    )
    assert instance.instantiatedVnfInfo is None
